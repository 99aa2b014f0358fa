"""A backtest: policies held against each other along paths that the tree does not have."""
