"""Instances in folders and workbooks, read and written.

Other rooms use:

- ``migrate``: *, migrate, replace
- ``read``: given_rows, given_table, left_behind, load, load_whatif, read_sources, Sources
- ``starter``: starter, starter_instance
- ``workbook_write``: Exact, LONGEST
- ``write``: is_workbook_name, save, tables_written, write, write_texts
"""
