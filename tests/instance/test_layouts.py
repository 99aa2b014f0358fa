"""What is made of tables is made again where a cell that it reads has changed, and only there."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import gwplan as gw
from gwplan.check.check import check
from gwplan.tree.arrays import MAKERS
from gwplan.tree.calendar import calendar_of
from gwplan.tree.layouts import Layouts
from gwplan.tree.timeline import timeline
from tests.generate import random_instance

INSTANCES = sorted((Path(__file__).resolve().parents[2] / "instances").iterdir())


@pytest.mark.parametrize("folder", INSTANCES, ids=lambda folder: str(folder.name))
def test_makers_read_the_columns_that_they_name(folder: Path) -> None:
    """Arrays are kept by the columns that they are made of: a column read unnamed would leave them out of date."""
    instance = gw.load(folder)
    names, calendar = timeline(instance).names, calendar_of(instance)
    sections = {name: instance.tables[name] for name in ("instance", "calendar", "economics", "risk")}
    for maker in MAKERS:
        make = maker.make
        allowed = [column.split(".") for column in maker.columns]
        tables = {
            table: instance.filled(table)[[column for name, column in allowed if name == table]]
            for table in {name for name, _ in allowed}
        }
        bare = replace(instance, tables={**sections, **tables}, present=instance.present | {"eligibility"})
        bare.__dict__["_filled"] = tables
        expected = make(instance, names, calendar)
        for name, array in make(bare, names, calendar).items():
            np.testing.assert_array_equal(array, expected[name])


def test_equal_cells_are_the_same_where_contents_count() -> None:
    """An edit of one column leaves what is made of the others as it was, object for object; its own is made again."""
    instance = gw.load(INSTANCES[0].parent / "meta-2026h1")
    edited = instance.edited("contracts.cost_bn_per_gw_year *= 2")
    layouts = Layouts(by_content=True)
    before = timeline(instance, layouts).data
    after = timeline(edited, layouts.forked()).data
    assert after.delivered is before.delivered and after.window is before.window
    assert not np.array_equal(after.bill, before.bill)
    plain = timeline(edited).data
    np.testing.assert_array_equal(after.bill, plain.bill)
    np.testing.assert_array_equal(after.terminal, plain.terminal)


EDITS = (
    "pathways.notice_days = 40",
    "calendar.periods = 3",
    "calendar.start = 2030-01-01",
    "demand.floor_gw *= 3",
    "demand.cap_gw = 0.01",
    "deliveries.date += 4 months",
    "contracts.delay_months += 3",
    "locks.min_gw = 5",
)


def told(instance: gw.Instance) -> tuple[object, ...]:
    """Return all that checking and laying out say of an instance."""
    try:
        data = timeline(instance).data
    except gw.InstanceError as error:
        return check(instance), str(error)
    values = {field.name: getattr(data, field.name) for field in fields(data)}
    arrays = {name: (value.shape, value.tobytes()) for name, value in values.items() if isinstance(value, np.ndarray)}
    return check(instance), arrays


@pytest.mark.parametrize("seed", range(4))
def test_what_was_found_in_reading_is_never_told_of_other_tables(seed: int, tmp_path: Path) -> None:
    """An instance edited from one that was read shares its memory, and says what it would say without."""
    base = gw.load(random_instance(seed, tmp_path / "random"))
    cases = [base, base.deterministic(), replace(base, factors=base.factors[::-1])]
    cases += [base.given({factor.name: factor.outcomes[-1].name}) for factor in base.factors[:1]]
    for at, text in enumerate(EDITS):
        with contextlib.suppress(gw.InstanceError):  # not every table has rows
            cases.append(cases[(at + seed) % len(cases)].edited(text))
    for case in cases:
        assert case.checked is not None
        assert told(case) == told(replace(case, checked=None))


def test_a_copy_for_another_process_remembers_nothing() -> None:
    """What is remembered is found by where tables stand in memory, where other tables stand in another process."""
    layouts = Layouts(by_content=True)
    timeline(gw.load(INSTANCES[0]), layouts)
    copied = copy.copy(layouts)
    assert layouts._made and not copied._made and copied._by_content
