"""The pictures beside that of the plan: true to the tables, units on them, all in one folder."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gwplan.kept.run import Run
from gwplan.problems import InstanceError
from gwplan.show import theme
from gwplan.show.charts import pictures
from gwplan.show.charts.money import marginal_values, obligations_by_year
from gwplan.show.charts.over_time import idle_over_time
from gwplan.show.charts.position import KINDS, capacity_by_year, price_premium, signed_by_quarter
from gwplan.show.text.values import known_means
from gwplan.show.view import View
from tests.export.test_charts import lightness, pictured, rows, texts


@pytest.fixture(scope="module")
def run(reference_run: Run) -> Run:
    """Return a run of the reference instance."""
    return reference_run


@pytest.fixture(scope="module")
def bare(small_run: Run) -> Run:
    """Return a run of an instance without prices, vendors and dates of signature."""
    return small_run


def heights(drawing: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the height of each bar of a stack by the name of its layer and its place."""
    bars = [layer for layer in drawing["layer"] if layer["mark"]["type"] == "bar"]
    names = [rows(drawing, layer)[0]["text"] for layer in drawing["layer"] if _beside(layer)]
    found: dict[str, dict[str, float]] = {}
    for name, bar in zip(reversed(names), bars, strict=True):
        found[name] = {row["place"]: row["top"] - row["bottom"] for row in rows(drawing, bar)}
    return found


def _beside(layer: dict[str, Any]) -> bool:
    return layer["mark"]["type"] == "text" and "value" in layer["encoding"].get("x", {})


def test_signed_gw_are_the_contracts(run: Run) -> None:
    """Bars add up to each kind's GW, and those of the first half of 2026 to what the report counts."""
    found = heights(pictured(signed_by_quarter, run))
    contracts = run.instance.filled("contracts").set_index("contract")
    gw = run.instance.filled("deliveries").groupby("contract")["gw"].sum()
    for kind in ("cloud", "colocation", "self_build"):
        names = contracts.index[contracts["kind"] == kind]
        assert sum(found[KINDS[kind]].values()) == pytest.approx(gw.reindex(names).sum())
    half = [found[KINDS[kind]][f"2026 Q{q}"] for kind in ("cloud", "colocation") for q in (1, 2)]
    assert sum(half) == pytest.approx(5.2)
    told = pictured(signed_by_quarter, run)["title"]["subtitle"][1]
    assert "5.2 GW of cloud and colocation in the first half of 2026" in told


def test_capacity_adds_up_to_what_is_delivered(run: Run) -> None:
    """Uses, idle and cancelled GW of a year are its mean supply; before the plan they are its deliveries."""
    found = heights(pictured(capacity_by_year, run))
    total: dict[str, float] = defaultdict(float)
    for layer in found.values():
        for place, gw in layer.items():
            total[place] += gw
    supply = run.tables["supply"]
    delivered = (supply["delivered_gw"] * supply["probability"]).groupby(supply["start"]).sum().reset_index(name="gw")
    for label, year in (("2026 Jul-Dec", 2026), ("2027", 2027), ("2029", 2029)):
        assert total[label] == pytest.approx(delivered["gw"][delivered["start"].dt.year == year].mean())
    deliveries = run.instance.filled("deliveries")
    early = deliveries[deliveries["date"] < "2026-01-01"]
    months = sum(gw * (13 - date.month) for gw, date in zip(early["gw"], early["date"], strict=True))
    assert total["2025"] == pytest.approx(months / 12)
    years = {p: sum(layer.values()) for p, layer in found.items()}
    uses = {"msl", "ads", "platform", "deals"}
    assert set(years) == {"in service before the plan", *uses, "idle", "cancelled"}


def test_premium_is_that_of_the_prices(run: Run) -> None:
    """Each tier stands with its price, its multiple of the typical price and what of it is realised."""
    labels = texts(pictured(price_premium, run))
    assert labels[0] == "1.20 · 1.0 x"
    assert "4.80 · 4.0 x · 2.88 realised" in labels and "3.10 · 2.6 x · 1.86 realised" in labels


