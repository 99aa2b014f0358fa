"""The rules in ``docs/formulation.md``, from the docstrings beside them in ``models/``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from textwrap import dedent, fill
from types import ModuleType
from typing import Any

from tests.formulation.golden import VARIANTS, Stated, stated

BEGIN, END = "<!-- rules: python -m tests.docs -->\n", "<!-- end of rules -->\n"

_BLOCK = re.compile(r"^\.\. math::(.*(?:\n+(?:    .*))*)", re.MULTILINE)

_SYMBOLS = {"use": "A", "use_before": "A before", "effective_use": "E"}


def components() -> dict[str, Stated]:
    """Return every constraint and objective that the model can state, by its name."""
    found: dict[str, Stated] = {}
    for variant in VARIANTS:
        found |= stated(*variant)
    return found


def rules(family: ModuleType) -> Iterator[Callable[..., Any]]:
    """Yield a family's constraints, objectives and the expressions that they are made of, in the order of the file."""
    found = [
        function
        for function in vars(family).values()
        if inspect.isfunction(function)
        and function.__module__ == family.__name__
        and function.__annotations__.get("return") == "ExpressionBase"
    ]
    yield from sorted(found, key=lambda function: function.__code__.co_firstlineno)


def formula(rule: Callable[..., Any]) -> str:
    """Return the formula of a rule's docstring in LaTeX; blank: it has none."""
    block = _BLOCK.search(inspect.getdoc(rule) or "")
    text = dedent(block[1]).strip() if block else ""
    return f"\\begin{{aligned}}\n{text}\n\\end{{aligned}}" if "&" in text else text


def families() -> list[ModuleType]:
    """Return the modules that state rules, in the order in which the model states the first of each."""
    named = dict.fromkeys(each.rule.__module__ for each in components().values())
    return [import_module(name) for name in named]


def section() -> str:
    """Return the rules of every family as Markdown."""
    named = {each.rule: (name, each.over) for name, each in components().items()}
    lines = []
    for family in families():
        title, _, about = (family.__doc__ or "").strip().partition(": ")
        lines += [f"### {title}", "", about[:1].upper() + about[1:], ""]
        for rule in rules(family):
            lines += [*_rule(rule, named.get(rule)), ""]
    return "\n".join(lines)


def _rule(rule: Callable[..., Any], component: tuple[str, tuple[str, ...]] | None) -> Iterator[str]:
    """Yield a rule in Markdown: its name, the indices for which it is stated, its words, and its formula as a block."""
    indices = list(inspect.signature(rule).parameters)[1:]
    words = _BLOCK.sub("\0", inspect.getdoc(rule) or "")
    words = words.replace("``", "`")
    words = re.sub(r"^Return (\w)", lambda found: found[1], words)
    if component is None:
        symbol = f" (`{_SYMBOLS[rule.__name__]}`)" if rule.__name__ in _SYMBOLS else ""
        words = f"*{rule.__name__.replace('_', ' ')}*{symbol}: {words}"
    elif component[1]:
        each, sets = (", ".join(f"`{word}`" for word in named) for named in (indices, component[1]))
        words = f"**`{component[0]}`**, for each {each} of {sets}: {words}"
    else:
        words = f"**`{component[0]}`**, the objective: {words}"
    for paragraph in re.split(r"\n{2,}", words):
        text = formula(rule) if paragraph.strip() == "\0" else fill(paragraph, 120, break_long_words=False)
        yield from ("", f"```math\n{text}\n```" if paragraph.strip() == "\0" else text)


def page(kept: str) -> str:
    """Return the page with its rules made anew; the prose around them is written by hand."""
    before, begin, rest = kept.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("docs/formulation.md has lost the marks between which its rules stand")
    made = re.sub(r"\n{3,}", "\n\n", section())
    return f"{before}{BEGIN}\n{made}{END}{after}"
