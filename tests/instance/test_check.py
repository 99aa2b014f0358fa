"""The rules between cells and tables, each broken once and kept once; outcomes, what-ifs, warnings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gwplan.catalogue.tables import TABLES
from gwplan.check import check as checking
from gwplan.check.check import check, raise_errors
from gwplan.check.facts import RULES, Facts, Rule
from gwplan.problems import InstanceError, Problem
from gwplan.storage.read import load
from tests.instance.check_cases import CALENDAR, ERRORS
from tests.instance.folders import SMALL, UNCERTAINTY, WHATIF, WHOLE, errors, written
from tests.instance.scale_cases import OUT_OF_SCALE
from tests.instance.warning_cases import WARNINGS

WARNED = [*WARNINGS, *OUT_OF_SCALE]


PLAIN = {name: text for name, text in SMALL.items() if name != "running.csv"}
"""The small instance without deals from before the start, so that cases may make deal pathways ordinary ones."""


def _folder(tmp_path: Path, changed: dict[str, str | None], files: dict[str, str] = PLAIN) -> Path:
    whole = {name: text for name, text in changed.items() if name.endswith(".toml") and text is not None}
    tables = {name: text for name, text in changed.items() if not name.endswith(".toml")}
    return written(tmp_path / "x", {**files, **whole}, **tables)


@pytest.mark.parametrize(("changed", "said"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_errors_between_cells(changed: dict[str, str | None], said: list[str], tmp_path: Path) -> None:
    """Each rule is told in its words where it is broken, and keeps still where it is just kept."""
    assert errors(_folder(tmp_path, changed)) == said


@pytest.mark.parametrize(("changed", "said"), [case[1:] for case in WARNED], ids=[case[0] for case in WARNED])
def test_warnings(changed: dict[str, str | None], said: list[str], tmp_path: Path) -> None:
    """What decides nothing is said, with the reason and what to do, and it never keeps an instance from loading."""
    found = check(load(_folder(tmp_path, changed)))
    assert [str(problem) for problem in found] == said
    assert {problem.severity for problem in found} <= {"warning"}


@pytest.mark.parametrize("resolution", ["quarter", "year"])
def test_dates_take_effect_by_the_resolution(resolution: str, tmp_path: Path) -> None:
    """What fits in months may fit in no quarter: rules count in the instance's own periods."""
    toml = CALENDAR.replace('"month"', f'"{resolution}"').replace("periods = 24", "periods = 2")
    files = {**SMALL, "instance.toml": toml}
    window = "contract,opens,closes\nrent,2026-08-01,2026-09-30\n"
    said = check(load(written(tmp_path / "x", files, cancellations=window, demand=None, churn=None, locks=None)))
    assert [p.where for p in said if "period starts" in p.what] == ["cancellations.csv row 2, opens"]


OUTCOME = "uncertainty.toml factor market, outcome glut"


def _edit(table: str, where: str, column: str, change: str) -> str:
    return f'[[edit]]\ntable = "{table}"\nwhere = {{ {where} }}\ncolumn = "{column}"\n{change}\n'


def _with_edit(edit: str) -> dict[str, str]:
    return {**SMALL, "uncertainty.toml": UNCERTAINTY[: UNCERTAINTY.index("[[factor.outcome.edit]]")] + edit}


OUTCOMES = [
    (
        'table = "demand"\nwhere = { pathway = "msi" }\ncolumn = "target_gw"\nscale = 0.5\nfrom = 2027-01-01',
        [f"{OUTCOME}: edit demand[pathway=msi].target_gw *= 0.5 @ 2027-01-01: no row of demand has pathway 'msi'"],
    ),
    (
        'table = "demand"\nwhere = { pathway = "msl" }\ncolumn = "cap_gw"\nset = 0.05\nuntil = 2026-09-01',
        [f"{OUTCOME}: after its edits, demand.csv row 2, floor_gw: 0.1; above the 0.05 effective GW"],
    ),
    (
        'table = "value"\nwhere = { pathway = "msl", tier = 2 }\ncolumn = "value_bn_per_gw_year"\nset = 9',
        [f"{OUTCOME}: after its edits, value.csv row 3, value_bn_per_gw_year: 9 in tier 2; more than the 2.5"],
    ),
    (
        'table = "risk"\ncolumn = "aversion"\nset = 0.5',
        [f"{OUTCOME}: edit risk.aversion = 0.5: table 'risk'; an outcome cannot"],
    ),
    (
        'table = "churn"\ninsert = { pathway = "msl", date = 2027-01-01, fraction = 0.5 }',
        [f"{OUTCOME}: after its edits, churn.csv inserted row, fraction: 0.5; pathway 'msl' is no deal pathway"],
    ),
]


