"""Questions that take many solves.

Other rooms use:

- ``attempt``: Told, why_no_plan
- ``compare``: allocations, caveats, Figure, figure_differences, inputs, refuse_unlike
- ``evaluate``: csv_lines, entered, evaluate, Evaluation, read_given, table_rows
- ``exposure``: *, Group, groups, gw_by_status, unverified, UNVERIFIED
- ``locks``: lock, lock_costs, LockCost
- ``roll``: actuals, refuse_other, rolled, State, state_of
- ``uncertainty``: Future, OptionValue, Point, uncertainty, Uncertainty
- ``whatif``: attribute, Attribution, compare, compared_as_json, ComparedCase, Comparison, Stack, stacks
"""
