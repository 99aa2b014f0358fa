"""A backtest: policies held against each other along paths that the tree does not have.

Other rooms use:

- ``backtest``: *, study
- ``functions``: Decides
- ``paths``: delays, happening, Hazards, NO_EVIDENCE, slip
- ``policies``: policy, rank
- ``score``: CONFIDENCE, FORESIGHT, tables
"""
