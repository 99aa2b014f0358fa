"""What planners write, read with the place of every error: edits, outcomes, axes, quantities.

Other rooms use:

- ``axes``: axis, limits, ValueAxis
- ``cursor``: as_number, Cell, Name, NUMBER
- ``edits``: Edit, edit, EditReader, Factor, GLOB, noted, Operation, Outcome, spell, spell_cells, WhatIf
- ``quantities``: Cells, FIGURES, Number, Operation, parse, Path, PlanFigure, Quantity, Range
"""
