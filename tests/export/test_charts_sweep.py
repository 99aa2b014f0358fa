"""Pictures of many cases: marks where the tables have them, and a word where there is nothing to show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gwplan.kept.sweep import unit
from gwplan.show.charts.drawing import Drawing, Frame
from gwplan.show.charts.pictures import rendered
from gwplan.show.charts.sweep import chart as chart_of
from gwplan.show.charts.sweep import frontier, quantile_fan
from gwplan.show.theme import DARK_ON, NothingToShowError, contrast, in_dark, ink_on, shades
from gwplan.show.vega import as_altair
from gwplan.studies.uncertainty import Point
from tests.export.test_charts import rows

BASE = {"objective_bn": 3.0}


def marks(chart: Any, kind: str) -> list[list[dict[str, Any]]]:
    """Return the rows behind each mark of a kind."""
    drawing = as_altair(chart).to_dict()
    return [
        rows(drawing, {"data": drawing.get("data"), **layer})
        for layer in drawing["layer"]
        if layer["mark"]["type"] == kind
    ]


def picture(kind: str, tables: dict[str, pd.DataFrame], told: dict[str, Any]) -> Any:
    """Return the picture of a sweep."""
    return chart_of(kind, tables, told).picture_of("made-up")


def spots(drawing: Drawing) -> list[dict[str, Any]]:
    """Return the places to point at, which the rows of the table tell of in their order."""
    assert drawing.spots is not None
    (layer,) = drawing.spots(Frame(page=True))
    found = [dict(row) for row in layer.rows]
    assert len(found) == len(drawing.figures.rows)
    return found


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
    assert marks(chart, "line") == [[{"x": 1.0, "y": 2.0}, {"x": 2.0, "y": 3.0}]]
    assert marks(chart, "point")[1] == [{"x": 3.0}]
    assert "1 of 3 cases have no plan" in str(chart["title"])
    two = cases(a=[1.0, 1.0, 2.0, 2.0], b=["x", "y", "x", "y"], objective_bn=[1.0, 2.0, 3.0, np.nan])
    chart = picture("sweep", {"cases": two}, about(axes=["a", "b"]))
    cells = {(row["row"], row["column"]): row["text"] for band in marks(chart, "rect") for row in band}
    assert cells == {("1", "x"): "1.00", ("1", "y"): "2.00", ("2", "x"): "3.00", ("2", "y"): "none"}
    assert rendered(chart, ".svg").startswith(b"<svg") and rendered(chart, ".png").startswith(b"\x89PNG")
    for axes, table in ((["a", "b", "c"], two), (["a"], one.assign(objective_bn=np.nan))):
        with pytest.raises(NothingToShowError):
            picture("sweep", {"cases": table}, about(axes=axes))


def test_a_tornado_has_the_widest_bar_on_top_and_starts_at_the_base() -> None:
    """Every bar goes from the base to the case; inputs that make no difference are counted, not drawn."""
    table = pd.DataFrame(
        {
            "input": ["broken", "small", "large", "none", "aside"],
            "range": "0.1",
            "status": "",
            "down": [np.nan, 2.9, 1.0, 3.0, 2.8],
            "up": [3.5, 3.1, 4.0, 3.0, 2.6],
            "swing": [0.5, 0.2, 3.0, 0.0, 0.4],
            "first_moves_changed_gw": 0.0,
            "reason": ["down: infeasible", "", "", "", ""],
        }
    )
    chart = picture("tornado", {"tornado": table}, about(by=0.1))
    bars = [[(row["input"], row["from"], row["to"]) for row in layer] for layer in marks(chart, "bar")]
    assert bars == [
        [("large", 3.0, 1.0), ("small", 3.0, 2.9)],
        [("aside", 3.0, 2.8)],
        [("large", 3.0, 4.0), ("broken", 3.0, 3.5), ("small", 3.0, 3.1)],
        [("aside", 3.0, 2.6)],
    ]
    drawing = chart_of("tornado", {"tornado": table}, about(by=0.1))
    names = [row["input"] for row in spots(drawing)]
    assert names == ["large", "broken", "aside", "small"] == [row[0] for row in drawing.figures.rows]
    assert drawing.figures.rows[1][3:6] == ["none", "3.50", "0.50"]
    told = str(chart["title"])
    assert "1 more with less or no difference" in told and "10% down and up" in told


def test_names_of_inputs_are_only_names() -> None:
    """Names that end alike, or look like words of the chart's language, are drawn apart and as they are."""
    names = ["a" * 60 + "b" * 60, "a" * 60 + "c" + "b" * 60, "__proto__", "\"]) </script> \\ \u2028 '"]
    table = pd.DataFrame({"input": names, "range": "0.1", "status": "", "down": 1.0, "up": 4.0, "swing": 3.0,
                          "first_moves_changed_gw": 0.0, "reason": ""})  # fmt: skip
    chart = picture("tornado", {"tornado": table}, about(by=0.1))
    drawn = [row["input"] for row in marks(chart, "bar")[0]]
    assert len(set(drawn)) == 4 and drawn[2] == names[2] and drawn[3].startswith('"]) </script>')
    assert rendered(chart, ".svg").startswith(b"<svg")


