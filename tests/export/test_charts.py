"""The picture of a plan: true to the tables, told apart by any eye, and written whole."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwplan.kept.run import Run, keep, read_run
from gwplan.planning import solve
from gwplan.problems import InstanceError
from gwplan.show import theme
from gwplan.show.charts import over_time as charts
from gwplan.show.charts import pictures
from gwplan.show.charts.drawing import Chart
from gwplan.show.charts.money import WorthStep, steps_drawing
from gwplan.show.charts.sweep import quantile_fan, worth_of_cases
from gwplan.show.vega import as_altair
from gwplan.show.view import View
from gwplan.storage.read import load

INSTANCES = Path(__file__).parents[2] / "instances"


def kept(name: str, folder: Path) -> Run:
    """Solve an instance and keep the plan."""
    return read_run(keep(solve(load(INSTANCES / name)), folder / name, command=["gwplan"], options={}))


def pictured(draw: Callable[[View], Chart], run: Run) -> Any:
    """Return the picture that a chart of a run makes."""
    view = View(run.plan)
    return draw(view).picture(view)


@pytest.fixture(scope="module")
def run(reference_run: Run) -> Run:
    """Return a run of the reference instance, over all its scenarios."""
    return reference_run


@pytest.fixture(scope="module")
def drawing(run: Run) -> dict[str, Any]:
    """Return the picture of the reference run as Vega-Lite."""
    drawn: dict[str, Any] = pictured(charts.gw_over_time, run)
    return drawn


def rows(drawing: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the data of one layer of a picture."""
    data = layer["data"]
    found: list[dict[str, Any]] = drawing["datasets"][data["name"]] if "name" in data else data["values"]
    return found


