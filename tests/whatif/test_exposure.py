"""Exposure: obligations that add up, vendors at risk and what-ifs as fresh solves have them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gwplan as gw
from gwplan.kept.run import keep, read_run
from gwplan.language.edits import WhatIf
from gwplan.session import Session
from gwplan.studies import exposure
from tests.instance.folders import SMALL, UNCERTAINTY, WHATIF, plain, written

INSTANCES = Path(__file__).parents[2] / "instances"


def quiet(stage: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Return a small instance, two futures, one what-if, with its second contract worth cancelling in a glut."""
    files = {**SMALL, "uncertainty.toml": UNCERTAINTY, "whatifs/late.toml": WHATIF}
    return Session(gw.load(written(tmp_path_factory.mktemp("small") / "x", files, locks=None)))


@pytest.fixture(scope="module")
def owed(session: Session) -> dict[str, Any]:
    """Return its obligations."""
    return exposure.obligations(session.base.plan)


def test_obligations_by_hand() -> None:
    """2 GW at 2 until 2030 and 1 GW at 4 until 2029, of which the plan cancels all after the first of three years."""
    found = exposure.obligations(gw.solve(gw.load(INSTANCES / "tiny-terminal")))
    assert found["total"] == pytest.approx(
        {"as_signed_bn": 28.0, "after_cancellation_bn": 20.0, "least_bn": 20.0, "most_bn": 20.0}
    )
    contracts = {row["contract"]: (row["as_signed_bn"], row["after_cancellation_bn"]) for row in found["contracts"]}
    assert contracts == {"cheap": pytest.approx((16.0, 16.0)), "dear": pytest.approx((12.0, 4.0))}
    assert {row["year"]: row["after_cancellation_bn"] for row in found["years"]} == pytest.approx(
        {2026: 8.0, 2027: 4.0, 2028: 4.0, 2029: 4.0}
    )


def test_obligations_add_up(session: Session, owed: dict[str, Any]) -> None:
    """Vendors, contracts, years and futures, weighted by probability, give the same totals as the plan's own table."""
    table = session.base.plan.obligations
    for name in ("as_signed_bn", "after_cancellation_bn"):
        total = owed["total"][name]
        assert total == pytest.approx(float(table[name].sum())) and total > 0
        for part in ("vendors", "contracts", "years", "detail"):
            assert sum(row[name] for row in owed[part]) == pytest.approx(total)
        assert sum(row["probability"] * row[name] for row in owed["branches"]) == pytest.approx(total)
    expected = {(row["contract"], row["year"]): row["after_cancellation_bn"] for row in owed["detail"]}
    for contract, year, amount in zip(table["contract"], table["year"], table["after_cancellation_bn"], strict=True):
        assert expected.get((contract, year), 0.0) == pytest.approx(amount, abs=1e-12)
    assert all(
        row["least_bn"] <= row["after_cancellation_bn"] + 1e-12 <= row["most_bn"] + 2e-12 for row in owed["detail"]
    )
    for branch in owed["branches"]:
        assert sum(branch["vendors"].values()) == pytest.approx(branch["after_cancellation_bn"])
    after = [branch["after_cancellation_bn"] for branch in owed["branches"]]
    assert (owed["total"]["least_bn"], owed["total"]["most_bn"]) == pytest.approx((min(after), max(after)))
    assert sum(row["share_after"] for row in owed["vendors"]) == pytest.approx(1.0)
    best = max(owed["vendors"], key=lambda row: row["after_cancellation_bn"])
    assert owed["largest"]["after"] == {"largest_vendor": best["vendor"], "share": pytest.approx(best["share_after"])}


def test_a_kept_run_owes_the_same(session: Session, owed: dict[str, Any], tmp_path: Path) -> None:
    """Obligations are read from a kept run's tables without solving again."""
    kept = read_run(keep(session.base.plan, tmp_path / "run", command=["gwplan"], options={}))
    again = exposure.obligations(kept.plan)
    assert [row["known"] for row in again["branches"]] == [row["known"] for row in owed["branches"]]
    for name, amount in owed["total"].items():
        assert again["total"][name] == pytest.approx(amount, rel=1e-9)


