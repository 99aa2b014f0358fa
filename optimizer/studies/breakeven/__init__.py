"""At which value of a cell the answer changes."""
