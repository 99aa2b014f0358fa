"""Reports as files, and the charts that only they and folders of pictures have: true to the tables, whole, closed."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from gwplan.kept.run import Run
from gwplan.plan.first_moves import first_moves
from gwplan.plan.values import as_told
from gwplan.problems import InstanceError
from gwplan.session import Session
from gwplan.show import theme
from gwplan.show.charts import decisions as charts_decisions
from gwplan.show.charts import drawing as drawing_of
from gwplan.show.charts import money as charts_worth
from gwplan.show.charts import over_time as charts
from gwplan.show.charts import pictures, position, scenarios
from gwplan.show.charts.drawing import Drawing
from gwplan.show.report.plan import plan_report
from gwplan.show.report.report import GENERATOR, Report
from gwplan.show.text.decisions import notices
from gwplan.show.theme import NothingToShowError
from gwplan.show.view import View
from gwplan.storage.read import load
from tests.cli.conftest import Run as Command
from tests.cli.conftest import gwplan  # noqa: F401
from tests.export.test_charts import INSTANCES, kept, lightness


@pytest.fixture(scope="module")
def run(reference_run: Run) -> Run:
    """Return a run of the reference instance."""
    return reference_run


@pytest.fixture(scope="module")
def view(run: Run) -> View:
    """Return the reference plan, laid out."""
    return View(run.plan)


@pytest.fixture(scope="module")
def small(small_run: Run) -> Run:
    """Return a run of an instance of few periods."""
    return small_run


@pytest.fixture(scope="module")
def written(small: Run) -> Report:
    """Return the report of a small plan."""
    return plan_report(small)


def column(drawing: Drawing, place: int) -> np.ndarray:
    """Return a column of a chart's figures."""
    return np.array([float(row[place]) for row in drawing.figures.rows])


def test_branches_average_to_the_plan(view: View) -> None:
    """Branches weighed by their chances are the expected plan, and their chances add up to 1."""
    panels = scenarios.branches(view)
    assert len(panels.drawings) == 12
    plan = charts.gw_over_time(view)
    chances = np.array([float(re.search(r"\((\d+)%\)$", d.what)[1]) for d in panels.drawings])  # type: ignore[index]
    assert chances.sum() == pytest.approx(100, abs=3)
    outcomes = {f.name: {o.name: o.probability for o in f.outcomes} for f in view.instance.factors}
    exact = []
    for drawing in panels.drawings:
        known = dict(part.split("=") for part in drawing.what.rpartition(" (")[0].split(", "))
        exact.append(np.prod([outcomes[factor][outcome] for factor, outcome in known.items()]))
    assert sum(exact) == pytest.approx(1)
    for place in range(1, 5):
        mean = sum(p * column(d, place) for p, d in zip(exact, panels.drawings, strict=True))
        assert mean == pytest.approx(column(plan, place), abs=0.011)


def test_lines_of_scenarios_average_to_what_is_expected(view: View) -> None:
    """Each scenario's line is weighed by its bar's probability; all are one before the first reveal."""
    bars = scenarios.worth_by_scenario(view)
    chance = view.tree.scenario_probability
    value = dict(zip([row[0] for row in bars.figures.rows], column(bars, 2), strict=True))
    assert sorted(value.values()) == pytest.approx(sorted(view.worth_of_future), abs=0.006)
    weights = dict(zip(np.round(view.worth_of_future, 2), chance, strict=True))
    for drawing in scenarios.lines(view).drawings:
        mean, each = column(drawing, 1), {name[:-4]: column(drawing, i) for i, name in enumerate(drawing.figures.header)
                                          if i > 1}  # fmt: skip
        assert sum(weights[value[name]] * gw for name, gw in each.items()) == pytest.approx(mean, abs=0.011)
        assert all(gw[:6] == pytest.approx(mean[:6]) for gw in each.values())
    assert mean.max() > 0


def test_a_name_has_one_colour(view: View) -> None:
    """In every picture a pathway, a pool, a vendor keeps its colour, and pathways share theirs with nothing else."""
    fills: dict[str, set[str]] = {}
    for draw in pictures.PICTURES.values():
        for entry in draw(view).key:
            fill = entry.fill.colour if isinstance(entry.fill, theme.Stroke) else entry.fill
            if isinstance(fill, str):
                fills.setdefault(entry.text.removesuffix(" in force"), set()).add(fill)
    pathways = drawing_of.pathways_of(view)
    named = set(pathways) | set(drawing_of.pools_of(view)) | set(drawing_of.vendors_of(view))
    assert all(len(fills[name]) == 1 for name in named & set(fills)) and len(named & set(fills)) > 10
    mine = set(drawing_of.pathways_of(view).values())
    assert len(mine) == 4 and all(
        not mine & of for name, of in fills.items() if name not in drawing_of.pathways_of(view)
    )


