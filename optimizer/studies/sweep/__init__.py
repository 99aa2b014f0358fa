"""Many cases of one instance: grids, draws, tornados.

Other rooms use:

- ``draws``: correlation, correlations_of, Draw, draw, draws_of, fitting, matrix, shares
- ``engines``: Cluster, InProcess, Processes
- ``grid``: axes, grid, written
- ``journal``: discard, Journal
- ``montecarlo``: *, CONFIDENCE, study, tables
- ``sweep``: Engine, OPTIMAL, Results, run, Store, Study, Task
- ``tornado``
- ``worker``: Row, Worker
"""
