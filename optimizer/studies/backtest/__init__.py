"""A backtest: policies held against each other along paths that the tree does not have.

Other rooms use:

- ``backtest``: study
- ``paths``: delays, happening, Hazards, NO_EVIDENCE, slip
- ``policies``: policy
- ``score``: CONFIDENCE, FORESIGHT, sentences, tables
"""