@pytest.mark.parametrize("page", ["#ffffff", theme.in_dark("#ffffff")])
def test_marks_stand_out_from_the_page(written: Report, view: View, page: str) -> None:
    """Fill or edge of every mark of a report, and every colour of a ramp, has a contrast of 3 to 1 in both themes."""
    written.chart("branches", lambda: scenarios.lines(view))
    tree = ElementTree.fromstring(f"<div>{''.join(re.findall('<svg.*?</svg>', written.html(), flags=re.DOTALL))}</div>")
    names = written._palette.colours
    seen = 0
    for group in (g for g in tree.iter("g") if "data-layer" in g.attrib):
        for mark in group.iter("path"):
            paints = [names[p[4:-1]] for p in (mark.get("fill", ""), mark.get("stroke", "")) if p.startswith("var(")]
            paints += [theme.GREY] if mark.get("fill") == "url(#hatch)" else []
            if paints:
                seen += 1
                assert max(theme.contrast(_on(page, p), page) for p in paints) >= 3, (mark.attrib, paints)
    assert seen > 30
    for ramp in theme.RAMPS:
        assert all(theme.contrast(_on(page, c), page) >= 3 for n in range(1, 13) for c in theme.shades(n, ramp))


def _on(page: str, colour: str) -> str:
    return colour if page == "#ffffff" else theme.in_dark(colour)


def test_one_future_has_no_branches(tmp_path: Path) -> None:
    """Without uncertainty the report tells no futures, and the charts of them say why they are not drawn."""
    run = kept("tiny-ramp", tmp_path)
    for draw in (scenarios.branches, scenarios.lines, scenarios.worth_by_scenario):
        with pytest.raises(NothingToShowError, match="one future only"):
            draw(View(run.plan))
    assert "What the future decides" not in plan_report(run).html()


def test_the_waterfall_ends_at_the_worth(view: View) -> None:
    """Steps begin where the one before ended, reach cash and worth, and what takes away goes down."""
    amounts = {row[0]: (float(row[1]), row[2]) for row in charts_worth.waterfall(view).figures.rows}
    steps = charts_worth._steps(view)
    reached = 0.0
    for step in steps:
        if step.kind == "total":
            assert step.amount == pytest.approx(reached)
        else:
            assert [step.low, step.high] == pytest.approx(sorted([reached, reached + step.amount]))
            reached += step.amount
    assert amounts["Cash (NPV)"][0] == pytest.approx(view.plan.npv_bn, abs=0.006)
    assert amounts["Worth"][0] == pytest.approx(view.plan.objective_bn, abs=0.006)
    assert amounts["contracts"][0] == pytest.approx(-14.71, abs=0.006) and amounts["contracts"][1] == "loss"


def test_why_worth_differs_adds_up(view: View, run: Run, tmp_path: Path) -> None:
    """The steps from one plan's worth end at the other's; plans that are alike have none."""
    other = View(Session(run.instance).solve(run.instance.whatifs["premium-collapses"]).plan)
    steps = charts_worth.differences("it", view, other).figures.rows
    total = float(steps[0][1]) + sum(float(row[1]) for row in steps[1:-1])
    assert total == pytest.approx(float(steps[-1][1]), abs=0.006 * len(steps))
    assert float(steps[-1][1]) == pytest.approx(other.plan.objective_bn, abs=0.006)
    with pytest.raises(NothingToShowError):
        charts_worth.differences("it", view, view)


def test_notices_are_those_of_the_plan(view: View) -> None:
    """GW by contract and day are the expected notices, each with its end; windows without notice are told too."""
    rows = charts_decisions.cancellations(view).figures.rows
    found = notices(view)
    expected = float(found.gw @ view.tree.probability[found.node])
    assert sum(float(row[3]) for row in rows) == pytest.approx(expected, abs=0.006 * len(rows))
    assert all(row[1] < row[2] for row in rows if row[2])
    windows = set(view.instance.filled("cancellations")["contract"])
    assert {row[0] for row in rows} == windows
    assert any(row[1].startswith("never") for row in rows)