def test_every_case_can_be_pointed_at() -> None:
    """Places along a line fill it without overlap, those of a heat map are its cells; both as in the table."""
    one = cases(a=[1.0, 4.0, 2.0], objective_bn=[2.0, np.nan, 3.0])
    line = chart_of("sweep", {"cases": one}, about(axes=["a"]))
    assert [(spot["x"], spot["until"]) for spot in spots(line)] == [(1.0, 1.5), (3.0, 4.0), (1.5, 3.0)]
    assert [row[1] for row in line.figures.rows] == ["2.00", "-", "3.00"]
    blank = chart_of("sweep", {"cases": one.assign(a=[1.0, np.nan, 2.0])}, about(axes=["a"]))
    assert [spot["x"] for spot in spots(blank)] == ["1", "as in the base", "2"]
    two = cases(a=[1.0, 1.0, 2.0], b=["x", "y", "x"], objective_bn=[1.0, np.nan, 3.0])
    heat = chart_of("sweep", {"cases": two}, about(axes=["a", "b"]))
    assert [(spot["row"], spot["column"]) for spot in spots(heat)] == [(row[1], row[2]) for row in heat.figures.rows]


def test_words_upon_a_shade_are_read_on_light_and_on_dark_pages() -> None:
    """Words have a contrast of 4 to 1 upon every shade, light upon the darkest and dark upon the lightest."""
    for shade, ink in [(shade, ink_on(shade)) for shade in shades(6)]:
        assert contrast(shade, ink) >= 4 and contrast(in_dark(shade), in_dark(ink)) >= 4
    assert contrast(ink_on(shades(6)[0]), "#ffffff") < 1.1 and ink == DARK_ON


def test_a_fan_has_a_band_for_each_pair_of_quantiles() -> None:
    """Bands lie between quantiles as far below as above the median, places in the order given."""
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    table = pd.DataFrame(
        [(year, level, year + level) for year in (2028, 2027) for level in levels],
        columns=["group", "quantile", "value"],
    )
    drawing = quantile_fan(table, "made up")
    chart = drawing.picture_of("it")
    outer, inner = marks(chart, "bar")
    assert outer == [{"place": f"{y}", "low": y + 0.05, "high": y + 0.95} for y in (2028, 2027)]
    assert inner == [{"place": f"{y}", "low": y + 0.25, "high": y + 0.75} for y in (2028, 2027)]
    assert marks(chart, "tick")[0] == [{"place": f"{y}", "low": y + 0.5} for y in (2028, 2027)]
    assert [spot["place"] for spot in spots(drawing)] == ["2028", "2027"]
    assert rendered(chart, ".svg").startswith(b"<svg")


def test_a_frontier_names_the_aversions_of_each_plan() -> None:
    """Aversions with the same plan stand together at its point; the instance's own is marked."""
    points = [Point(a, 0.0, e, w, {}, 0.0, 0.0) for a, e, w in ((0.0, 9.0, 4.0), (0.3, 9.0, 4.0), (0.5, 8.0, 6.0))]
    drawing = frontier(points, 0.1, 0.5)
    chart = drawing.picture_of("it")
    assert [row["name"] for row in marks(chart, "text")[0]] == ["0, 0.3", "0.5"]
    assert [(row["worst"], row["expected"]) for row in marks(chart, "point")[1]] == [(6.0, 8.0)]
    assert [row["name"] for row in spots(drawing)] == ["0", "0.3", "0.5"]


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


def test_a_monte_carlo_is_a_histogram_of_its_draws() -> None:
    """Bars count the draws that have a plan, from 0 up; base and quantiles are ruled, draws without a plan are told."""
    worth = [*np.linspace(1.0, 5.0, 80), np.nan]
    spread = pd.DataFrame({"figure": "objective_bn", "quantile": [0.05, 0.95], "value": [1.2, 4.8]})
    tables = {"cases": cases(objective_bn=worth), "quantiles": spread}
    tables["cases"].loc[80, "status"] = "infeasible"
    drawing = chart_of("montecarlo", tables, about(seed=7))
    counts = [int(row[1]) for row in drawing.figures.rows]
    assert sum(counts) == 80 and max(counts) - min(counts) <= 2
    assert [row["top"] for row in marks(drawing.picture_of("it"), "bar")[0]] == counts
    assert [rule[0]["low"] for rule in marks(drawing.picture_of("it"), "rule")] == pytest.approx([3, 3, 1.2, 4.8])
    assert drawing.finding == "In 90 % of draws the plan is worth $1.20bn to $4.80bn"
    assert any("1 of 81 cases have no plan" in line for line in drawing.subtitle)
    assert len(spots(drawing)) == len(counts)
    with pytest.raises(NothingToShowError):
        chart_of("montecarlo", {"cases": cases(objective_bn=[np.nan])}, about(seed=7))
