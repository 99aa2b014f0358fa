"""A plan on paper: terminal, tables, pictures."""
