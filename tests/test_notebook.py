"""What a notebook shows, with the page ``docs/how-to/notebook.md``, and a function for every command."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import gwplan as gw
from gwplan.cli import COMMANDS
from gwplan.show.charts.pictures import PICTURES
from tests.cli.conftest import INSTANCES
from tests.docs.notebook import PAGE
from tests.docs.snippets import blocks
from tests.rooms import ROOT


@cache
def instance() -> gw.Instance:
    """Return an instance of four scenarios."""
    return gw.load(INSTANCES / "tiny-tree")


@cache
def plan() -> gw.Plan:
    """Return its plan."""
    return gw.solve(instance())


def shown(cell: Any) -> str:
    """Return what a notebook shows of the last value of a cell: HTML, the JSON of a chart, or its words."""
    if hasattr(cell, "_repr_html_"):
        return str(cell._repr_html_())
    return json.dumps(cell.to_dict()) if hasattr(cell, "to_dict") else repr(cell)


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell of the notebook in the docs runs, prints what its page says, and shows its last value."""
    monkeypatch.chdir(tmp_path)
    cells = json.loads((ROOT / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    said = [block.shown for block in blocks(PAGE.read_text(encoding="utf-8")) if block.kind == "python"]
    names: dict[str, Any] = {}
    screens = []
    for cell, shown_there in zip([cell for cell in cells if cell["cell_type"] == "code"], said, strict=True):
        body = ast.parse("".join(cell["source"])).body
        last = body[-1].value if isinstance(body[-1], ast.Expr) else None
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(ast.Module(body if last is None else body[:-1], []), "cell", "exec"), names)
            value = None if last is None else eval(compile(ast.Expression(last), "cell", "eval"), names)
        assert printed.getvalue() == shown_there
        screens += [] if value is None else [shown(value)]
    assert any("DO NOW" in screen.upper() for screen in screens)
    assert sum("vega-lite" in screen for screen in screens) >= 3
    assert (tmp_path / "plan.html").exists() and (tmp_path / "plan.xlsx").exists()


def test_objects_say_what_they_are_in_a_line() -> None:
    """A repr is a line that names the instance, not 78,000 characters of it."""
    session = gw.Session(instance())
    for each in (
        instance(),
        plan(),
        session.base,
        gw.uncertainty(instance()),
        gw.sweep(instance(), "risk.aversion = 0"),
    ):
        assert re.fullmatch(r"<[^\n]{20,100}>", repr(each)) and "tiny-tree" in repr(each)
        assert "tiny-tree" in shown(each) and len(shown(each)) < 20_000


def test_a_plan_has_its_pictures_as_charts() -> None:
    """Every picture that is exported is a chart of the plan by the same name; another name says which there are."""
    assert dir(plan().charts) == sorted(PICTURES)
    assert plan().charts.gw.to_dict()["$schema"]
    with pytest.raises(AttributeError, match="there is no chart 'pie'; there are gw"):
        plan().charts.pie  # noqa: B018


def test_a_kept_plan_is_the_same_plan(tmp_path: Path) -> None:
    """What is saved from Python is a kept run, which commands read and `read_run` returns."""
    again = gw.read_run(plan().save(tmp_path / "run"))
    assert again.objective_bn == plan().objective_bn and again.allocation.equals(plan().allocation)
    with pytest.raises(gw.InstanceError, match="exists already"):
        plan().save(tmp_path / "run")
    differing = gw.compare(tmp_path / "run", gw.solve(instance().edited("risk.aversion = 0.5")))
    assert len(differing["inputs"]) == 1
    assert differing["figures"].set_index("figure").loc["objective_bn", "plan 1"] == pytest.approx(8.375)


def test_every_command_has_a_function_with_a_real_signature() -> None:
    """What can be typed can be called: the page of the API names the function, which names its parameters."""
    rows = re.findall(r"^\| `gwplan (\w+)` \| `([\w.]+)` \|", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    assert {command for command, _ in rows} == set(COMMANDS) - {"ui"}  # a page is opened from the command line
    for _, spelt in rows:
        owner, name = spelt.split(".")
        function = getattr(gw if owner == "gw" else gw.Plan, name)
        assert inspect.signature(function).parameters and "kwargs" not in str(inspect.signature(function))
        assert function.__doc__


def test_functions_answer_as_their_commands_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each function hands its arguments to the same study as its command: one figure of each, known beforehand."""
    tree = instance()
    assert gw.validate(tree) == ()
    assert gw.evaluate(tree, plan().allocation).gap_bn == pytest.approx(0, abs=1e-6)
    compared = gw.whatif(tree, edits=["risk.aversion = 0.5"])
    assert compared.table().set_index(["case", "figure"])["value"][("set", "objective_bn")] < 8.375
    assert gw.sweep(tree, "risk.aversion = 0, 0.5").cases["objective_bn"].tolist()[0] == pytest.approx(8.375)
    draws = gw.montecarlo(tree, "value.value_bn_per_gw_year *~ uniform(0.9, 1.1)", samples=3, seed=1)
    assert len(draws.cases) == 3 and "quantiles" in draws.tables
    turn = gw.breakeven(tree, "risk.aversion", threshold=8.275, between=(0, 0.9)).as_dict()["searches"][0]
    assert turn["breakeven"]["value"] == pytest.approx(0.022857, abs=1e-5)
    assert set(gw.alternatives(tree).ranges["pathway"]) == {"training", "deals"}
    assert str(gw.explain(tree)).startswith("There is a plan")
    impossible = tree.edited("insert demand[pathway=training, from=2026-01-01, floor_gw=100]")
    assert gw.explain(impossible).conflicts
    assert "obligations" in gw.exposure(plan(), parts=["obligations"])
    monkeypatch.chdir(tmp_path)
    assert gw.load(gw.convert(INSTANCES / "tiny-tree", "tree.xlsx")).name == "tiny-tree"
    with pytest.warns(UserWarning) as warned:
        (tmp_path / "used.csv").write_text("pathway,pool,gw\ntraining,cluster,0.5\n")
        assert gw.roll(tree, "2026-02-01", actuals="used.csv").periods == 2
    assert [str(each.message)[:9] for each in warned] == ["used.csv ", "--actuals"]
    assert gw.roll(tree, "2026-02-01", plan()).periods == 2
