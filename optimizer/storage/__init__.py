"""Instances in folders and workbooks, read and written.

Other rooms use:

- ``migrate``: *, migrate, replace
- ``read``: given_rows, given_table, is_workbook, left_behind, load, load_whatif, read_sources, Sources, WHATIFS
- ``starter``: starter, starter_instance
- ``toml``: levers_toml, MOST_LETTERS, read_levers, read_whatif, whatif_toml
- ``workbook_write``: Exact, LONGEST
- ``write``: is_workbook_name, save, tables_written, write, write_levers, write_texts
"""
