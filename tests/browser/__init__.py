"""Reports in real Chromium, without a network."""