def test_obligations_are_the_table(run: Run) -> None:
    """Bars of a year add up to what is owed as signed, the hatched part to what the plan cancels."""
    found = heights(pictured(obligations_by_year, run))
    table = run.tables["obligations"].groupby("year")[["as_signed_bn", "after_cancellation_bn"]].sum()
    for year, row in table.iterrows():
        assert sum(layer[str(year)] for layer in found.values()) == pytest.approx(row["as_signed_bn"])
        saved = row["as_signed_bn"] - row["after_cancellation_bn"]
        assert found["cancelled by the plan"][str(year)] == pytest.approx(saved, abs=1e-9)


def test_marginal_values_are_those_printed(run: Run) -> None:
    """The thick line is the mean of each year that the printed plan shows, the thin one averages to it."""
    drawing = pictured(marginal_values, run)
    view = View(run.plan)
    values = view.marginal("supply")
    means = known_means(view, values, view.spans(99))
    pools = [" ".join(chart["title"]["text"]) for chart in drawing["concat"]]
    assert sorted(pools) == sorted(values.names)
    for pool, chart in zip(pools, drawing["concat"], strict=True):
        thick = next(layer for layer in chart["layer"] if layer["mark"].get("strokeWidth") == 2.6)
        drawn = [row["top"] for row in rows(drawing, thick)]
        assert list(dict.fromkeys(drawn)) == pytest.approx(means[values.names.index(pool)].tolist())
        assert len(drawn) == 43


def test_idle_is_expected_below_the_worst_future(run: Run) -> None:
    """The stack's area is the idle GW-years of the summary, and the line is nowhere below it."""
    drawing = pictured(idle_over_time, run)
    areas = [rows(drawing, layer) for layer in drawing["layer"] if layer["mark"]["type"] == "area"]
    (line,) = [rows(drawing, layer) for layer in drawing["layer"] if layer["mark"]["type"] == "line"]
    top = np.array([row["top"] for row in areas[-1]])
    assert top[:-1].sum() / 12 == pytest.approx(run.summary["idle_gw_years"])
    assert (np.array([row["top"] for row in line]) >= top - 1e-9).all()


def test_all_pictures_go_into_a_folder(run: Run, tmp_path: Path) -> None:
    """A folder holds every picture, is replaced only when asked and only if it holds nothing else."""
    folder = tmp_path / "pictures"
    assert pictures.save_all(run, folder, ".svg") == {}
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.svg" for name in pictures.PICTURES)
    for path in folder.iterdir():
        text = path.read_text()
        assert text.startswith("<svg") and "NaN" not in text and "meta-2026h1" in text
    with pytest.raises(InstanceError, match="exists already"):
        pictures.save_all(run, folder, ".svg")
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(InstanceError, match="not a folder of gwplan's pictures"):
        pictures.save_all(run, folder, ".svg", force=True)


def test_what_an_instance_lacks_is_said(bare: Run, tmp_path: Path) -> None:
    """Without prices or dates of signature the other pictures are drawn, and what is left out is told."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "signed.png").write_bytes(b"of an earlier run")
    left_out = pictures.save_all(bare, tmp_path / "pictures", ".svg", force=True)
    assert left_out == {
        "cancellations": "no contract can be cancelled",
        "obligations": "no contract has a price",
        "premium": "no contract has a price",
        "signed": "no contract says when it was signed",
    }
    assert len(list((tmp_path / "pictures").iterdir())) == len(pictures.PICTURES) - len(left_out)


def test_kinds_differ_in_grey() -> None:
    """Cloud, leases, and the idle, cancelled and earlier GW are told apart without colour."""
    light = sorted(lightness(colour) for colour in (*theme.shades(3, theme.GREYS), theme.FAINT, theme.PALE))
    assert min(np.diff(light)) >= 5
