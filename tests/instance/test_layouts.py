"""What is made of tables is made again where a cell that it reads has changed, and only there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import optimizer as gw
from optimizer.instance.calendar import calendar_of
from optimizer.instance.layouts import _READS, Layouts
from optimizer.instance.timeline import timeline

INSTANCES = sorted((Path(__file__).resolve().parents[2] / "instances").iterdir())


@pytest.mark.parametrize("folder", INSTANCES, ids=lambda folder: str(folder.name))
def test_makers_read_the_columns_that_they_name(folder: Path) -> None:
    """Arrays are kept by the columns that they are made of: a column read unnamed would leave them out of date."""
    instance = gw.load(folder)
    names, calendar = timeline(instance).names, calendar_of(instance)
    sections = {name: instance.tables[name] for name in ("instance", "calendar", "economics", "risk")}
    for make, columns in _READS.items():
        allowed = [column.split(".") for column in columns]
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
    assert not np.array_equal(after.cost, before.cost)
    plain = timeline(edited).data
    np.testing.assert_array_equal(after.cost, plain.cost)
    np.testing.assert_array_equal(after.terminal_rate, plain.terminal_rate)