@pytest.mark.parametrize(("edit", "said"), OUTCOMES, ids=[edit.split("\n")[0] for edit, _ in OUTCOMES])
def test_every_outcome_is_tried(edit: str, said: list[str], tmp_path: Path) -> None:
    """An outcome that fits no row, or leaves data that break a rule, is found before anything is solved."""
    found = errors(written(tmp_path / "x", _with_edit(f"[[factor.outcome.edit]]\n{edit}\n")))
    assert len(found) == len(said)
    assert all(line.startswith(part) for line, part in zip(found, said, strict=True)), found


def test_an_outcome_is_not_blamed_for_what_was_wrong_before(tmp_path: Path) -> None:
    """A fault of the instance as written is told once, not once more for each outcome and what-if."""
    rising = SMALL["value.csv"] + "deals,2026-07-01,2,,9\n"
    assert len(errors(written(tmp_path / "x", WHOLE, value=rising))) == 1


def test_every_whatif_is_tried(tmp_path: Path) -> None:
    """A what-if that no longer fits is found on loading, with its file."""
    given = 'given = { market = "glutt", weather = "fine" }\n'
    files = {
        **WHOLE,
        "whatifs/late.toml": WHATIF.replace("rent*", "rend*"),
        "whatifs/given.toml": given,
        "whatifs/rise.toml": _edit("value", "tier = 2", "value_bn_per_gw_year", "add = 5"),
    }
    found = errors(written(tmp_path / "x", files))
    assert [line.partition("; ")[0] for line in found] == [
        "whatifs/given.toml: given market=glutt: no outcome 'glutt' of 'market'",
        "whatifs/given.toml: given weather=fine: no factor 'weather'",
        "whatifs/late.toml: edit deliveries[contract=rend*].date += 6 months: "
        "no row of deliveries has contract 'rend*'",
        "whatifs/rise.toml: after its edits, value.csv row 3, value_bn_per_gw_year: 6 in tier 2",
    ]


def test_a_whatif_is_tried_with_the_outcomes_too(tmp_path: Path) -> None:
    """A what-if after which an outcome breaks a rule is found by check."""
    change = _edit("demand", 'pathway = "msl"', "cap_gw", "scale = 0.2\nfrom = 2027-01-01")
    scaled = _with_edit(change.replace("[[edit]]", "[[factor.outcome.edit]]"))
    lower = _edit("demand", 'pathway = "msl"', "floor_gw", "set = 0.3")
    said = check(load(written(tmp_path / "x", {**scaled, "whatifs/floor.toml": lower})))
    assert [p.where for p in said] == [f"whatifs/floor.toml: {OUTCOME}: after its edits, demand.csv row 3, floor_gw"]
    assert said and all(p.severity == "error" for p in said)


def test_a_row_that_an_outcome_needs_is_not_warned_of(tmp_path: Path) -> None:
    """A contract that delivers in one outcome only is no mistake."""
    idle = SMALL["contracts.csv"] + "backstop,,cloud,,,,\nforgotten,,cloud,,,,\n"
    edit = (
        '[[factor.outcome.edit]]\ntable = "deliveries"\ninsert = { contract = "backstop", date = 2027-02-01, gw = 1 }\n'
    )
    without = check(load(written(tmp_path / "x", contracts=idle)))
    assert [p.where for p in without] == ["contracts.csv row 4, contract", "contracts.csv row 5, contract"]
    found = check(load(written(tmp_path / "y", _with_edit(edit), contracts=idle)))
    assert [p.where for p in found] == ["contracts.csv row 5, contract"]


def test_rows_told_together_are_judged_one_by_one(tmp_path: Path) -> None:
    """Of several late deliveries only those stay in the warning that no outcome brings forward."""
    late = SMALL["deliveries.csv"] + "own,2029-01-01,1\nown,2029-02-01,1\n"
    edit = _edit("deliveries", 'contract = "own"', "date", "shift_months = -12\nfrom = 2028-01-01\nuntil = 2029-01-15")
    files = _with_edit(edit.replace("[[edit]]", "[[factor.outcome.edit]]"))
    (warning,) = check(load(written(tmp_path / "x", files, deliveries=late)))
    assert warning.where == "deliveries.csv row 6, date" and "also" not in warning.what


def test_errors_are_raised_and_warnings_handed_back() -> None:
    """Only errors stop the work."""
    warning, error = Problem("a", "b", "c", severity="warning"), Problem("d", "e", "f")
    assert raise_errors([warning]) == (warning,)
    with pytest.raises(InstanceError) as caught:
        raise_errors([warning, error])
    assert caught.value.problems == (error,)


