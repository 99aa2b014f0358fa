"""Every name that the product knows: tables and columns, sheets, tables of a plan.

Other rooms use:

- ``limits``: BY_KIND, DEMANDS, Limit, LIMITS, ONE_OFF, PER_YEAR, PRICED
- ``money``: COSTS, MONEY, NOT_CASH, OF_A_PATHWAY, PRICES
- ``plan_tables``: Column, COLUMNS, dtypes, MEANING
- ``tables``: ABOUT, allowed_columns, ANNOTATIONS, Column, EDITABLE_ONLY_BY_WHATIF, Kind, KNOWN_SHEETS,
  OUTCOME_EDITS, OUTCOMES, PER_GW, RATE, reading, Scalar, SCHEMA_VERSION, SETTINGS, SHEETS, Table, TABLES,
  VALUE_FACTORS, WHATIF_EDITS, WHATIFS
- ``tolerances``: BRACKET, CHANGES, DECIDED, DIGITS, DOUBLE, DUALS, EDGE, EPSILON, FEASIBLE, KILOWATT, LET_BE,
  MEGAWATT, MORE_STEPS, ONE_CELL, PROVED, ROUNDING, SLOPE, THREE_DECIMALS, TWO_DECIMALS
"""
