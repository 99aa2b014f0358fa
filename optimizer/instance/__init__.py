"""The instance: immutable tables, and edits applied to them.

Other rooms use:

- ``cells``: Array, Cells, Coded, empty, Fault, frame_of, is_name, LARGEST_NUMBER, name_fault, parse, Parsed,
  parsed, place, range_rule, shown, type_fault
- ``chances``: chances, combinations, depends_on, known, MOST_SCENARIOS
- ``edit``: REFERRERS, rows_of, TARGET
- ``instance``: apply_edits, Earlier, Instance, Remembered, replaced, SheetPlaces, T
- ``quantity_values``: Evaluator, needs_plan, not_found, parts
- ``selection``: meets, picks, ROW, select
- ``varied_cells``: Varied, varied, VariedReader
"""
