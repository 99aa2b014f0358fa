"""A plan as a workbook whose formulas recompute it.

Other rooms use:

- ``back``: read_allocation
- ``book``: to_xlsx
- ``facts``: usable_pairs
- ``into``: refresh, refuse_unfit
"""
