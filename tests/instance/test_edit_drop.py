"""Rows dropped, and what goes with them."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from gwplan.catalogue.tables import TABLES
from gwplan.instance.instance import apply_edits
from gwplan.problems import InstanceError
from tests.instance.tiny import TINY, dangling, rows


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    drops=st.lists(
        st.sampled_from(
            [
                f"drop {t}[{t[:-1]}={n}]"
                for t, n in (
                    ("contracts", "rent*"),
                    ("contracts", "own"),
                    ("pools", "cloud"),
                    ("pools", "campus"),
                    ("pathways", "msl"),
                    ("pathways", "deals"),
                    ("pathways", "?????"),
                )
            ]
        ),
        min_size=1,
        max_size=3,
        unique=True,
    )
)
def test_a_drop_leaves_no_dangling_reference_and_no_other_loss(drops: list[str]) -> None:
    """What hangs on a dropped name goes, everything else and the claims stay, however drops are combined."""
    try:
        edited = TINY.edited(*drops)
    except InstanceError as error:
        assert all("an edit must match at least one row" in p.rule for p in error.problems)
        return
    assert dangling(edited) == []
    gone = {
        name: set(TINY.tables[name][TABLES[name].key[0]]) - set(edited.tables[name][TABLES[name].key[0]])
        for name in ("contracts", "pools", "pathways")
    }
    for name, frame in TINY.tables.items():
        hangs = pd.Series(False, index=frame.index)
        for column in TABLES[name].columns:
            names = gone.get(column.refers_to) or gone.get(name, set()) if column.key or column.refers_to else set()
            hangs |= frame[column.name].isin(names)
        pd.testing.assert_frame_equal(edited.tables[name], frame[~hangs])


def test_a_pools_contracts_go_with_what_hangs_on_them() -> None:
    """A pool takes its contracts along, and these their deliveries and windows."""
    edited = TINY.edited("drop pools[pool=cloud]")
    assert rows(edited, "contracts", "contract") == [("own",), ("rent[1]",)]
    assert rows(edited, "deliveries", "contract") == [("own",), ("own",)]
    assert rows(edited, "cancellations", "contract") == []
    assert rows(edited, "locks", "pool") == [("campus",), ("",)]
    assert edited.tables["claims"] is TINY.tables["claims"]


def test_edits_of_outcomes_that_hung_on_dropped_rows_go_too() -> None:
    """A contract can be dropped although an outcome would deliver more of it; the other edits of outcomes stay."""
    edited = TINY.edited("drop contracts[contract=rent_b]")
    glut = edited.factors[0].outcomes[2]
    assert [e.text for e in glut.edits] == ["deliveries[contract=rent*].date += 3 months @ 2027-01-01"]
    assert edited.factors[0].outcomes[:2] == TINY.factors[0].outcomes[:2]
    for outcome in edited.factors[0].outcomes:
        apply_edits(edited, outcome.edits, inside_outcome=True)
    assert TINY.edited("drop contracts[contract=rent*]").factors[0].outcomes[2].edits == ()
    assert TINY.edited("drop pathways[pathway=deals]").factors[0].outcomes[1].edits == ()


def test_rows_dropped_and_put_back_keep_the_edits_of_outcomes() -> None:
    """Replacing rows by dropping and inserting is no reason to lose an outcome."""
    edited = TINY.edited(
        "drop value[pathway=deals]", "insert value[pathway=deals, from=2026-07-01, tier=1, value_bn_per_gw_year=2]"
    )
    assert edited.factors == TINY.factors
