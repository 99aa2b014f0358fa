"""A plan recomputed from the tables alone.

Other rooms use:

- ``audit``: audit
"""
