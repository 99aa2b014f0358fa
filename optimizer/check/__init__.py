"""What is wrong with an instance, or decides nothing."""
