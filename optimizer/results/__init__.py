"""What a solution means: tables, figures, marginal values, and their audit."""
