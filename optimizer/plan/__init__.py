"""What a solution means.

Other rooms use:

- ``claims``: *, Claim, figures, HOLDS, judged, STATUSES
- ``firmness``: Alternatives, alternatives
- ``first_moves``: Branch, ENDED, first_moves, IDLE, Move, NEW
- ``marginals``: disagreements, row_name
- ``obligations``: BOOK, book, Owed, owed
- ``plan``: cancelled_gw, decision_tables, expected_bn, make_plan, Plan, summarise
- ``tables``: cvar, decision_changes, first_period_gw, flows, gained, leaf_tail_periods, leaf_worth, makers,
  mean_use, quantile, QUANTILES, weighed, year_weights
- ``values``: carried, Decided, of_contracts, Values, values
"""
