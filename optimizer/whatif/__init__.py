"""Analyses that solve an instance many times, each case from the base's optimal basis."""
