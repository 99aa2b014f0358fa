"""Instances that the tests on uncertainty share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gwplan as gw
from tests.generate import random_instance

INSTANCES = Path(__file__).resolve().parents[2] / "instances"
PUBLISHED = Path(__file__).resolve().parents[1] / "published"


def random_case(seed: int, folder: Path, aversion: float = 0.0) -> gw.Instance:
    """Return a random instance with an aversion, its tail at 0.3."""
    instance = gw.load(random_instance(seed, folder / f"{seed}"))
    return instance.edited(f"risk.aversion = {aversion}", "risk.tail = 0.3")


def alike(instance: gw.Instance) -> gw.Instance:
    """Return the instance with outcomes that change nothing."""
    same = (replace(f, outcomes=tuple(replace(o, edits=()) for o in f.outcomes)) for f in instance.factors)
    return replace(instance, factors=tuple(same))
