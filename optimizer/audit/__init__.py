"""A plan recomputed from the tables alone."""
