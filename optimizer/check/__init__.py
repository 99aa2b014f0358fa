"""What is wrong with an instance, or decides nothing.

Other rooms use:

- ``check``: check, raise_errors
"""
