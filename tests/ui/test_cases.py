"""What the page shows of a case is what ``gwplan whatif`` gives of its saved file."""

from __future__ import annotations

import io
import json
import os
import random
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gwplan.kept.run import Run, keep, read_run
from gwplan.planning import solve
from gwplan.storage.read import load, load_whatif
from gwplan.ui.desk import KEPT_ANSWERS, desk_of
from gwplan.ui.levers import levers, movable, moved
from tests.cli.conftest import in_process
from tests.instance.folders import OFFERED, UNCERTAINTY, WHATIF, written
from tests.ui.pages import client, copied, lines

LEVERS = """\
[[lever]]
label = "Value of deals"
edit = "value[pathway=deals].value_bn_per_gw_year *= 1"
range = [0.2, 2]

[[lever]]
label = "Late"
edit = "deliveries[contract=own].date += 0 months @ 2026-08-01"
range = [0, 12]

[[lever]]
label = "Glut"
edit = "uncertainty[factor=market, outcome=glut].probability = 0.4"
range = [0.05, 0.95]
"""

WHOLE = {**OFFERED, "uncertainty.toml": UNCERTAINTY, "whatifs/late.toml": WHATIF, "levers.toml": LEVERS}
"""The small instance with all that a page can move."""

MOVED: dict[str, Any] = {
    "levers": {"Glut": 0.7, "Late": 5, "Value of deals": 1.3, "x": 0}, "whatifs": ["late"],
    "given": {}, "offers": {"more": "sign"}, "locks": ["ads[campus] >= 0.1 @ 2027-01-01"],
    "edits": ["risk.aversion = 0.1"],
}  # fmt: skip
del MOVED["levers"]["x"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an instance that uses every table, with levers, in a folder that may be written into."""
    return written(tmp_path / "small", WHOLE)


def shown(page: Any, state: Any, move: int = 1) -> dict[str, Any]:
    """Return the answer to a state, which must be checked too."""
    answer, *rest = lines(page, state, move)
    assert {"checked": True} in rest, (answer, rest)
    return dict(answer["answer"])


def as_compared(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of an answer as ``gwplan whatif --json`` nests them."""
    nested: dict[str, Any] = {}
    for group, name, _, value, *_ in answer["figures"]:
        if name:
            nested.setdefault(group, {})[name] = value
        else:
            nested[group] = value
    return nested


def compared(folder: Path, name: str) -> dict[str, Any]:
    """Return what ``gwplan whatif`` says of a what-if of an instance."""
    done = in_process(["whatif", str(folder), name, "--json"])
    assert done.exit_code == 0, done.stderr
    case = json.loads(done.stdout)["cases"][name]
    del case["figures"]["marginal_value"]
    return dict(case)


@pytest.mark.parametrize(
    "state",
    [
        MOVED,
        {"given": {"market": "glut"}, "levers": {"Glut": 0.9}, "chances": {"market": ["tight", 0.2]}},
        {"chances": {"market": ["tight", 0.25]}, "offers": {"more": "decline"}},
    ],
)
def test_figures_are_those_of_the_saved_file_to_the_digit(folder: Path, state: Any) -> None:
    """A case that was moved, saved and opened by the command line has the very figures that the page showed."""
    page = client(folder)
    shown(page, {"levers": {"Value of deals": 0.5}})  # what was looked at before changes nothing
    answer = shown(page, state, 2)
    assert page.post("/api/save", json={"name": "kept case", "state": state}).json()["saved"] == "kept case.toml"
    case = compared(folder, "kept case")
    assert as_compared(answer) == case["figures"]
    rows = {name: text for name, _, text, _ in answer["now"]["rows"]}
    assert {name: f"{gw:.2f}" for name, gw in case["first_period_gw"].items()} == rows


def test_the_reference_gives_the_same_figures_too(tmp_path: Path) -> None:
    """On the reference instance, three levers moved: as the command line has it."""
    folder = copied("meta-2026h1", tmp_path)
    page = client(folder)
    state = {"levers": {"Value of short deals": 0.7, "Chance of a glut": 0.55, "Deliveries from 2027 come late": 4}}
    answer = shown(page, state)
    assert page.post("/api/save", json={"name": "moved", "state": state}).status_code == 201
    assert as_compared(answer) == compared(folder, "moved")["figures"]
    worth = answer["facts"][0]
    assert worth["name"] == "Worth" and worth["change"].startswith("-$") and worth["base"].startswith("$")
    assert answer["now"]["words"].startswith("This month") and answer["next"][0].startswith("Next decision")
    assert [row["name"] for row in answer["years"]["rows"]][:2] == ["msl", "ads"]
    assert any(row["what"] == "given back" for row in answer["contracts"])


def test_what_a_state_becomes_is_spelt_in_order(folder: Path) -> None:
    """Conditions and what-ifs come first, then levers in the order of the file, offers, locks, further edits."""
    whatif = moved(load(folder), MOVED)
    assert [edit.text for edit in whatif.edits] == [
        "deliveries[contract=rent*].date += 6 months",
        "value[pathway=deals].value_bn_per_gw_year *= 1.3",
        "deliveries[contract=own].date += 5 months @ 2026-08-01",
        "uncertainty[factor=market, outcome=glut].probability = 0.7",
        "offers[contract=more].least_share = 1.0",
        "insert locks[pathway=ads, pool=campus, from=2027-01-01, min_gw=0.1]",
        "risk.aversion = 0.1",
    ]
    page = client(folder)
    text = page.post("/api/export/whatif", json={"state": MOVED}).text
    (folder.parent / "x.toml").write_text(text.replace('name = "case"\n', ""))
    assert load_whatif(folder.parent / "x.toml").edits == whatif.edits


def test_levers_of_an_instance_without_any(tmp_path: Path) -> None:
    """Where nobody wrote levers.toml there are some that every instance has, aversion to risk among them."""
    names = [each.label for each in levers(load(copied("tiny-risk", tmp_path)))]
    assert names == ["Value of steady", "Value of deals", "Price of contracts", "Aversion to risk"]
    assert movable(load(tmp_path / "tiny-risk"))["factors"][0]["outcomes"][0]["probability"] == 0.6


def test_the_scenario_shown_changes_the_view_and_not_the_plan(tmp_path: Path) -> None:
    """Looking at one outcome weighs GW and worth by it; both outcomes weighed again are the expected GW."""
    page = client(copied("tiny-risk", tmp_path))
    views = [
        lines(page, {}, move, scenario=scenario)[0]["answer"]
        for move, scenario in enumerate([{}, {"market": "good"}, {"market": "bad"}], 1)
    ]
    assert as_compared(views[0]) == as_compared(views[1]) == as_compared(views[2])
    assert [each["scenario"]["chance"] for each in views] == ["100%", "60%", "40%"]
    gw = [[float(row["cells"][-1]["gw"]) for row in each["years"]["rows"]] for each in views]
    assert gw[0] == pytest.approx([0.6 * a + 0.4 * b for a, b in zip(gw[1], gw[2], strict=True)], abs=0.006)
    assert gw[1] != gw[2] or views[1]["scenario"]["worth"] != views[2]["scenario"]["worth"]


def test_only_rows_are_sent_of_a_chart_that_the_page_has(folder: Path) -> None:
    """The chart itself is sent once: with its key only the rows come, and in the dark it is another."""
    page = client(folder)
    first = lines(page)[0]["answer"]["chart"]
    again = lines(page, MOVED, 2, chart=first["key"])[0]["answer"]["chart"]
    assert "spec" in first and "spec" not in again and first["key"] == again["key"] and first["rows"] != again["rows"]
    assert {layer["data"]["name"] for layer in first["spec"]["layer"]} == set(first["rows"])
    dark = lines(page, {}, 3, dark=True)[0]["answer"]["chart"]
    assert dark["key"] != first["key"] and "spec" in dark


def test_a_case_without_a_plan_tells_the_conflict_and_the_ways_out(folder: Path) -> None:
    """What has no plan is explained, and each way out is edits that lead to a plan."""
    page = client(folder)
    state = {"locks": ["msl >= 9 @ 2027-01-01..2027-03-01"]}
    noplan, why = lines(page, state)
    assert noplan["noplan"].startswith("infeasible")
    assert why["why"]["conflict"] and why["why"]["repairs"]
    way = why["why"]["repairs"][0]
    assert shown(page, {**state, "edits": way["edits"]}, 2)["facts"]


def test_what_each_lock_costs_is_told(tmp_path: Path) -> None:
    """A cell that is held costs what the plan is worth more without it."""
    page = client(copied("tiny-risk", tmp_path))
    free, held = (dict(as_compared(shown(page, {"locks": locks}, move)))["objective_bn"]
                  for move, locks in enumerate([[], ["steady >= 0.5"]], 1))  # fmt: skip
    (cost,) = lines(page, {"locks": ["steady >= 0.5"]}, 3)[-1]["bn"]
    assert cost == pytest.approx(free - held) and cost > 0


def test_an_instance_without_a_plan_is_planned_from_its_first_way_out(folder: Path) -> None:
    """Where the instance as written has no plan the page explains it, and its ways out have plans without a base."""
    with (folder / "demand.csv").open("a") as file:
        file.write("deals,2026-07-01,9,9,9\n")
    page = client(folder)
    noplan, why = lines(page)
    assert "noplan" in noplan
    answer = shown(page, {"edits": why["why"]["repairs"][0]["edits"]}, 2)
    assert answer["facts"][0]["base"] == "" and answer["facts"][0]["text"]


def test_a_kept_run_is_shown_at_once_and_not_written_into(tmp_path: Path) -> None:
    """A run's plan is there before any solve; its cases are exported, and never saved into it."""
    keep(solve(load(copied("tiny-risk", tmp_path))), tmp_path / "run", command=["gwplan"], options={})
    page = client(tmp_path / "run")
    start = page.get("/api/start").json()
    assert not start["ready"] and not start["saves"] and start["kept"]["facts"][0]["name"] in ("Worth", "Objective")
    refused = page.post("/api/save", json={"name": "x", "state": {}})
    assert refused.status_code == 400 and "not written into" in refused.json()["problems"][0]
    assert start["kept"]["facts"][0]["text"] == shown(page, {})["facts"][0]["text"]
    read_run(tmp_path / "run")


def test_exports_are_a_run_a_report_and_a_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is exported of a case is that case: its run opens, and report and workbook are made of the same run."""
    page = client(copied("tiny-locks", tmp_path))
    state = {"levers": {"Aversion to risk": 0.1}}
    worth = as_compared(shown(page, state))["objective_bn"]

    def written_as(run: Run, path: Path) -> None:
        path.write_text(f"{path.suffix} {run.summary['objective_bn']!r}")

    monkeypatch.setattr("gwplan.show.workbook.book.to_xlsx", written_as)
    monkeypatch.setattr("gwplan.show.report.plan.plan_report", lambda run: Saved(partial(written_as, run)))
    files = {kind: page.post(f"/api/export/{kind}", json={"state": state}) for kind in ("run", "report", "workbook")}
    assert [each.headers["x-ending"] for each in files.values()] == [".zip", ".html", ".xlsx"]
    zipfile.ZipFile(io.BytesIO(files["run"].content)).extractall(tmp_path)
    assert read_run(tmp_path / "run").summary["objective_bn"] == worth
    assert [files["report"].text, files["workbook"].text] == [f".html {worth!r}", f".xlsx {worth!r}"]


@dataclass
class Saved:
    """What is saved by a function."""

    save: Callable[[Path], None]


def test_the_latest_move_of_a_tab_wins_and_tabs_do_not_mix(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An overtaken move is not worked out; another tab's case is its own; a closed tab leaves nothing behind."""
    monkeypatch.setattr("gwplan.ui.desk.KEPT_TABS", 3)
    desk = desk_of(str(folder))
    page = client(desk)
    a, b = {"levers": {"Value of deals": 0.5}}, {"levers": {"Value of deals": 1.5}}
    assert lines(page, a, 5, tab="one")[0]["answer"]
    assert lines(page, b, 4, tab="one")[0]["status"] == 409
    worth = [
        as_compared(lines(page, s, 6, tab=tab)[0]["answer"])["objective_bn"] for s, tab in ((a, "one"), (b, "two"))
    ]
    assert worth[0] < worth[1] and set(desk._latest) == {"one", "two"}
    assert page.post("/api/bye", json={"tab": "one"}).status_code == 204
    assert set(desk._latest) == {"two"}
    for number in range(KEPT_ANSWERS + 1):
        lines(page, {"levers": {"Value of deals": 1 + number / 10}}, 1, tab=f"tab {number}")
    assert len(desk._latest) == 3 and len(desk._answers) == KEPT_ANSWERS


def test_a_minute_of_random_moves_shows_what_is_solved_anew(folder: Path) -> None:
    """Random moves, seeded (GWPLAN_RANDOM_SECONDS, 1 by default): each fourth is held against a fresh desk's answer."""
    chosen = random.Random(21)
    page, told = client(folder), movable(load(folder))
    until, move = time.monotonic() + float(os.environ.get("GWPLAN_RANDOM_SECONDS", "1")), 0
    state: dict[str, Any] = {"levers": {}, "whatifs": [], "given": {}, "offers": {}}
    while time.monotonic() < until or move < 8:
        move += 1
        kind = chosen.choice(list(state))
        if kind == "levers":
            lever = chosen.choice(told["levers"])
            steps = round((lever["most"] - lever["least"]) / lever["step"])
            state["levers"] |= {lever["label"]: round(lever["least"] + chosen.randint(0, steps) * lever["step"], 9)}
        elif kind == "whatifs":
            state["whatifs"] = chosen.choice([[], ["late"]])
        else:
            outcomes = {"given": {"market": chosen.choice(["tight", "glut"])}, "offers": {"more": "decline"}}
            state[kind] = chosen.choice([{}, outcomes[kind]])
        answer = shown(page, state, move)
        if move % 4 == 0:
            assert as_compared(answer) == as_compared(shown(client(folder), state)), (move, state)
