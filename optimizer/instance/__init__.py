"""The instance: immutable tables, and edits applied to them."""
