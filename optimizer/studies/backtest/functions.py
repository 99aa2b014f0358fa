"""A planner's own policy as a Python function: what it is shown at a review, and what it may answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.instance.instance import Instance
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.session import Answer
from gwplan.solver.program import FloatArray
from gwplan.studies.backtest.policies import in_service
from gwplan.studies.backtest.state import Course
from gwplan.studies.backtest.walk import Walk
from gwplan.tree.calendar import MONTHS
from gwplan.tree.timeline import Timeline


@dataclass(frozen=True)
class Decision:
    """What a policy decides at a review; it is done as far as limits, ramps, terms and notices let it.

    Attributes
    ----------
    gw : mapping of (str, str) to float
        GW that each pair of pathway and pool should have at the least, until the next review and after it. What no pair
        is given goes where it is worth most.
    contracts : mapping of str to float
        Share of each offer to be signed, and of each contract to be given back, in all; both now, if a window is open.
        What is not named stays as it is.
    """

    gw: Mapping[tuple[str, str], float]
    contracts: Mapping[str, float] = field(default_factory=dict)


class Review:
    """What a policy is shown at a review.

    Attributes
    ----------
    date : datetime.date
        The day of the review.
    instance : Instance
        The instance as it is known that day, as written: without what is still uncertain.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._seen: Timeline = walk.seen(tree=False)
        self._before = walk.state.on(self._seen)
        self.date: dt.date = self._seen.calendar.starts().astype(object)[walk.period]
        self.instance: Instance = self._seen.instance

    @property
    def allocation(self) -> pd.DataFrame:
        """GW of each pair of pathway and pool just before the review: ``pathway``, ``pool``, ``gw``."""
        data, period = self._seen.data, self._walk.period
        used = self._before["allocate"][:, :, period - 1] if period else data.initial[:, :, 0]
        p, q = np.nonzero(data.eligible[:, :, 0])
        names = {"pathway": [data.pathways[i] for i in p], "pool": [data.pools[i] for i in q]}
        return pd.DataFrame({**names, "gw": used[p, q]})

    @property
    def supply(self) -> pd.DataFrame:
        """GW in service as contracts stand, a row a period from now on (its first day), a column a pool."""
        data, since = self._seen.data, self._walk.period
        decided = {name: self._stands(name) for name in ("cancelled", "signed")}
        gw = in_service(data, decided["cancelled"], decided["signed"])[:, since:]
        starts = pd.Index(self._seen.calendar.starts()[since:], name="start")
        return pd.DataFrame(gw.T, index=starts, columns=pd.Index(data.pools))

    @property
    def open(self) -> tuple[str, ...]:
        """The offers that may be signed now, and the contracts that may be given back."""
        return tuple(dict.fromkeys([*self._names("signed"), *self._names("cancelled")]))

    def plan(self, *, tree: bool = False, months: int | None = None) -> Answer:
        """Return the best plan from now on, with all that was decided held.

        Parameters
        ----------
        tree : bool
            Whether it is made on the tree of what is still open; else as written.
        months : int, optional
            How far it looks ahead; None: to the end.
        """
        view = None if months is None else max(-(-months // MONTHS[self.instance.resolution]), 1)
        return self._walk.plan(tree=tree, view=view)

    def _names(self, what: str) -> list[str]:
        data, period = self._seen.data, self._walk.period
        window, of = (data.offered, data.offer_of) if what == "signed" else (data.window, data.way_out_of)
        return [self._seen.contract_of[k] for k in of[window[:, period]].tolist()]

    def _stands(self, what: str) -> FloatArray:
        """Return shares so far, carried on, in shares of each offer or way out and period."""
        so_far = np.nan_to_num(self._before[what]).max(axis=1, initial=0.0)
        stands = self._before[what].copy()
        stands[:, self._walk.period :] = so_far[:, None]
        return stands

    def follow(self, answer: Decision | Answer) -> Course:
        """Return what a policy's answer means to be followed."""
        if isinstance(answer, Answer):
            return self._walk.follow(answer)
        data, since = self._seen.data, self._walk.period
        self._refuse(answer)
        wish = np.zeros((len(data.pathways), len(data.pools), data.tree.size))
        for (pathway, pool), gw in answer.gw.items():
            wish[data.pathways.index(pathway), data.pools.index(pool), since:] = gw
        decided = {"release": np.full((len(data.pathways), data.tree.size), np.nan)}
        for what, window, of in (("signed", data.offered, data.offer_of), ("cancelled", data.window, data.way_out_of)):
            decided[what] = self._stands(what)
            for row in np.flatnonzero(window[:, since]).tolist():
                share = answer.contracts.get(self._seen.contract_of[of[row]], 0.0)
                decided[what][row, since:] = np.maximum(decided[what][row, since:], share)
        return self._walk.follow(self._walk.near(wish, decided))

    def _refuse(self, answer: Decision) -> None:
        """Raise with a line for each name that is not there, and each amount that cannot be."""
        data, problems = self._seen.data, list[Problem]()
        for pair, gw in answer.gw.items():
            for kind, name, known in zip(("pathway", "pool"), pair, (data.pathways, data.pools), strict=True):
                if name not in known:
                    problems.append(Problem(f"policy, {kind}", f"'{name}'", f"no such {kind}", nearest(name, known)))
            if not np.isfinite(gw) or gw < 0:
                problems.append(Problem(f"policy, GW of {' on '.join(pair)}", f"{gw}", "must be at least 0 (GW)"))
        for name, share in answer.contracts.items():
            if name not in self._seen.contract_of:
                known = self._seen.contract_of
                problems.append(Problem("policy, contract", f"'{name}'", "no such contract", nearest(name, known)))
            elif not 0 <= share <= 1:
                problems.append(Problem(f"policy, share of {name}", f"{share}", "must be from 0 to 1"))
        if problems:
            raise InstanceError(problems)


Decides = Callable[[Review], Any]
"""A policy as a function: returns a `Decision`, GW by pathway and pool, or a plan to be followed."""

FUNCTIONS: Final[dict[str, Decides]] = {}
"""Policies of this process, by name."""


def by_function(decides: Decides) -> Callable[[Walk], Course]:
    """Return the policy of a function."""

    def decide(walk: Walk) -> Course:
        review = Review(walk)
        answer = decides(review)
        return review.follow(Decision(answer) if isinstance(answer, Mapping) else answer)

    return decide
