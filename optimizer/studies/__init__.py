"""Questions that take many solves.

Other rooms use:

- ``attempt``: floors_in_the_way, floors_priced, Told, why_no_plan
- ``compare``: allocations, caveats, Figure, figure_differences, figures, GROUPS, inputs, refuse_unlike
- ``evaluate``: entered, evaluate, Evaluation, left_out, read_given
- ``exposure``: *, bought, exposure, Figures, Group, groups, gw_by_status, UNVERIFIED
- ``locks``: lock, lock_costs, LockCost
- ``offers``: with_offers_valued
- ``price``: Clause, MostToPay, OfferPrice, price
- ``roll``: following
- ``uncertainty``: Future, OptionValue, Point, Uncertainty, uncertainty
- ``whatif``: attribute, Attribution, compare, compared_as_json, ComparedCase, Comparison, Stack, stacks
"""
