"""The instance on its tree: dates to periods, tables to arrays."""
