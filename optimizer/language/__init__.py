"""What planners write, read with the place of every error: edits, outcomes, axes, quantities.

Other rooms use:

- ``axes``: axis, limits, ValueAxis
- ``cursor``: Cell, Cursor, Name, NUMBER, Operation, OPERATIONS
- ``edits``: Edit, edit, Factor, GLOB, Lever, noted, Outcome, ProbabilityGiven, spell, spell_cells, WhatIf
- ``quantities``: Cells, FIGURES, Number, Operation, parse, Path, PlanFigure, Quantity, Range
"""
