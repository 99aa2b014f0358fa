"""Printed parts, on a terminal and as HTML by one writer."""
