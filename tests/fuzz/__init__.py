"""Fuzzing of instance files, guided by which lines of the package they reach."""
