"""Spreadsheet files, opened without trust; knows no plan."""
