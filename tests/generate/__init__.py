"""Random planning instances: valid, nearly always feasible, and small enough to be solved in a moment."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from tests.generate import tables
from tests.generate.commitments import add_commitments
from tests.generate.draft import Draft
from tests.generate.files import write
from tests.generate.outcomes import add_factors
from tests.generate.terms import add_terms

__all__ = ["instances", "random_instance"]

INFEASIBLE_SHARE = 0.03


def random_instance(
    seed: int, folder: Path, *, size: str = "small", integers: bool = False, commitments: bool = False
) -> Path:
    """Write a random instance folder and return it.

    Parameters
    ----------
    seed : int
        Equal seeds write equal folders, byte by byte.
    folder : Path
        Created if need be; no instance may be in it.
    size : {"small", "medium"}
        Small: 4 to 14 periods, fewer than 150 nodes. Medium: 8 to 36 periods, fewer than 1,000 nodes.
    integers : bool
        Whether to use indivisible contracts and least blocks.
    commitments : bool
        Whether to add offers, extensions, second ways out, contracts sold, terms as filed, and
        effectiveness by date.
    """
    draft = Draft(np.random.default_rng([seed, 20260701]), size)
    draft.resolution = str(draft.rng.choice(["month", "quarter", "year"], p=[0.5, 0.3, 0.2]))
    draft.months = {"month": 1, "quarter": 3, "year": 12}[draft.resolution]
    draft.periods = draft.count(*tables.SIZES[size][draft.resolution])
    draft.start = dt.date(draft.count(2026, 2029), draft.count(1, 13), 1)
    tables.add_supply(draft, integers)
    tables.add_use(draft, integers, dated=commitments)
    tables.add_running(draft, np.random.default_rng([seed, 20270101]))
    if draft.chance(INFEASIBLE_SHARE):
        tables.ask_too_much(draft)
    else:
        add_factors(draft)
    if commitments:
        add_commitments(draft, np.random.default_rng([seed, 20261129]), integers)
        add_terms(draft, np.random.default_rng([seed, 20261130]))
    write(draft, folder, f"random {seed}")
    return folder


def instances() -> st.SearchStrategy[int]:
    """Return a hypothesis strategy of seeds for `random_instance`."""
    return st.integers(min_value=0, max_value=2**32 - 1)
