"""``levers.toml``: read, refused, written back, moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gwplan.language.edits import WhatIf
from gwplan.problems import InstanceError
from gwplan.storage.read import load
from gwplan.storage.toml import levers_toml, read_levers
from gwplan.storage.write import write
from tests.instance.folders import WHOLE, written

LEVERS = """\
[[lever]]
label = "Value of deals"
edit = "value[pathway=deals].value_bn_per_gw_year *= 1"
range = [0.5, 1.5]
unit = "x as written"
group = "Demand"

[[lever]]
label = "Late"
edit = ["deliveries[contract=own].date += 0 months @ 2026-08-01", "deliveries[contract=rent].date += 0 months"]
range = [0, 12]

[[lever]]
label = "Glut"
edit = "uncertainty[factor=market, outcome=glut].probability = 0.4"
range = [0.05, 0.95]
step = 0.05
"""


def _lever(**keys: str) -> str:
    """Return a lever that is right but for some keys, as TOML."""
    plain = {"label": '"x"', "edit": '"risk.aversion = 0.2"', "range": "[0, 0.5]"}
    return "[[lever]]\n" + "".join(f"{key} = {value}\n" for key, value in {**plain, **keys}.items())


def test_levers_survive_writing(tmp_path: Path) -> None:
    """What a folder holds comes back from a folder and from a workbook, steps that were left out worked out once."""
    instance = load(written(tmp_path / "x", {**WHOLE, "levers.toml": LEVERS}))
    value, late, glut = instance.levers
    assert (value.start, value.step, late.step, glut.start) == (1.0, 0.05, 1.0, 0.4)
    assert [edit.text for edit in late.at(3)] == [
        "deliveries[contract=own].date += 3 months @ 2026-08-01",
        "deliveries[contract=rent].date += 3 months",
    ]
    assert value.at(1.0) == ()
    for target in ("y", "y.xlsx"):
        write(instance, tmp_path / target)
        again = load(tmp_path / target)
        assert again.levers == instance.levers and again.digest == instance.digest
    assert read_levers(levers_toml(instance.levers), "x")[0] == instance.levers


def test_levers_do_not_count_where_there_are_none(tmp_path: Path) -> None:
    """An instance without levers has the digest that it always had, and one with levers another."""
    instance = load(written(tmp_path / "x", {**WHOLE, "levers.toml": LEVERS}))
    plain = load(written(tmp_path / "y", WHOLE))
    assert replace(instance, levers=()).digest == plain.digest != instance.digest


@pytest.mark.parametrize(
    ("lever", "said"),
    [
        (_lever(edit='"risk.aversion = "'), "lever 1 'x', edit: 'risk.aversion = '; edit risk.aversion =: the end"),
        (_lever(edit='"risk.aversion *= 2"'), "lever 1 'x': risk.aversion *= 2; the edit of a lever changes nothing"),
        (_lever(edit='"contracts.end = 2027-01-01"'), "a lever moves a number, or a date by months"),
        (_lever(edit='"risk.aversion = 0.3"'), "risk.aversion = 0.3: changes cells as it stands; a lever begins where"),
        (_lever(edit='["risk.aversion = 0.2", "risk.tail = 0.1"]'), "the edits of one lever change alike"),
        (_lever(edit="[]"), "lever 1 'x', edit: a list; must be an edit in quotes"),
        (_lever(range="[0.5, 0]"), "lever 1 'x', range: a list; must begin at its lower end"),
        (_lever(range="[0.3, 0.5]"), "0.2 is outside; the range holds where the lever stands"),
        (_lever(range="[0, 1]"), "lever 1 'x': edit risk.aversion = 1: instance.toml [risk] aversion: 1; must be"),
        (_lever(step="0.6"), "step 0.6; a step is above 0 and no longer than the range"),
        (_lever(label='"x "'), "lever 1 'x ', label: 'x '; must be a name of at most 60 characters"),
        (_lever(units='"x"'), "lever 1 'x': unknown key 'units'; a lever has no such key; did you mean 'unit'?"),
        (_lever() + _lever(), "lever 'x' stands twice; every lever has a name of its own"),
        (_lever(edit='"deliveries.date += 0 months"', range="[0, 1.5]"), "months are whole numbers"),
        (_lever(edit='"value[tier=9].width_gw *= 1"', range="[0, 2]"), "an edit must match at least one row"),
        ("lever = 3", "each lever is written below a line [[lever]]"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, lever: str, said: str) -> None:
    """Every rule of a lever is told in one line that names the file, the lever and what to do."""
    with pytest.raises(InstanceError) as error:
        load(written(tmp_path / "x", {**WHOLE, "levers.toml": lever}))
    lines = str(error.value).splitlines()
    assert lines and all(line.startswith("levers.toml") for line in lines)
    assert any(said in line for line in lines), lines


def test_a_lever_on_a_sheet_is_told_by_its_sheet(tmp_path: Path) -> None:
    """In a workbook a lever that fits nothing is told with the sheet that holds it."""
    instance = load(written(tmp_path / "x", {**WHOLE, "levers.toml": LEVERS}))
    unfit = replace(instance, levers=(replace(instance.levers[2], most=1.5),))
    write(unfit, tmp_path / "y.xlsx")
    with pytest.raises(InstanceError, match=r"sheet levers lever 1 'Glut': .*probability = 1.5"):
        load(tmp_path / "y.xlsx")


def test_a_moved_lever_is_a_what_if(tmp_path: Path) -> None:
    """Moving levers gives the instance that the same edits give, rescaled probabilities included."""
    instance = load(written(tmp_path / "x", {**WHOLE, "levers.toml": LEVERS}))
    edits = (*instance.levers[0].at(0.5), *instance.levers[2].at(0.7))
    moved = instance.with_whatif(WhatIf("", edits=edits))
    assert [o.probability for o in moved.factors[0].outcomes] == pytest.approx([0.3, 0.7])
    deals = moved.tables["value"]["pathway"] == "deals"
    assert moved.tables["value"].loc[deals, "value_bn_per_gw_year"].tolist() == [2.0]
