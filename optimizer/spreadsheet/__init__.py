"""Spreadsheet files, opened without trust; knows no plan.

Other rooms use:

- ``cells``: Cell, day, letters, MOST_COLUMNS, MOST_ROWS, Odd, quoted, Sheet, sheet_of, Workbook
- ``graft``: Graft, is_strict, MARKER, Parts, q, Tables
- ``package``: ENDINGS, open_package, Package
"""
