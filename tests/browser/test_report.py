"""The report as a reader meets it: drawn, pointed at, in the dark, on a phone, printed, and read aloud."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gwplan.kept.run import Run, keep, read_run
from gwplan.kept.sweep import KeptSweep, read_sweep
from gwplan.kept.sweep import keep as keep_sweep
from gwplan.language.edits import edit
from gwplan.planning import solve
from gwplan.session import Session
from gwplan.show.report.cases import runs_report, sweep_report, uncertainty_report, whatif_report
from gwplan.show.report.plan import plan_report
from gwplan.storage.read import load
from gwplan.studies.sweep import montecarlo
from gwplan.studies.sweep import tornado as swings
from gwplan.studies.sweep.draws import draw
from gwplan.studies.sweep.engines import InProcess
from gwplan.studies.sweep.grid import axes, grid
from gwplan.studies.sweep.sweep import Study
from gwplan.studies.sweep.sweep import run as run_study
from gwplan.studies.uncertainty import uncertainty
from gwplan.studies.whatif import compare, stacks
from tests.browser.chromium import axe, browser, chromium, opened
from tests.export.test_charts import INSTANCES

WIDTHS = (1280, 390)

JUDGED = ("plan", "whatif", "heat", "uncertainty")
"""Small reports that axe judges: together they have all that reports are made of."""


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    """Yield Chromium."""
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def run(reference_run: Run) -> Run:
    """Return a run of the reference instance."""
    return reference_run


@pytest.fixture(scope="module")
def report(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of the reference run."""
    if chromium() is None:
        pytest.skip("Chromium is not installed")
    return plan_report(run).save(tmp_path_factory.mktemp("reports") / "plan.html")


