"""Drawings that pictures and reports share."""