def marks(drawing: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the layers of a picture that have one kind of mark."""
    return [layer for layer in drawing["layer"] if layer["mark"]["type"] == kind]


def texts(drawing: dict[str, Any]) -> list[str]:
    """Return the labels of a picture, bottom to top."""
    return [row["text"] for layer in marks(drawing, "text") for row in rows(drawing, layer)]


def test_layers_are_the_expected_gw(run: Run, drawing: dict[str, Any]) -> None:
    """The area of each layer is its GW-years in the summary, and the stack ends at the supply as signed."""
    areas = [rows(drawing, layer) for layer in marks(drawing, "area")]
    gw_years = [sum(row["top"] - row["bottom"] for row in area[:-1]) / 12 for area in areas]
    summary = run.summary
    wanted = [*summary["expected_gw_years"].values(), summary["idle_gw_years"]]
    assert gw_years[:-1] == pytest.approx(wanted, rel=1e-9)
    supply = run.tables["supply"]
    signed = (supply["delivered_gw"] * supply["probability"]).groupby(supply["period"]).sum()
    (line,) = marks(drawing, "line")
    assert [row["top"] for row in rows(drawing, line)[:-1]] == pytest.approx(signed.tolist(), rel=1e-9)
    for below, above in pairwise(areas):
        assert [row["top"] for row in below] == [row["bottom"] for row in above]


def test_periods_are_drawn_to_their_end(drawing: dict[str, Any]) -> None:
    """Steps start on the first day of each period and end with the horizon, on a time scale without time zones."""
    for layer in [*marks(drawing, "area"), *marks(drawing, "line")]:
        times = [row["time"] for row in rows(drawing, layer)]
        assert (len(times), times[0], times[-2:]) == (43, "2026-07-01", ["2029-12-01", "2030-01-01"])
        assert layer["mark"]["interpolate"] == "step-after"
        assert layer["encoding"]["x"]["scale"] == {"type": "utc"}


def test_labels_tell_what_is_what(run: Run, drawing: dict[str, Any]) -> None:
    """Title, status, units and a label with the last figure of every layer are on the picture, none on another."""
    assert drawing["title"]["text"] == "GW in use grow from 1.82 to 8.85; msl has 48% of them at the end"
    what, subtitle = drawing["title"]["subtitle"]
    assert what == "meta-2026h1: GW by pathway against supply"
    assert subtitle == f"expected over 12 scenarios; worth ${run.summary['objective_bn']:.1f}bn, optimal"
    ends = [
        f"{rows(drawing, area)[-1]['top'] - rows(drawing, area)[-1]['bottom']:.2f}" for area in marks(drawing, "area")
    ]
    names = [*run.summary["expected_gw_years"], "idle", "cancelled"]
    labels = [f"{name} {end}" for name, end in zip(names, ends, strict=True)]
    assert texts(drawing) == [*labels, "supply as signed 9.80", "GW at the end"]
    places = [layer["encoding"]["y"]["value"] for layer in marks(drawing, "text")]
    assert all(above <= below - 18 + 1e-9 for below, above in pairwise(places))


def test_unproved_and_edited_plans_say_so(run: Run) -> None:
    """A plan that a limit stopped, a loss, and edits are told in the subtitle."""
    stopped = Run(
        run.folder,
        {**run.manifest, "edits": ["risk.tail = 0.2"]},
        {**run.summary, "status": "time_limit", "objective_bn": -2.0, "scenarios": 1},
        run.tables,
    )
    _, subtitle = pictured(charts.gw_over_time, stopped)["title"]["subtitle"]
    assert subtitle == "one scenario; worth -$2.0bn, not proved best (time limit); 1 edit applied"


def test_pathways_may_have_any_name(run: Run) -> None:
    """A pathway called like a layer of the picture, or like markup, is drawn and labelled like any other."""
    names = dict(zip(run.summary["expected_gw_years"], ["idle", "cancelled", "<b>&", "supply as signed"], strict=True))
    allocation = run.tables["allocation"].assign(pathway=lambda table: table["pathway"].map(names))
    summary = {**run.summary, "expected_gw_years": {names[p]: x for p, x in run.summary["expected_gw_years"].items()}}
    renamed = Run(run.folder, run.manifest, summary, {**run.tables, "allocation": allocation})
    before, after = (texts(pictured(charts.gw_over_time, r)) for r in (run, renamed))
    for old, new in names.items():
        before = [label.replace(f"{old} ", f"{new} ") if label.startswith(f"{old} ") else label for label in before]
    assert sorted(after) == sorted(before)


def test_names_may_hold_what_breaks_lines(small_run: Run) -> None:
    """Charts sort by names as they are printed: Vega-Lite takes no order by names that JavaScript cannot spell."""
    view, odd = View(small_run.plan), "one\u2028name"
    spread = pd.DataFrame({"group": odd, "quantile": [0.05, 0.5, 0.95], "value": [1.0, 2.0, 3.0]})
    for drawing in (
        worth_of_cases({"base": view, odd: view}),
        steps_drawing("parts", [], [WorthStep(odd, "gain", 0.0, 1.0, 1.0)], view),
        quantile_fan(spread, "made up"),
    ):
        assert pictures.rendered(drawing.picture_of("made up"), ".svg").startswith(b"<svg")


@pytest.mark.parametrize("name", ["tiny-deals", "tiny-terminal", "tiny-tree"])
def test_small_instances_are_drawn(name: str, tmp_path: Path) -> None:
    """Years and quarters, few periods and a single pathway make a picture too."""
    path = pictures.save(pictured(charts.gw_over_time, kept(name, tmp_path)), tmp_path / "picture.svg")
    assert path.read_text().startswith("<svg") and "NaN" not in path.read_text()


def test_png_and_svg(run: Run, drawing: dict[str, Any], tmp_path: Path) -> None:
    """The ending decides the kind; the PNG has twice the size of the SVG, whose words are text."""
    chart = pictured(charts.gw_over_time, run)
    svg = pictures.save(chart, tmp_path / "plan.svg").read_text()
    png = pictures.save(chart, tmp_path / "plan.PNG").read_bytes()
    for words in [drawing["title"]["text"], *texts(drawing)]:
        assert words in svg
    width, height = (float(svg.split(f' {side}="')[1].split('"')[0]) for side in ("width", "height"))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == pytest.approx((2 * width, 2 * height), abs=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.PNG", "plan.svg"]


def test_pictures_replace_only_files_and_only_when_asked(run: Run, tmp_path: Path) -> None:
    """An existing file needs force, a folder is never replaced, and other endings are refused."""
    chart, file, folder = pictured(charts.gw_over_time, run), tmp_path / "plan.svg", tmp_path / "folder.svg"
    file.write_text("mine")
    folder.mkdir()
    for path, force, refusal in (
        (file, False, "exists already"),
        (folder, True, "not a file"),
        (
            tmp_path / "plan.gif",
            True,
            "ending '.gif'; the ending says the kind of picture; end the name in .png or .svg",
        ),
    ):
        with pytest.raises(InstanceError, match=refusal):
            pictures.save(chart, path, force=force)
    assert file.read_text() == "mine" and len(list(tmp_path.iterdir())) == 2
    pictures.save(chart, file, force=True)
    assert file.read_text().startswith("<svg")


@pytest.mark.parametrize(("package", "name"), [("altair", "Altair"), ("vl_convert", "vl-convert")])
def test_missing_extra(package: str, name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra 'report' one line says what to install, and nothing is written."""
    chart = pictured(charts.gw_over_time, run)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InstanceError) as caught:
        as_altair(chart)
        pictures.save(chart, tmp_path / "plan.svg")
    assert str(caught.value) == (
        f"{name}: not installed; pictures need the extra 'report'; pip install \"gwplan[report]\""
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", list(pictures.PICTURES))
def test_pictures_are_vega_lite(name: str, run: Run) -> None:
    """Every word of a picture is one that Vega-Lite knows, by its schema: it passes over those that it does not."""
    try:
        chart = pictured(pictures.PICTURES[name], run)
    except theme.NothingToShowError:
        pytest.skip("the instance has nothing for it")
    assert as_altair(chart).to_dict()["$schema"]


def test_altair_is_imported_only_when_called() -> None:
    """The module of pictures can be imported where the extra is missing."""
    code = "import sys, gwplan.show.charts.pictures; sys.exit('altair' in sys.modules or 'vl_convert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=INSTANCES.parent, check=False).returncode == 0


def lightness(colour: str) -> float:
    """Return the CIE lightness of an sRGB colour, 0 to 100."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


@pytest.mark.parametrize("count", [1, 2, 4, 6, 12])
def test_colours_differ_in_grey(count: int) -> None:
    """Pathways differ in lightness from each other and from the page, so that print and any eye tell them apart."""
    colours = theme.pathway_colours([f"p{i}" for i in range(count)])
    light = [lightness(colour) for colour in colours.values()]
    assert len(light) == count
    assert min(np.diff([0.0, *light, 100.0])) >= min(8, 30 / count)


@given(st.lists(st.floats(0, 360), min_size=1, max_size=20).map(sorted))
def test_labels_stay_apart(places: list[float]) -> None:
    """Labels keep their order and their distance and stay on the picture, however thin the layers are."""
    moved = theme.apart(places, 18, 360)
    assert all(b - a >= 18 - 1e-9 for a, b in pairwise(moved))
    assert moved[0] >= 0 - 1e-9 and moved[-1] <= 360
    if all(b - a >= 18 for a, b in pairwise(places)) and places[0] >= 9:
        assert moved == places
