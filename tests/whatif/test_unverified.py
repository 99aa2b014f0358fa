"""Unverified cells: every one of them is swung, once, and by what a cold solve of the same change says."""

from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.catalogue.tables import TABLES
from gwplan.session import Session
from gwplan.studies.exposure import NOT_READ, SWUNG, groups, gw_by_status, unverified, vendor_risks
from gwplan.studies.sweep.tornado import inputs
from tests.instance.folders import plain

META = gw.load(Path(__file__).parents[2] / "instances" / "meta-2026h1")
TINY = gw.load(Path(__file__).parents[2] / "instances" / "tiny-terminal")


def quiet(stage: str) -> None:
    """Say nothing."""


@pytest.mark.parametrize("each", [False, True])
def test_every_unverified_number_is_in_one_group(each: bool) -> None:
    """Groups hold each number that is not reported, not zero and not a key exactly once, and nothing else."""
    found = [(g.table.name, g.column.name, row) for g in groups(META, each=each) for row in g.rows.index]
    wanted = [
        (name, column.name, row)
        for name in SWUNG
        for column in TABLES[name].columns
        if column.kind in ("number", "integer") and not column.key and f"{name}.{column.name}" not in NOT_READ
        for row, value, status in zip(
            META.tables[name].index, META.filled(name)[column.name], META.tables[name]["status"], strict=True
        )
        if value == value and value != 0 and status != "reported"
    ]
    assert sorted(found) == sorted(wanted)
    assert len(wanted) > 200
    if each:
        assert all(len(g.rows) == 1 for g in groups(META, each=True))


def test_a_swing_changes_its_cells_alone() -> None:
    """A group's edits scale its cells by the share, whole numbers away from what they were, shares to 1 at most."""
    for group in groups(META):
        for share in (-0.2, 0.2):
            edits = group.edits(share)
            edited = META.edited(*edits) if edits else META
            for name in SWUNG:
                before, after = META.filled(name), edited.filled(name)
                for column in TABLES[name].columns:
                    if column.kind not in ("number", "integer"):
                        continue
                    same = before[column.name].to_numpy()
                    now = after[column.name].to_numpy()
                    if (name, column.name) != (group.table.name, group.column.name):
                        assert ((same == now) | (same != same)).all()
                        continue
                    mine = before.index.isin(group.rows.index)
                    assert ((same == now) | (same != same))[~mine].all()
                    scaled = same[mine] * (1 + share)
                    if column.most is not None:
                        scaled = scaled.clip(max=column.most)
                    assert now[mine] == pytest.approx(scaled, rel=1e-12, abs=1 if column.kind == "integer" else 0)


def test_swings_are_fresh_solves() -> None:
    """What a swing does to worth is what a cold solve with the same edit says, and the largest loss comes first."""
    session = Session(TINY)
    found = unverified(session, 0.2, quiet)
    by_name = {row["cells"]: row for row in found["swings"]}
    worth = session.base.objective_bn
    for cells, edit in (
        ("contracts.cost_bn_per_gw_year [cloud]", "contracts.cost_bn_per_gw_year *= {}"),
        ("value.width_gw [training]", "value.width_gw *= {}"),
        ("cancellations.fee_bn_per_gw [cloud]", "cancellations.fee_bn_per_gw *= {}"),
    ):
        for side, factor in (("down_bn", 0.8), ("up_bn", 1.2)):
            cold = gw.solve(TINY.edited(edit.format(factor))).objective_bn
            assert by_name[cells][side] == pytest.approx(cold - worth, abs=1e-8)
    risks = [row["at_risk_bn"] for row in found["swings"]]
    assert risks == sorted(risks, reverse=True)
    assert by_name["pathways.realisation [training]"]["up_bn"] == 0.0, "it is 1 already"
    (status,) = [row for row in found["statuses"] if row["status"] == "assumption"]
    assert (status["largest_bn"], status["added_bn"]) == pytest.approx((risks[0], sum(risks)))
    assert status["delivery_gw"] == 3.0


def test_a_swing_without_a_plan_says_so() -> None:
    """Where one side breaks a rule the other still counts, and the reason is given."""
    narrow = TINY.edited("insert demand[pathway=training, from=2026-01-01, floor_gw=2.9, cap_gw=3, status=assumption]")
    found = unverified(Session(narrow), 0.2, quiet)
    (floor,) = [row for row in found["swings"] if row["cells"] == "demand.floor_gw [training]"]
    assert floor["up_bn"] is None and floor["down_bn"] is not None and floor["reason"]


def test_gw_by_status() -> None:
    """All GW have a status by their contract and by their delivery."""
    found = gw_by_status(META)
    total = float(META.tables["deliveries"]["gw"].sum())
    assert sum(a for a, _ in found.values()) == pytest.approx(total) == pytest.approx(sum(b for _, b in found.values()))
    assert found["estimate"][0] == pytest.approx(2.5)


TRANCHES = "contract,date,gw,status\nown,2026-01-01,1,reported\nown,2026-01-01,0.2,estimate\n"


def test_two_deliveries_of_a_contract_on_one_date_are_two_rows(tmp_path: Path) -> None:
    """Protects what is at risk: only the tranche that is unverified moves, 0.04 GW times 6 $bn times 2 years."""
    instance = plain(tmp_path, deliveries=TRANCHES)
    twins = instance.edited(*["insert deliveries[contract=own, date=2026-01-01, gw=0.2, status=estimate]"] * 2)
    for case, rows in ((instance, 1), (twins, 3)):
        found = unverified(Session(case), 0.2, quiet)["swings"]
        assert [(row["cells"], row["count"]) for row in found] == [("deliveries.gw [cloud]", rows)]
        assert (found[0]["down_bn"], found[0]["up_bn"]) == pytest.approx((-0.48 * rows, 0.48 * rows))
        names = [
            (row["cells"], row["at_risk_bn"]) for row in unverified(Session(case), 0.2, quiet, each=True)["swings"]
        ]
        marked = [f"deliveries.gw [own, 2026-01-01, row {row}]" for row in (3, -1, -2)]
        assert dict(names) == pytest.approx(dict.fromkeys(marked[:rows], 0.48))
        (one,) = inputs(case, 0.1, ["deliveries[row=2].gw *= 0.5..2"], each=False, every=True, only=False)[1:2]
        assert one.cells == 1


def test_a_name_that_is_a_pattern_swings_and_fails_alone(tmp_path: Path) -> None:
    """Protects contracts whose names another's name matches, such as one with an asterisk for a footnote."""
    tables = {
        "contracts": "contract,vendor,pool,cost_bn_per_gw_year,status\n"
        "own*,v1,cloud,4,estimate\nown2,v2,cloud,2,reported\n",
        "deliveries": "contract,date,gw,status\nown*,2026-01-01,1,reported\nown2,2026-01-01,1,reported\n",
    }
    session = Session(plain(tmp_path, **tables))
    assert [risk["fails_bn"] for risk in vendor_risks(session, quiet)] == pytest.approx([12.0, 16.0])
    (swing,) = unverified(session, 0.25, quiet)["swings"]
    assert (swing["down_bn"], swing["up_bn"]) == pytest.approx((2.0, -2.0))
