"""The catalogue in words: what a column takes, what a blank means. The format page and the starter share them."""

from __future__ import annotations

from optimizer.catalogue.tables import Column
from optimizer.instance.cells import range_rule, shown


def type_words(column: Column) -> str:
    """Return what the cells of a column are."""
    kinds = {"text": "text", "number": "number", "integer": "whole number", "date": "date", "flag": "true or false"}
    return "one of " + ", ".join(f"`{choice}`" for choice in column.choices) if column.choices else kinds[column.kind]


def default_words(column: Column) -> str:
    """Return what a blank cell of a column stands for."""
    if column.required:
        return "required"
    if column.default is None:
        return "none"
    return "blank" if column.default == "" else shown(column.default)


def rule_words(column: Column) -> str:
    """Return the rules on a column beside its type, blank where there are none."""
    rules = [range_rule(column)] if range_rule(column) else []
    if column.refers_to:
        rules.append(f"a name in `{column.refers_to}.csv`")
    return "; ".join(rules)


def one_line(column: Column) -> str:
    """Return unit, default and rule of a column as the comment that stands beside it."""
    parts = [column.unit, type_words(column).replace("`", ""), f"default {default_words(column)}", rule_words(column)]
    if column.required:
        parts[2] = "required"
    return "; ".join(part for part in parts if part)
