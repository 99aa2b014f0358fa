from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gwplan.instance.instance import Earlier
from gwplan.problems import InstanceError
from gwplan.tree.near import agree, kept


def earlier(*rows: tuple[int, str, str, float, str, str, float]) -> Earlier:
    """Return an earlier plan of node, start, known, probability, pathway, pool and GW."""
    names = ["node", "start", "known", "probability", "pathway", "pool", "gw"]
    frame = pd.DataFrame(rows, columns=names)
    return Earlier(frame.astype({"start": "datetime64[s]"}), "month", 1.0)


PLAN = earlier(
    (0, "2026-01-01", "", 1.0, "ads", "cloud", 1.0),
    (0, "2026-01-01", "", 1.0, "ads", "hall", 2.0),
    (1, "2026-02-01", "market=tight", 0.25, "ads", "cloud", 4.0),
    (2, "2026-02-01", "market=glut", 0.75, "ads", "cloud", 8.0),
    (2, "2026-02-01", "market=glut", 0.75, "gone", "cloud", 1.0),
)


def found(start: str, known: str) -> list[float]:
    """Return what the plan gives ads on the cloud and in the hall on one node."""
    cloud, hall = kept(PLAN, ["2026-01-01", start], ["", known], ["ads"], ["cloud", "hall"])[0, :, 1]
    return [float(cloud), float(hall)]


@pytest.mark.parametrize(
    ("start", "known", "cloud"),
    [
        ("2026-02-01", "market=tight", 4.0),
        ("2026-02-01", "market=glut, msl=lags", 8.0),
        ("2026-02-01", "", 0.25 * 4 + 0.75 * 8),
        ("2026-02-01", "msl=lags", 0.25 * 4 + 0.75 * 8),
        ("2026-02-01", "market=calm", np.nan),
        ("2026-03-01", "market=glut", np.nan),
    ],
)
def test_nodes_follow_what_the_earlier_plan_knew(start: str, known: str, cloud: float) -> None:
    """A node follows the same day and no other outcome; the mean where less is known; nothing on another day."""
    assert found(start, known) == pytest.approx([cloud, np.nan], nan_ok=True)


def test_the_same_knowledge_in_another_order_agrees() -> None:
    """What is known is a set of outcomes, whatever order the factors stand in."""
    assert agree("a=1, b=2", "b=2, a=1") and agree("", "a=1") and not agree("a=1, b=2", "b=3")


@pytest.mark.parametrize(
    ("days", "known", "pathways", "reason"),
    [
        (["2030-01-01"], [""], ["ads"], "2026-01-01 to 2026-02-01, share no first day with 2030-01-01"),
        (["2026-01-01"], [""], ["other"], "shares no pair of pathway and pool"),
        (["2026-02-01"], ["market=calm"], ["ads"], "contradicts every future"),
    ],
)
def test_a_plan_of_something_else_is_refused(
    days: list[str], known: list[str], pathways: list[str], reason: str
) -> None:
    """A run that tells nothing of the case is an error that says why, never a penalty of nothing."""
    with pytest.raises(InstanceError, match=reason):
        kept(PLAN, days, known, pathways, ["cloud", "hall"])
