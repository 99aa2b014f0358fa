"""Instances in folders and workbooks, read and written."""
