"""What a solution means."""