def test_the_ramp_is_the_supply(view: View, run: Run) -> None:
    """From the plan's start vendors add up to what is delivered; what is kept is short of it by what is cancelled."""
    ramp = position.ramp(view)
    since = [row[0] for row in ramp.figures.rows]
    assert since[0] < "2025-05-01" and since[-42] == "2026-07-01"
    supply = run.tables["supply"]
    for name, place in (("delivered_gw", -2), ("cancelled_gw", -1)):
        table = (supply[name] * supply["probability"]).groupby(supply["period"]).sum().to_numpy()
        drawn = column(ramp, -2) - (column(ramp, -1) if name == "cancelled_gw" else 0)
        assert drawn[-42:] == pytest.approx(table, abs=0.011), place
    vendors = sum(column(ramp, place) for place in range(1, len(ramp.figures.header) - 2))
    assert vendors == pytest.approx(column(ramp, -2), abs=0.08)


def test_first_moves_are_read_off_the_tables(run: Run) -> None:
    """A kept plan's first moves are those of the plan that was made."""
    session = Session(load(INSTANCES / "meta-2026h1"))
    laid_out, answer = session.base.laid_out, session.base
    of_run = first_moves(laid_out, as_told(answer.plan.tables, laid_out.data))
    made = first_moves(laid_out, answer.decided)
    assert [(b.known, b.since, b.until) for b in of_run] == [(b.known, b.since, b.until) for b in made]
    for mine, theirs in zip(of_run, made, strict=True):
        gw = {(m.decision, m.source, m.target): m.gw for m in theirs.moves if m.gw > 1e-4}
        assert {(m.decision, m.source, m.target): m.gw for m in mine.moves if m.gw > 1e-4} == pytest.approx(gw)


def test_colours_differ_in_the_dark() -> None:
    """On a dark page pathways differ in lightness from each other and from the page, in the order of the light one."""
    page = lightness(theme.in_dark("#ffffff"))
    for count in (1, 2, 4, 6):
        shades = [lightness(theme.in_dark(colour)) for colour in theme.shades(count)]
        assert min(np.diff([page, *shades, 100.0])) >= min(5, 30 / count)


def test_a_report_is_closed(written: Report, tmp_path: Path) -> None:
    """Its policy lets in nothing but its own style and script, and it refers to nothing outside itself."""
    text = written.save(tmp_path / "report.html").read_text()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        (inner,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        assert parts[name] == f"'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'"
    assert not re.findall(r"""(?:src|href|action|data)=["'](?!#)""", text)
    assert not re.findall(r"url\((?!#)|@import|\sstyle=|\son[a-z]+=", text)
    identifiers = re.findall(r'\sid="([^"]*)"', text)
    assert len(identifiers) == len(set(identifiers))
    wanted = set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)|labelledby="([^"]*)"', text))
    assert {name for names in wanted for name in names if name} <= set(identifiers)


def test_a_report_replaces_only_reports(written: Report, tmp_path: Path) -> None:
    """An existing file needs force, and only a report gives way."""
    report, target = written, tmp_path / "report.html"
    target.write_text("mine")
    for force, refusal in ((False, "exists already"), (True, "not a report of gwplan's")):
        with pytest.raises(InstanceError, match=refusal):
            report.save(target, force=force)
    assert target.read_text() == "mine"
    target.unlink()
    report.save(target)
    assert GENERATOR in report.save(target, force=True).read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_commands_write_reports(gwplan: Command, small: Run, tmp_path: Path) -> None:  # noqa: F811
    """Export, compare and whatif write a report each, and none over a file that is there."""
    instance = INSTANCES / "tiny-deals"
    for command, title in (
        (("export", small.folder), "Plan of"),
        (("compare", small.folder, small.folder), "Runs of"),
        (("whatif", instance, "--set", "pathways[pathway=deals].notice_days = 0"), "What-ifs of"),
    ):
        done = gwplan(*command, "--html", "report.html")
        assert done.returncode == 0, done.stderr
        assert f"<h1>{title} " in (tmp_path / "report.html").read_text()
        again = gwplan(*command, "--html", "report.html")
        assert (again.returncode, "exists already" in again.stderr) == (1, True)
        (tmp_path / "report.html").unlink()
