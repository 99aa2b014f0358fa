"""Runs, sweeps and comparisons as folders.

Other rooms use:

- ``record``: about, FORMULA, plain, table_csv, versions
- ``run``: COMPARISON, keep, keep_comparison, KIND, read_run, Run
- ``stay_near``: left_free, Planned, stay_near
- ``sweep``: CASES, in_words, keep, KeptSweep, KIND, label, read_sweep, unit, unit_behind, with_unit
"""
