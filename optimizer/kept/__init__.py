"""Runs, sweeps and comparisons as folders."""
