from __future__ import annotations

from pathlib import Path

import pytest

from gwplan.instance.chances import MOST_SCENARIOS
from gwplan.problems import InstanceError
from gwplan.storage.read import load
from gwplan.tree.timeline import timeline
from tests.instance.folders import SMALL, written

HEADERS = {
    "pools": "pool\n",
    "contracts": "contract,pool\n",
    "deliveries": "contract,date,gw\n",
    "pathways": "pathway\n",
}
BARE: dict[str, str | None] = {
    name: None
    for name in ("cancellations", "eligibility", "demand", "value", "curves", "churn", "locks", "claims", "running")
}
ROW = {"pools": "a\n", "contracts": "k,a\n", "deliveries": "k,2026-07-01,1\n", "pathways": "ads\n"}


@pytest.mark.parametrize(
    ("filled", "said"),
    [
        (("pools", "contracts", "deliveries"), ["pathways.csv: no rows"]),
        (("pools", "pathways"), ["contracts.csv: no rows"]),
        ((), ["pools.csv: no rows", "contracts.csv: no rows", "pathways.csv: no rows"]),
    ],
)
def test_a_plan_of_nothing_is_bad_input(filled: tuple[str, ...], said: list[str], tmp_path: Path) -> None:
    """Tables of names without a row, as from a filter that went wrong, are told apart from a plan that is worth 0."""
    tables = BARE | {name: header + (ROW[name] if name in filled else "") for name, header in HEADERS.items()}
    instance = load(written(tmp_path / "x", SMALL, **tables))
    with pytest.raises(InstanceError) as caught:
        timeline(instance)
    assert [str(problem).partition(";")[0] for problem in caught.value.problems] == said


def test_an_outcome_may_leave_nothing_over(tmp_path: Path) -> None:
    """A future in which the only contract has gone is a future, not bad input."""
    gone = (
        '[[factor]]\nname = "f"\nrevealed = 2026-07-01\n[[factor.outcome]]\nname = "stays"\nprobability = 0.5\n'
        '[[factor.outcome]]\nname = "goes"\nprobability = 0.5\n'
        '[[factor.outcome.edit]]\ntable = "contracts"\ndrop = true\n'
    )
    tables = BARE | {name: header + ROW[name] for name, header in HEADERS.items()}
    data = timeline(load(written(tmp_path / "x", {**SMALL, "uncertainty.toml": gone}, **tables))).data
    assert data.supply[0, data.tree.roots].tolist() == [1.0, 0.0]


def test_lines_of_a_contract_that_moves_have_names_of_their_own(tmp_path: Path) -> None:
    """Two lines called alike would be summed into one, or end in a traceback."""
    moves = (
        '[[factor]]\nname = "f"\nrevealed = 2026-07-01\n[[factor.outcome]]\nname = "stays"\nprobability = 0.5\n'
        '[[factor.outcome]]\nname = "moves"\nprobability = 0.5\n[[factor.outcome.edit]]\ntable = "contracts"\n'
        'where = { contract = "k" }\ncolumn = "pool"\nset = "b"\n'
    )
    tables = BARE | {name: header + ROW[name] for name, header in HEADERS.items()} | {"pools": "pool\na\nb\n"}
    files = {**SMALL, "uncertainty.toml": moves}
    assert timeline(load(written(tmp_path / "x", files, **tables))).data.contracts == ("k@a", "k@b")
    with pytest.raises(InstanceError, match=r"contracts.csv contract: 'k@a'; .* contract@pool; call it something else"):
        timeline(load(written(tmp_path / "x", files, **tables | {"contracts": "contract,pool\nk,a\nk@a,a\n"})))


def test_a_tree_that_fits_no_memory_is_refused_at_once(tmp_path: Path) -> None:
    """Thirty factors are a billion scenarios: said in one line, not found out by the system running out of memory."""
    outcomes = "".join(f'[[factor.outcome]]\nname = "{name}"\nprobability = 0.5\n' for name in "ab")
    factors = "".join(f'[[factor]]\nname = "f{i}"\nrevealed = 2027-01-01\n{outcomes}' for i in range(30))
    instance = load(written(tmp_path / "x", {**SMALL, "uncertainty.toml": factors}))
    with pytest.raises(InstanceError) as caught:
        timeline(instance)
    assert str(caught.value).startswith(f"uncertainty.toml: {2**30} scenarios")
    assert f"a tree may have {MOST_SCENARIOS}" in str(caught.value)
    known = instance.given({f"f{i}": "a" for i in range(29)})
    assert len(timeline(known).scenarios) == 2


def test_a_term_of_a_lifetime_is_as_long_as_the_plan(tmp_path: Path) -> None:
    """Days meant as "for ever" do not make a model of a million lags that fills the memory."""
    instance = load(written(tmp_path / "x")).edited("pathways[pathway=deals].min_term_days = 1000000000")
    assert timeline(instance).data.term.max() == instance.periods