def test_vendors_at_risk_are_fresh_solves(session: Session) -> None:
    """Late and failed vendors cost what a cold solve of the same edits says; what is in service cannot be late."""
    risks = {row["vendor"]: row for row in exposure.vendor_risks(session, quiet)}
    assert set(risks) == {"Meta", "Vendor"}
    base = session.instance
    late = gw.solve(base.edited("deliveries[contract=own].date += 3 months @ 2026-07-02"))
    gone = gw.solve(base.edited("drop contracts[vendor=Vendor]"))
    worth = session.base.objective_bn
    assert risks["Meta"]["open_gw"] == 0.5
    assert risks["Meta"]["late_bn"] == pytest.approx(worth - late.objective_bn, abs=1e-7)
    assert risks["Vendor"]["fails_bn"] == pytest.approx(worth - gone.objective_bn, abs=1e-7)
    assert (risks["Vendor"]["open_gw"], risks["Vendor"]["late_bn"]) == (0.0, 0.0)
    assert risks["Meta"]["fails_bn"] is None and "deals" in risks["Meta"]["fails_reason"]


def test_a_delay_makes_a_delivery_open(session: Session) -> None:
    """A delivery dated before the start that its contract's delay moves behind it is still to come."""
    late = session.instance.edited("contracts[contract=rent].delay_months = 4")
    (row,) = [r for r in exposure.vendor_risks(Session(late), quiet) if r["vendor"] == "Vendor"]
    assert row["open_gw"] == 0.4
    moved = gw.solve(late.edited("contracts[contract=rent].delay_months = 7"))
    assert row["late_bn"] == pytest.approx(gw.solve(late).objective_bn - moved.objective_bn, abs=1e-7)


def test_whatifs_change_what_is_owed(session: Session) -> None:
    """The change by vendor is that between two plans solved alone; a what-if without a plan says why."""
    closed = WhatIf(
        "closed", "", (gw.edit("drop contracts[contract=rent]"), gw.edit("demand[pathway=msl].floor_gw = 3"))
    )
    closed = replace(closed, edits=(*closed.edits, gw.edit("demand[pathway=msl].cap_gw = 4")))
    base = Session(replace(session.instance, whatifs={**session.instance.whatifs, "closed": closed}))
    effects = {row["whatif"]: row for row in exposure.whatifs(base, quiet)}
    alone = exposure.obligations(gw.solve(base.instance.with_whatif("late")))
    before = {row["vendor"]: row["after_cancellation_bn"] for row in exposure.obligations(base.base.plan)["vendors"]}
    for row in alone["vendors"]:
        found = effects["late"]["vendors"][row["vendor"]]
        assert found["after_cancellation_bn"] == pytest.approx(row["after_cancellation_bn"], abs=1e-6)
        assert found["change_bn"] == pytest.approx(row["after_cancellation_bn"] - before[row["vendor"]], abs=1e-6)
    assert effects["late"]["total_bn"] == pytest.approx(alone["total"]["after_cancellation_bn"], abs=1e-6)
    assert effects["closed"]["objective_bn"] is None and "infeasible" in effects["closed"]["reason"]


def test_contracts_that_follow_one_another_are_not_added(tmp_path: Path) -> None:
    """Protects the most GW of a vendor: 1 GW and its renewal of 0.4 GW are never in service together."""
    tables = {
        "contracts": "contract,vendor,pool,end,cost_bn_per_gw_year\na,v,cloud,2026-10-01,1\nb,v,cloud,,1\n",
        "deliveries": "contract,date,gw\na,2026-01-01,1\nb,2026-10-01,0.4\n",
    }
    (vendor,) = exposure.obligations(gw.solve(plain(tmp_path, "quarter 8", **tables)))["vendors"]
    assert vendor["gw"] == pytest.approx(1.0)


def test_an_expected_amount_lies_within_its_range(tmp_path: Path) -> None:
    """Protects a figure that is the same in all futures: 0.1 + 0.2 + 0.7 parts of it are no other amount."""
    outcomes = "".join(f'[[factor.outcome]]\nname = "o{i}"\nprobability = {p}\n' for i, p in enumerate((0.1, 0.2, 0.7)))
    plain(tmp_path, contracts="contract,pool,cost_bn_per_gw_year\nown,cloud,0.6875\n")
    (tmp_path / "uncertainty.toml").write_text(f'[[factor]]\nname = "f"\nrevealed = 2027-01-01\n{outcomes}')
    found = exposure.obligations(gw.solve(gw.load(tmp_path)))
    for row in (found["total"], *found["vendors"], *found["contracts"]):
        assert row["least_bn"] <= row["after_cancellation_bn"] <= row["most_bn"]
