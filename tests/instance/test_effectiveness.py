"""Effectiveness by date: a step function of each pair, over the pair's value in eligibility.csv."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

import gwplan as gw
from gwplan.tree.timeline import timeline
from tests.cli.conftest import in_process
from tests.oracle.hand_examples import EXAMPLES

STEPS = "pathway,pool,from,effectiveness\nuse,cloud,2027-01-01,0.9\nuse,new,2028-01-01,1.2\nuse,new,2028-07-01,1.5\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an instance whose pairs have steps of their own."""
    folder = EXAMPLES["hardware that ages"].write(tmp_path_factory.mktemp("ages"))
    (folder / "effectiveness.csv").write_text(STEPS, "utf-8")
    return folder


def by_year(instance: gw.Instance) -> dict[str, list[float]]:
    """Return the effectiveness of each pool's pair in each year."""
    data = timeline(instance).data
    return {pool: data.effectiveness[0, q].tolist() for q, pool in enumerate(data.pools)}


def test_each_pair_has_steps_of_its_own(folder: Path) -> None:
    """An edit from a date on repeats the row in force of the pairs that it reaches, and leaves the others alone."""
    instance = gw.load(folder)
    assert by_year(instance) == {"cloud": [0.9, 0.9], "new": [1.0, 1.2]}
    halved = instance.edited("effectiveness[pool=cloud].effectiveness *= 0.5 @ 2028-01-01")
    assert by_year(halved) == {"cloud": [0.9, 0.45], "new": [1.0, 1.2]}
    both = instance.edited("effectiveness.effectiveness *= 0.5 @ 2028-01-01")
    assert by_year(both) == {"cloud": [0.9, 0.45], "new": [1.0, 0.6]}
    assert by_year(instance.edited("drop pools[pool=new]")) == {"cloud": [0.9, 0.9]}


def test_the_first_row_of_a_pair_may_go_and_a_later_one_may_not(folder: Path) -> None:
    """Dropping a step must not let an earlier one hold on unseen; before the first eligibility.csv holds."""
    instance = gw.load(folder)
    dropped = instance.edited("drop effectiveness[pool=new] @ 2028-01-01")
    assert by_year(dropped) == {"cloud": [0.9, 0.9], "new": [1.0, 1.0]}
    with pytest.raises(gw.InstanceError, match="no row of 'use on new' would be left on 2028-07-01"):
        instance.edited("drop effectiveness[pool=new] @ 2028-07-01")


def test_an_outcome_may_not_change_the_past(folder: Path) -> None:
    """Effectiveness before the reveal is the same in every future, whichever of the two tables an outcome edits."""
    for table, remedy in (
        ("effectiveness", "date the edit on or after"),
        ("eligibility", "put the change into a dated"),
    ):
        edits = f'[[factor.outcome.edit]]\ntable = "{table}"\ncolumn = "effectiveness"\nscale = 0.5\n'
        (folder / "eligibility.csv").write_text("pathway,pool,effectiveness\nuse,cloud,1\nuse,new,1\n", "utf-8")
        (folder / "uncertainty.toml").write_text(
            '[[factor]]\nname = "ages"\nrevealed = 2028-01-01\n'
            f'[[factor.outcome]]\nname = "a"\nprobability = 1.0\n{edits}', "utf-8"
        )  # fmt: skip
        done = in_process(["check", str(folder)])
        assert done.exit_code == 1 and f"{table}.csv" in done.stderr and remedy in " ".join(done.stderr.split())
    (folder / "uncertainty.toml").unlink()


def test_a_workbook_tells_each_step(folder: Path, tmp_path: Path) -> None:
    """Formulas read one input for each step, named by the date from which it counts, with the row's own source."""
    (folder / "eligibility.csv").unlink(missing_ok=True)
    assert in_process(["solve", str(folder), "--out", str(tmp_path / "run")]).exit_code == 0
    assert in_process(["export", str(tmp_path / "run"), "--xlsx", str(tmp_path / "plan.xlsx")]).exit_code == 0
    rows = load_workbook(tmp_path / "plan.xlsx")["inputs"].iter_rows(values_only=True)
    steps = {(row[1], row[2]): row[3] for row in rows if row[0] == "effectiveness"}
    assert sorted(steps.values()) == [0.9, 1.0, 1.2]
    assert {holds for _, holds in steps} == {"always", "from 2027-01-01", "from 2028-01-01"}
