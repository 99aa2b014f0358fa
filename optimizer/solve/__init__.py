"""From model to solution: matrix, solver, certificate."""
