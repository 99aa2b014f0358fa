"""What uncertainty costs, and what being able to react is worth."""
