"""Questions that take many solves."""
