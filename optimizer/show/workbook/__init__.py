"""A plan as a workbook whose formulas recompute it."""