def test_only_the_rules_on_changed_tables_are_applied_again(tmp_path: Path) -> None:
    """After an edit the rules that it touches are applied, and no others."""
    instance = load(written(tmp_path / "x"))
    value = instance.tables["value"].copy()
    value["value_bn_per_gw_year"] = [1.0, 2.0, 3.0]
    broken = replace(instance, tables={**instance.tables, "value": value})
    assert [p.where for p in check(broken, {"value"})] == ["value.csv row 3, value_bn_per_gw_year"]
    assert check(broken, {"demand"}) == []
    assert len([p for p in check(broken) if p.severity == "error"]) == 1


class _Recorded:
    """A table that notes which of its columns are read."""

    def __init__(self, table: str, frame: pd.DataFrame, read: set[str]) -> None:
        self._table, self._frame, self._read = table, frame, read

    def __getitem__(self, column: str) -> Any:
        self._read.add(f"{self._table}.{column}")
        return self._frame[column]

    @property
    def index(self) -> Any:
        return self._frame.index


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(getattr(rule.find, "__name__", sorted(rule.reads))))
def test_rules_read_no_more_than_they_say(rule: Rule, tmp_path: Path) -> None:
    """What a rule says that it reads decides when it is applied: it may read nothing else."""
    instance = load(written(tmp_path / "x", WHOLE))
    read: set[str] = set()
    tables: Any = {name: _Recorded(name, frame, read) for name, frame in instance.tables.items()}
    for present in (instance.present, instance.present - {"eligibility"}):
        list(rule.find(Facts(replace(instance, tables=tables, present=present))))
    assert read <= rule.reads
    assert rule.reads - {"uncertainty", "whatifs"} <= {f"{t.name}.{c.name}" for t in TABLES.values() for c in t.columns}
    assert rule.tables


def test_a_rule_is_left_out_where_a_cell_that_it_reads_is_broken(tmp_path: Path) -> None:
    """A cell that cannot be read gives one message, not a train of them."""
    folder = written(
        tmp_path / "x",
        deliveries=SMALL["deliveries.csv"].replace("2026-01-01,1", "2026-01-01,one"),
        pools="pool\n campus\ncloud\n",
    )
    assert [line.partition(":")[0] for line in errors(folder)] == ["pools.csv row 2, pool", "deliveries.csv row 2, gw"]


@pytest.mark.parametrize("table", ["pools", "contracts", "pathways"])
def test_a_table_of_names_that_is_missing_is_told_once(table: str, tmp_path: Path) -> None:
    """Nothing is said of the names in other tables when the table that defines them is not there."""
    assert [line.partition(":")[0] for line in errors(written(tmp_path / "x", WHOLE, **{table: None}))] == [
        f"{table}.csv"
    ]


def test_many_unknown_names_are_told_quickly(tmp_path: Path) -> None:
    """Suggestions stop before they take longer than they help; the names are all told."""
    rows = "".join(f"contract_{n}_of_a_long_name,2027-01-01,1\n" for n in range(3000))
    assert len(errors(written(tmp_path / "x", deliveries="contract,date,gw\n" + rows))) == 3000


def test_the_reference_instance_has_no_errors() -> None:
    """The instance that the package comes with is valid, and is warned of the face values that it speaks of itself."""
    folder = Path(__file__).parents[2] / "instances" / "meta-2026h1"
    assert {p.where.split(", ")[1] for p in check(load(folder))} <= {"face_value_bn"}


def test_other_places_are_used(tmp_path: Path) -> None:
    """A workbook's check says where the workbook has its cells."""
    instance = load(written(tmp_path / "x", pools=SMALL["pools.csv"] + "attic,,\n"))
    found = check(instance, place=lambda table, row, column: f"{table.name}!{column}{row}")
    assert {p.where for p in found} == {"pools!pool4"}


def test_every_rule_is_broken_by_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule without a case here, or a column's rule without a kept message, would be a rule that nobody tried."""
    broken: set[int] = set()

    def watched(rule: Rule) -> Rule:
        def find(facts: Facts) -> Any:
            for finding in rule.find(facts):
                broken.add(id(rule))
                yield finding

        return replace(rule, find=find)

    monkeypatch.setattr(checking, "RULES", [watched(rule) for rule in RULES])
    for number, (_, changed, _) in enumerate([*ERRORS, *WARNED]):
        (tmp_path / str(number)).mkdir()
        folder = _folder(tmp_path / str(number), changed)
        if not errors(folder):
            check(load(folder))
    between = [rule for rule in RULES if not _is_of_the_catalogue(rule.find)]
    assert len(between) > 20
    assert [sorted(rule.reads) for rule in between if id(rule) not in broken] == []


def _is_of_the_catalogue(find: Callable[..., Any]) -> bool:
    return getattr(getattr(find, "func", None), "__name__", "") in ("_unknown_names", "_repeated_keys")
