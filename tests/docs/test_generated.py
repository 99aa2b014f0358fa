"""Pages made from the code are what the code says, and the formulas say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import gwplan as gw
from gwplan.cli import COMMANDS, main
from tests.docs.formulation import components, families, formula, rules
from tests.docs.generated import DOCS, PAGES
from tests.formulation.golden import GOLDEN

STANDS_FOR = {"A": {"allocate"}, "E": {"allocate"}}
"""Symbols of the formulas that are sums of variables."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_up_to_date(page: Path) -> None:
    """Pages made from the code are as the code is today: ``python -m tests.docs`` writes them."""
    assert page.read_text(encoding="utf-8") == PAGES[page]()


def test_every_rule_has_a_formula_and_says_its_unit() -> None:
    """Constraints, objectives and what they are made of say their mathematics and their unit beside the code."""
    for family in families():
        for rule in rules(family):
            assert formula(rule), f"{rule.__name__} has no formula"
            about = rule.__doc__ or ""
            assert re.search(r"GW|\$bn|\(share\)", about), f"{rule.__name__} says no unit"


def variables(name: str) -> frozenset[str]:
    """Return the variables that the golden LP files of a rule use: its own, and that on offers where there is one."""
    paths = [path for path in (GOLDEN / f"{name}.lp", GOLDEN / f"{name}_of_offers.lp") if path.exists()]
    bodies = [path.read_text(encoding="utf-8").split("\nbounds")[0] for path in paths]
    return frozenset(re.findall(r"^[+-]\S+ ([a-z_]+)(?:\(|$)", "\n".join(bodies), flags=re.MULTILINE))


def named(written: str) -> set[str]:
    """Return the names in a formula, and the variables that its symbols stand for."""
    told = {re.sub(r"\\[ _]", "_", word) for word in re.findall(r"\\mathrm\{([^}]*)\}", written)}
    for symbol, means in STANDS_FOR.items():
        if re.search(rf"(?<![A-Za-z\\]){symbol}_", written):
            told |= means
    return told


def in_worth() -> set[str]:
    """Return the names in the formulas of the expressions that worth is made of, none of which is a rule by itself."""
    stated = {each.rule for each in components().values()}
    parts = [rule for family in families() for rule in rules(family) if rule not in stated]
    return set().union(*(named(formula(rule)) for rule in parts))


@pytest.mark.parametrize("name", sorted(name for name, each in components().items() if each.over))
def test_a_formula_names_the_variables_that_its_rule_uses(name: str) -> None:
    """A rule's golden LP file and its formula have the same variables, so that neither can move alone."""
    told = named(formula(components()[name].rule))
    if "node_worth" in told:
        told |= in_worth()
    known = frozenset().union(*(variables(path.stem) for path in GOLDEN.glob("*.lp")))
    assert told & known == variables(name)


def test_the_formulas_of_worth_name_all_that_the_objective_is_made_of() -> None:
    """What enters the objective's golden LP file stands in one of the formulas that it is built from."""
    assert variables("expected_worth") <= in_worth()


def test_every_command_and_option_is_on_the_page() -> None:
    """What can be typed can be looked up."""
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None and f"## gwplan {name}\n" in page
        for option in command.params:
            assert not isinstance(option, click.Option) or f"`{option.opts[0]}" in page, (name, option.opts)


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    """What can be imported can be looked up."""
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    for name in gw.__all__:
        assert re.search(rf"^\.\. auto\w+:: [\w.]+\.{name}$", page, flags=re.MULTILINE), name
