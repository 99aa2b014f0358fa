"""Pictures of many cases: marks where the tables have them, and a word where there is nothing to show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from optimizer.export.charts_sweep import picture, quantile_fan
from optimizer.export.pictures import rendered
from optimizer.export.sweep_kept import unit
from optimizer.export.theme import NothingToShowError
from tests.export.test_charts import rows

BASE = {"objective_bn": 3.0}


def marks(chart: Any, kind: str) -> list[list[dict[str, Any]]]:
    """Return the rows behind each mark of a kind."""
    drawing = chart.to_dict()
    return [
        rows(drawing, {"data": drawing.get("data"), **layer})
        for layer in drawing["layer"]
        if layer["mark"]["type"] == kind
    ]


def about(**settings: Any) -> dict[str, Any]:
    """Return what a manifest says."""
    return {"instance": "made-up", "edits": [], "base": BASE, "settings": {"of": "objective_bn", **settings}}


def cases(**columns: Any) -> pd.DataFrame:
    """Return a table of cases."""
    return pd.DataFrame({"status": "optimal", **columns})


def test_a_grid_of_one_axis_is_a_line_and_of_two_a_heat_map() -> None:
    """Each case is a mark with its figure; a case without a plan is left blank and counted."""
    one = cases(a=[1.0, 2.0, 3.0], objective_bn=[2.0, 3.0, np.nan])
    one.loc[2, "status"] = "infeasible"
    chart = picture("sweep", {"cases": one}, about(axes=["a"]))
    assert marks(chart, "line") == [[{"x": 1.0, "y": 2.0}, {"x": 2.0, "y": 3.0}, {"x": 3.0, "y": None}]]
    assert "1 of 3 cases have no plan" in str(chart.to_dict()["title"])
    two = cases(a=[1.0, 1.0, 2.0, 2.0], b=["x", "y", "x", "y"], objective_bn=[1.0, 2.0, 3.0, np.nan])
    chart = picture("sweep", {"cases": two}, about(axes=["a", "b"]))
    cells = {(row["row"], row["column"]): row["text"] for row in marks(chart, "rect")[0]}
    assert cells == {("1", "x"): "1", ("1", "y"): "2", ("2", "x"): "3", ("2", "y"): "none"}
    assert rendered(chart, ".svg").startswith(b"<svg") and rendered(chart, ".png").startswith(b"\x89PNG")
    for axes, table in ((["a", "b", "c"], two), (["a"], one.assign(objective_bn=np.nan))):
        with pytest.raises(NothingToShowError):
            picture("sweep", {"cases": table}, about(axes=axes))


def test_a_tornado_has_the_widest_bar_on_top_and_starts_at_the_base() -> None:
    """Every bar goes from the base to the case; inputs that make no difference are counted, not drawn."""
    table = pd.DataFrame(
        {
            "input": ["broken", "small", "large", "none"],
            "down": [np.nan, 2.9, 1.0, 3.0],
            "up": [3.5, 3.1, 4.0, 3.0],
            "swing": [0.5, 0.2, 3.0, 0.0],
            "reason": ["down: infeasible", "", "", ""],
        }
    )
    chart = picture("tornado", {"tornado": table}, about(by=0.1))
    bars = [(row["input"], row["way"], row["from"], row["to"]) for row in marks(chart, "bar")[0]]
    assert bars == [
        ("large", "down", 3.0, 1.0), ("large", "up", 3.0, 4.0), ("broken", "up", 3.0, 3.5),
        ("small", "down", 3.0, 2.9), ("small", "up", 3.0, 3.1),
    ]  # fmt: skip
    told = str(chart.to_dict()["title"])
    assert "1 more with less or no difference" in told and "10% down and up" in told


@pytest.mark.parametrize("lines", [True, False])
def test_a_fan_has_a_band_for_each_pair_of_quantiles(lines: bool) -> None:
    """Bands lie between quantiles as far below as above the median, places in the order given."""
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    table = pd.DataFrame(
        [(year, level, year + level) for year in (2028, 2027) for level in levels],
        columns=["group", "quantile", "value"],
    )
    chart = quantile_fan(table, "made up", lines=lines)
    outer, inner = marks(chart, "area" if lines else "bar")
    assert outer == [{"place": f"{y}", "low": y + 0.05, "high": y + 0.95} for y in (2028, 2027)]
    assert inner == [{"place": f"{y}", "low": y + 0.25, "high": y + 0.75} for y in (2028, 2027)]
    assert marks(chart, "line" if lines else "tick")[0] == [{"place": f"{y}", "low": y + 0.5} for y in (2028, 2027)]
    assert rendered(chart, ".svg").startswith(b"<svg")


def test_a_kind_without_a_picture_says_so() -> None:
    """A sweep that cannot be drawn is not drawn as another."""
    with pytest.raises(NothingToShowError, match="no picture of a breakeven"):
        picture("breakeven", {}, about())


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("objective_bn", "$bn"),
        ("expected_gw_years[a @ b]", "GW-years"),
        ("value[pathway=deals].value_bn_per_gw_year @ 2027-01-01", "$bn per GW-year"),
        ("value[pathway=deals].value_bn_per_gw_year *= @ 2027-01-01", ""),
        ("first_period_gw[ads]", "GW"),
        ("pathways.ramp_gw_per_month", "GW per month"),
        ("status", ""),
    ],
)
def test_a_column_tells_its_unit(column: str, expected: str) -> None:
    """A unit is that of the cell; a factor has none."""
    assert unit(column) == expected
