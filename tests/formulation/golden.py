"""Write each rule of the model as an LP file, alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pyomo.environ import ConcreteModel, Constraint, Objective

import gwplan as gw
from gwplan import models
from gwplan.instance.instance import Earlier
from gwplan.kept.record import read_table
from gwplan.models.data import PlanData
from gwplan.tree.timeline import timeline

HERE = Path(__file__).resolve().parent
EVERY_RULE = HERE / "every-rule"
EVERY_OFFER = HERE / "every-offer"
EVERY_TERM = HERE / "every-term"
GOLDEN = HERE / "golden"
OF_OFFERS = ("signed_stands", "whole", "in_service", "least_signed", "taken_least", "taken_most", "served")
"""Constraints of what is signed, extended, given back and sold: their files are made from an instance of their own."""
MORE = {f"{rule}_of_offers": rule for rule in ("balance", "expected_worth", "cumulative_worth")}
"""Files of that instance for rules that have one already."""
OF_TERMS = "expected_worth_of_terms"
"""The file of the instance in which contracts are paid as filed."""
AVERSIONS = {"expected_worth": 0.0, "risk_averse_worth": 0.25}
"""Each objective, by the name of its rule, with an aversion for which the model has it."""
RESTRICTIONS = {"same_split": "rigid", "owned": "dedicated", "parts_of_one": "dedicated"}
"""Each constraint of a plan with less freedom, with the restriction for which the model has it."""
VARIANTS = [(aversion, kind) for aversion in AVERSIONS.values() for kind in ("", *sorted({*RESTRICTIONS.values()}))]
"""Aversions and restrictions that between them have every constraint."""

_NUMBER = re.compile(r"(?<=[ +-])\d+\.\d+(e[+-]?\d+)?")


EARLIER = """\
node,period,start,known,probability,pathway,pool,gw
0,0,2026-01-01,,1,training,cloud,0.45
0,0,2026-01-01,,1,deals,cloud,0.35
1,1,2026-04-01,,1,training,hall,0.65
3,2,2026-07-01,market=glut,0.75,training,cloud,0.55
"""
"""An earlier plan that said nothing of the tight market."""


@cache
def data(aversion: float, *, offers: bool = False, terms: bool = False) -> PlanData:
    """Return the data of the instance in which every rule has something to say, every rule on offers, or every term."""
    if offers or terms:
        return timeline(gw.load(EVERY_TERM if terms else EVERY_OFFER).edited(f"risk.aversion = {aversion}")).data
    near = Earlier(read_table("allocation", EARLIER.encode()), "quarter", move_cost_bn_per_gw_year=1.9)
    return timeline(replace(gw.load(EVERY_RULE).edited(f"risk.aversion = {aversion}"), earlier=near)).data


@dataclass(frozen=True)
class Stated:
    """A constraint or objective as `build` states it: its rule, and the names of the sets that it runs over."""

    rule: Callable[..., Any]
    over: tuple[str, ...] = ()


def stated(aversion: float, restriction: str) -> dict[str, Stated]:
    """Return what `build` states, also constraints with nothing to say, by name, and the objective by its rule's."""
    found: dict[str, Stated] = {}
    constrain = models.constrain

    def noted(m: ConcreteModel, name: str, rule: Callable[..., Any], *over: Any) -> None:
        found[name] = Stated(rule, tuple(indices.name for indices in over))
        constrain(m, name, rule, *over)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "constrain", noted)
        model = models.build(models.terms(data(aversion), restriction))
    assert set(found) >= {constraint.name for constraint in model.component_objects(Constraint)}
    for objective in model.component_objects(Objective):
        found[objective.rule._fcn.__name__] = Stated(objective.rule._fcn)
    return found


def text(component: str) -> str:
    """Return the LP file of one constraint under no objective, or of one objective under no constraint.

    Numbers are rounded to 12 digits, which hides how sums are rounded and nothing else.
    """
    offers, terms = component in OF_OFFERS or component in MORE, component == OF_TERMS
    component = {**MORE, OF_TERMS: "expected_worth"}.get(component, component)
    aversion = AVERSIONS.get(component, max(AVERSIONS.values()))
    model = models.build(models.terms(data(aversion, offers=offers, terms=terms), RESTRICTIONS.get(component, "")))
    for constraint in model.component_objects(Constraint):
        constraint.deactivate()
    if component not in AVERSIONS:
        model.component(component).activate()
        model.objective.deactivate()
        model.none = Objective(expr=0)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "one.lp"
        model.write(str(path), io_options={"symbolic_solver_labels": True})
        written = path.read_text(encoding="utf-8")
    return _NUMBER.sub(lambda number: f"{float(number[0]):.12g}", written)


def write_all() -> list[Path]:
    """Write every golden file anew, drop those of rules that are gone, and return the files."""
    GOLDEN.mkdir(exist_ok=True)
    names = {OF_TERMS, *MORE}.union(*(stated(*variant) for variant in VARIANTS))
    for stale in GOLDEN.glob("*.lp"):
        if stale.stem not in names:
            stale.unlink()
    for name in sorted(names):
        (GOLDEN / f"{name}.lp").write_text(text(name), encoding="utf-8")
    return sorted(GOLDEN.glob("*.lp"))
