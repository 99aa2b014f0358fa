"""Printed parts, on a terminal and as HTML by one writer.

Other rooms use:

- ``backtest``: backtest
- ``breakeven``: breakeven, evaluation, locks
- ``brief``: *, buy, caution, decisions_now, dollars, horizon, next_decision, proof, rests_on, use_of_delivered,
  value, warned
- ``claims``: figure, judged, print_claims
- ``comparison``: attribution, comparison, differences, in_short, letter
- ``decisions``: cancellations, deals, first_period, moves_before_reveal, Notices, notices, offers, TERMS,
  tree_of_moves
- ``exposure``: book, obligations, print_exposure
- ``plan``: firmness, headline, print_plan
- ``price``: price
- ``sweep``: *, decision_changes_in, hangs_on, montecarlo, sweep, tornado
- ``uncertainty``: figures, frontier, futures, heading, in_short, information, money_of, options, peak_gw_of,
  print_uncertainty
- ``values``: allowable_changes, average_prices, branches, known_means, limits, marginal_values, more_supply,
  next_gw, use_by_year, worth_by_part
"""
