"""Many cases of one instance: grids, draws, tornados."""
