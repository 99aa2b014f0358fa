"""A plan as a workbook whose formulas recompute it.

Other rooms use:

- ``book``: to_xlsx
- ``facts``: usable_pairs
- ``into``: read_allocation, refresh, refuse_unfit
"""
