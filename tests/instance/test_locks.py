from __future__ import annotations

from pathlib import Path

import pytest

import gwplan as gw
from gwplan.studies.locks import lock

TINY = gw.load(Path(__file__).resolve().parents[2] / "instances" / "tiny-locks")

SPELT = {
    "ads[cluster] = 0.8 @ 2027-01-01": "pathway=ads, pool=cluster, from=2027-01-01, min_gw=0.8, max_gw=0.8",
    'ads["cluster"]>=.5@..2027-01-01': "pathway=ads, pool=cluster, from=2026-01-01, until=2027-01-01, min_gw=0.5",
    "ads <= 1 @ 2026-01-01..2027-01-01": "pathway=ads, from=2026-01-01, until=2027-01-01, max_gw=1.0",
    " training = 0": "pathway=training, from=2026-01-01, min_gw=0.0, max_gw=0.0",
}
"""Locks, and the rows that they are."""


@pytest.mark.parametrize("text", SPELT)
def test_a_lock_is_a_row_of_locks(text: str) -> None:
    """``--lock`` and a row of ``locks.csv`` are the same thing."""
    assert lock(text, TINY) == gw.edit(f"insert locks[{SPELT[text]}]")


@pytest.mark.parametrize(
    "text", ["", "ads", "ads[cluster]", "ads = -1", "ads = 1 @", "ads = 1 @ 2027-02-30", "ads == 1", '"\\x" = 1']
)
def test_what_is_no_lock_is_refused(text: str) -> None:
    """A lock that cannot be read is an input error that says how one is written, or which day there is not."""
    with pytest.raises(gw.InstanceError, match="--lock"):
        lock(text, TINY)
