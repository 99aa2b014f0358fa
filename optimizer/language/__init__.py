"""What planners write, read with the place of every error: edits, outcomes, axes, quantities."""
