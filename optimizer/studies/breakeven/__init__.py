"""At which value of a cell the answer changes.

Other rooms use:

- ``breakeven``: *, Breakeven, breakeven, PlanChanges, Threshold
- ``cases``: Break, EXACT, PlanChanges, Search, Threshold
"""