@pytest.fixture(scope="module")
def others(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return reports of a small plan, of what-ifs, of runs beside each other, of sweeps and of uncertainty."""
    if chromium() is None:
        pytest.skip("Chromium is not installed")
    folder = tmp_path_factory.mktemp("others")
    base = load(INSTANCES / "tiny-deals")
    found = compare(Session(base), stacks(base, (), ["pathways[pathway=deals].notice_days = 0"]))
    dearer = small_run.instance.edited(edit("contracts.cost_bn_per_gw_year += 0.1"))
    other = read_run(keep(solve(dearer), folder / "dearer", command=["gwplan"], options={}))
    return [
        plan_report(small_run).save(folder / "plan.html"),
        whatif_report(found, {}).save(folder / "whatif.html"),
        runs_report([small_run, other]).save(folder / "runs.html"),
        *(sweep_report(sweep).save(folder / f"{name}.html") for name, sweep in sweeps(folder).items()),
        uncertainty_report(uncertainty(load(INSTANCES / "tiny-risk"), frontier=2)).save(folder / "uncertainty.html"),
    ]


def sweeps(folder: Path) -> dict[str, KeptSweep]:
    """Return a kept sweep of each kind of a tiny instance: a line and a heat map, both with a case without a plan."""
    instance = load(INSTANCES / "tiny-deals")
    rate, gw = "economics.discount_rate = 0.02, 0.06", "deliveries.gw *= 0.2, 1, 1.5"
    swung = swings.inputs(instance, 0.1, ["deliveries.gw *= 0.2..2"], each=False, every=False, only=False)
    studies = {
        name: Study("sweep", instance, grid(found), settings={"axes": [a.name for a in found], "of": "objective_bn"})
        for name, found in (("line", axes(instance, [gw])), ("heat", axes(instance, [rate, gw])))
    }
    studies["tornado"] = Study(
        "tornado", instance, swings.tasks(swung), settings={"by": 0.1, "of": "objective_bn", "each": False}
    )
    drawn = [draw("value.value_bn_per_gw_year *~ uniform(0.5, 1.5)"), draw("deliveries.gw *~ uniform(0.3, 1.5)")]
    studies["montecarlo"] = montecarlo.study(instance, drawn, 12, 1)
    found = {}
    for name, study in studies.items():
        results = run_study(study, InProcess())
        tables = {"tornado": swings.tornado(swung, results, "objective_bn")} if name == "tornado" else {}
        tables |= montecarlo.tables(results) if name == "montecarlo" else {}
        tables["cases"] = results.table
        keep_sweep(instance, results.asked(), tables, folder / name, command=["gwplan", name])
        found[name] = read_sweep(folder / name)
    return found


def painted(page: Any) -> list[dict[str, Any]]:
    """Return of each chart what it is, and how many marks and places to point at it shows."""
    script = """() => [...document.querySelectorAll('.draw')].filter(d => d.offsetParent).map(d => {
      const svg = [...d.querySelectorAll('svg')].find(s => s.getBoundingClientRect().width > 0);
      const box = svg && svg.getBoundingClientRect();
      const marks = svg ? [...svg.querySelectorAll('[data-layer] path, path[data-layer]')] : [];
      return {name: d.getAttribute('aria-label'), width: box ? box.width : 0, left: box ? box.left : 0,
              marks: marks.filter(m => m.getBBox().width > 0).length,
              spots: svg ? svg.querySelectorAll('[data-row]').length : 0,
              rows: d.parentElement.querySelectorAll('details tbody tr').length};
    })"""
    return list(page.evaluate(script))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_is_drawn_without_a_network(running: Any, report: Path, width: int, scheme: str) -> None:
    """Every chart has marks, fits the page, has its figures, and nothing is asked of anyone or complained of."""
    with opened(running, report, viewport={"width": width, "height": 900}, color_scheme=scheme) as (page, complaints):
        charts = painted(page)
        assert len(charts) > 20
        for chart in charts:
            assert chart["marks"] > 0, chart
            assert chart["rows"] >= chart["spots"], chart
            assert chart["left"] >= 0 and chart["left"] + chart["width"] <= width, chart
            assert chart["width"] > 0.6 * min(width, 420) or width > 700, chart
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert complaints == []


def test_small_and_other_reports_are_drawn(running: Any, others: list[Path]) -> None:
    """Reports of a small plan, of what-ifs, runs, sweeps and uncertainty are drawn too, and are accessible."""
    for path in others:
        options = {"viewport": {"width": 390, "height": 900}, "color_scheme": "dark", "bypass_csp": True}
        with opened(running, path, **options) as (page, complaints):
            charts = painted(page)
            assert charts and all(chart["marks"] > 0 for chart in charts), (path.name, charts)
            assert all(0 < chart["spots"] <= chart["rows"] for chart in charts), (path.name, charts)
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            assert complaints == [], path.name
            assert path.stem not in JUDGED or judged(page) == [], path.name


def test_dark_is_dark(running: Any, report: Path) -> None:
    """Page, words and marks change with the reader's preference, on paper they never do."""
    script = """() => ['body', '.draw svg.wide [data-layer="0"] path', '.draw text']
      .map(s => document.querySelector(s)).map((e, i) => getComputedStyle(e)[i ? 'fill' : 'backgroundColor'])"""
    found = {}
    for scheme in ("light", "dark"):
        with opened(running, report, color_scheme=scheme) as (page, _):
            found[scheme] = page.evaluate(script)
            page.emulate_media(media="print", color_scheme=scheme)
            found[f"{scheme} paper"] = page.evaluate(script)
    assert all(a != b for a, b in zip(found["light"], found["dark"], strict=True))
    assert found["light"] == found["light paper"] == found["dark paper"]
    assert found["light"][0] == "rgb(255, 255, 255)"


def test_pointing_tells_the_figures(running: Any, report: Path, run: Run) -> None:
    """Pointing at a month, or walking there by key, tells its row of the table; a key picks out its layer."""
    with opened(running, report, viewport={"width": 1280, "height": 900}) as (page, complaints):
        draw = page.locator(".draw").first
        draw.scroll_into_view_if_needed()
        box = draw.locator("svg.wide [data-row='6']").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
        told = page.locator("#tip").inner_text()
        assert told.startswith("2027-01-01") and "supply as signed, GW" in told
        allocation = run.tables["allocation"]
        rows = allocation[(allocation["start"] == "2027-01-01") & (allocation["pathway"] == "ads")]
        assert f"{(rows['gw'] * rows['probability']).sum():.2f}" in told
        page.mouse.move(2, 2)
        assert not page.locator("#tip").is_visible()
        draw.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert page.locator("#tip").inner_text().startswith("2026-08-01")
        assert page.locator("figure").first.locator("svg.wide text", has_text="ads").is_visible()  # instead of a key
        page.set_viewport_size({"width": 390, "height": 900})
        page.locator(".key button", has_text="ads").first.click()
        dimmed = page.evaluate("[...document.querySelector('figure').querySelectorAll('.dim')].length")
        shown = page.evaluate("[...document.querySelector('figure').querySelectorAll('[data-layer]:not(.dim)')].length")
        assert dimmed > 0 and shown == 2  # of the wide and of the narrow chart
        assert complaints == []


def test_one_scenario_is_shown_at_a_time(running: Any, report: Path) -> None:
    """Of twelve scenarios one is drawn, the one that is chosen; contents stay in sight, and what scrolls says so."""
    with opened(running, report, viewport={"width": 390, "height": 900}) as (page, complaints):
        panels = page.locator(".choice + .panels > div")
        chosen = page.locator(".choice select")
        assert panels.count() == chosen.locator("option").count() == 12
        for number in (0, 7):
            chosen.select_option(index=number)
            words = chosen.locator("option").nth(number).inner_text()
            assert [panel for panel in panels.all_inner_texts() if panel] and panels.nth(number).is_visible()
            assert page.locator(".choice + .panels > div:visible h4").all_inner_texts() == [words]
        assert page.locator(".contents summary").bounding_box()["y"] < 40
        wide = "s.checkVisibility() && s.scrollWidth > s.clientWidth + 1"
        scrolls = f"[...document.querySelectorAll('.scroll')].filter(s => {wide})"
        assert page.evaluate(f"{scrolls}.length") > 5
        assert page.evaluate(f"{scrolls}.every(s => getComputedStyle(s, '::before').content.includes('scroll'))")
        assert complaints == []


def judged(page: Any, tables: int = 1000, pictures: bool = True) -> list[str]:
    """Return the serious and critical findings of axe, with so many of the folded tables open."""
    page.evaluate("n => [...document.querySelectorAll('details')].slice(0, n).forEach(d => d.open = true)", tables)
    page.evaluate(axe())
    left_out = [] if pictures else [[".draw svg"]]
    found = page.evaluate("out => axe.run({exclude: out}, {resultTypes: ['violations']})", left_out)
    return [
        f"{v['id']}: {v['help']}: {node['html'][:200]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:3]
    ]


def test_axe_finds_nothing_serious(running: Any, report: Path) -> None:
    """Nothing serious is found in the reference report; smaller ones are judged with their pictures, in the dark."""
    with opened(running, report, viewport={"width": 1280, "height": 900}, bypass_csp=True) as (page, _):
        assert judged(page, tables=1, pictures=False) == []


def test_it_prints(running: Any, report: Path, tmp_path: Path) -> None:
    """As a PDF it has every section and every chart within the paper, and no contents list."""
    with opened(running, report) as (page, _):
        titles = page.locator("h2").all_inner_texts()
        page.pdf(path=tmp_path / "report.pdf", format="A4")
    pdf = (tmp_path / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and 8 < len(re.findall(rb"/Type\s*/Page\b", pdf)) < 40
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True)
        assert all(title in text.stdout for title in titles)
        assert "Figures as a table" not in text.stdout


def test_hostile_names_are_words(running: Any, tmp_path: Path) -> None:
    """Names and notes that look like markup or scripts are shown as they are; none of them runs."""
    bad = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    instance = load(INSTANCES / "tiny-deals")
    tables = dict(instance.tables)
    contracts = tables["contracts"].copy()
    contracts["vendor"] = bad
    contracts["note"] = "]]><!-- " + bad
    tables["contracts"] = contracts
    tables["instance"] = tables["instance"].assign(name=f"mine {bad}", description=f'" onclick="alert(3) {bad}')
    hostile = replace(instance, tables=tables)
    run = read_run(keep(solve(hostile), tmp_path / "run", command=["gwplan"], options={}))
    path = plan_report(run).save(tmp_path / "report.html")
    with opened(running, path) as (page, complaints):
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        assert page.locator("h1").inner_text() == f"Plan of mine {bad}"
        assert page.locator("img").count() == 0 and page.locator("script").count() == 1
        assert bad in page.locator("main").inner_text()
        assert complaints == []
