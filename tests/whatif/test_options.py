"""The value of each option, held against the instance edited to be without it."""

from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.session import Session
from gwplan.studies.uncertainty import OptionValue, option_values
from tests.whatif.cases import INSTANCES, random_case


def values(instance: gw.Instance) -> dict[tuple[str, str], OptionValue]:
    """Return the options of an instance by kind and name."""
    found = option_values(Session(instance), lambda text: None)
    return {(entry.option, entry.name): entry for entry in found}


@pytest.mark.parametrize(("seed", "aversion"), [(3, 0.0), (8, 0.4), (21, 0.0)])
def test_contracts_and_windows_are_worth_what_dropping_them_costs(seed: int, aversion: float, tmp_path: Path) -> None:
    """Protects the shortcut through arrays: dropping the rows from the tables and solving afresh finds the same."""
    instance = random_case(seed, tmp_path, aversion)
    table = {"contract": "contracts", "cancellation": "cancellations"}
    compared = 0
    for (kind, name), entry in values(instance).items():
        if kind not in table:
            continue
        try:
            cold = gw.solve(instance.edited(f"drop {table[kind]}[contract={name}]")).objective_bn
        except gw.InfeasibleError:
            assert entry.without_bn is None and entry.reason
        except gw.InstanceError:
            continue  # an outcome edits what is dropped and finds nothing there
        else:
            assert entry.without_bn == pytest.approx(cold, rel=1e-7, abs=1e-7)
            compared += 1
    assert compared >= 2


def test_what_notice_costs_and_what_ending_deals_is_worth() -> None:
    """Protects both sides of notice: tiny-deals is worth 16.5 without notice, 13.6 if deals never end."""
    found = values(gw.load(INSTANCES / "tiny-deals"))
    assert found["notice", "deals"].without_bn == pytest.approx(16.5, abs=1e-7)
    assert found["notice", "deals"].value_bn == pytest.approx(15.3 - 16.5, abs=1e-7)
    assert found["exit", "deals"].value_bn == pytest.approx(1.7, abs=1e-7)


def test_a_window_is_worth_what_cancelling_brings() -> None:
    """Protects the value of a window: tiny-cancellation is worth 3.75 with it and 3 without."""
    entry = values(gw.load(INSTANCES / "tiny-cancellation"))["cancellation", "lease"]
    assert (entry.without_bn, entry.value_bn) == pytest.approx((3.0, 0.75), abs=1e-7)


def test_an_option_that_the_plan_cannot_do_without_says_so() -> None:
    """Protects against a value of a contract whose loss leaves no plan: none, with its reason."""
    entry = values(gw.load(INSTANCES / "tiny-deals"))["contract", "own"]
    assert entry.without_bn is None and entry.value_bn is None
    assert entry.reason == "no plan keeps every limit without it"
