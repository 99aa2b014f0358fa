"""The most to pay for an offer, what its clauses are worth, and what waiting is: each re-optimised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.tolerances import ROUNDING
from gwplan.errors import InfeasibleError
from gwplan.instance.instance import Instance
from gwplan.language.cursor import Cell, Name, Operation
from gwplan.language.edits import Edit, noted
from gwplan.models.data import BoolArray, PlanData
from gwplan.plan.tables import gained, leaf_worth
from gwplan.plan.values import values
from gwplan.planning import valid
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.session import Answer, Session
from gwplan.solver.program import FloatArray, LinearProgram, SolveOptions
from gwplan.solver.solving import with_whole_fixed
from gwplan.solver.weights import node_weights
from gwplan.studies.attempt import Told, why_no_plan
from gwplan.tree.layouts import Layouts
from gwplan.tree.timeline import Timeline, branching, reveals, timeline

AVERSIONS: Final = (0.0, 0.5)
"""Weights on CVaR at which an offer is priced; the second alone where futures differ."""

FIRST_GW: Final = (0.1, 1.0)
"""Sizes beside the whole, GW: what is told of the first piece of an offer."""

LATER_MONTHS: Final = (3, 6, 12)
"""Months by which a decision is put off."""

MOST_MOMENTS: Final = 40
"""Dates, and what may be known on them, at which a signature is priced."""

TRIES: Final = 60
"""Re-solves that a search for one price may take; where worth is piecewise linear three or four are enough."""

NO_PRICE: Final = {False: "not even at a price of 0", True: "even at a price of 0"}
"""Why there is no most to pay, or of a contract sold no least to take."""

UNBILLED: Final = "nothing of it would be billed"


@dataclass(frozen=True)
class MostToPay:
    """The price at which signing so much of an offer, and not signing, are worth the same.

    Attributes
    ----------
    aversion : float
        Weight on CVaR.
    signed_on, until : str
        First and last date of signature with this figure: between them neither what is known nor the terms change.
    known : str
        What is known by then, ``factor=outcome`` joined by a comma; it is signed in these futures alone. Blank: in all.
    probability : float
        Of what is known.
    gw : float
        GW that are signed.
    asked : float
        Price that is asked on that date, $bn per GW-year.
    price : float or None
        The most to pay, of a contract sold the least to take, $bn per GW-year; None: see `reason`.
    by_terminal_value : float or None
        Change of `price` per unit of the pool's terminal value, both $bn per GW-year; None where the pool has none.
    gain_bn : float or None
        What signing it at the price asked adds to the plan, $bn; None where no plan keeps every limit then.
    reason : str
        Why there is no price.
    """

    aversion: float
    signed_on: str
    until: str
    known: str
    probability: float
    gw: float
    asked: float
    price: float | None
    by_terminal_value: float | None
    gain_bn: float | None
    reason: str = ""


@dataclass(frozen=True)
class Clause:
    """What a clause of an offer adds, the rest as written, any share of the offer allowed."""

    aversion: float  # weight on CVaR
    clause: str  # in words
    has: bool  # whether the offer has it; else it is what the clause would add
    value_bn: float | None  # worth with it less worth without, at the price asked, $bn; None: no plan
    # by how much the offer may be dearer with the clause to be worth what it is without, $bn per GW-year
    price: float | None
    # change of the two per unit of the pool's terminal value; None where it has none, or the figure is none
    value_by_terminal_value: float | None
    price_by_terminal_value: float | None
    reason: str = ""  # why there is no figure


@dataclass(frozen=True)
class Waiting:
    """What it is worth to sign an offer when a factor is revealed, not before."""

    aversion: float  # weight on CVaR
    factor: str  # the factors that are revealed
    revealed: str  # the first date of signature on which they are known
    before_bn: float  # worth of the plan if it must be signed by the last date before, $bn
    after_bn: float  # the same if it may be signed on that date, too, $bn
    value_bn: float  # the difference, $bn
    by_terminal_value: float | None  # its change per unit of the pool's terminal value; None where it has none


@dataclass(frozen=True)
class OfferPrice:
    """What to pay for an offer, or what to take for it.

    Attributes
    ----------
    instance : Instance
        What was planned for.
    offer, pool : str
        The contract on offer and its pool.
    sold : bool
        Whether it is sold: then prices are the least to take.
    gw : float
        GW of the whole offer.
    asked : float
        Its price now, $bn per GW-year.
    terminal_value : float or None
        Of the pool, $bn per GW-year.
    beyond : float
        Share of its discounted GW-years that lies beyond the plan, if it is signed as soon as it can be.
    signed : dict of float to float
        Share of it that the plan signs at the price asked, expected, by aversion.
    without_bn, with_bn : dict of float to float
        Worth of the plan without the offer, and with it at the price asked in any share, $bn, by aversion.
    most : tuple of MostToPay
        By aversion, size, date and what is known.
    clauses : tuple of Clause
        By aversion.
    waiting : tuple of Waiting
        By aversion and date on which something is revealed.
    left_out : int
        Dates and futures in which a signature was not priced.
    """

    instance: Instance
    offer: str
    pool: str
    sold: bool
    gw: float
    asked: float
    terminal_value: float | None
    beyond: float
    signed: dict[float, float]
    without_bn: dict[float, float]
    with_bn: dict[float, float]
    most: tuple[MostToPay, ...]
    clauses: tuple[Clause, ...]
    waiting: tuple[Waiting, ...]
    left_out: int

    def as_dict(self) -> dict[str, Any]:
        """Return every figure under its name, ready for JSON."""
        figures = {name: value for name, value in self.__dict__.items() if name != "instance"}
        for name in ("signed", "without_bn", "with_bn"):
            figures[name] = {f"{aversion:g}": value for aversion, value in figures[name].items()}
        for name in ("most", "clauses", "waiting"):
            figures[name] = [asdict(row) for row in figures[name]]
        return {"instance": self.instance.name, **figures}

    def table(self) -> pd.DataFrame:
        """Return all rows in one table; ``part`` is ``most``, ``clause`` or ``waiting``."""
        parts: dict[str, tuple[Any, ...]] = {"most": self.most, "clause": self.clauses, "waiting": self.waiting}
        return pd.DataFrame([{"part": name, **asdict(row)} for name, rows in parts.items() for row in rows])


def price(
    instance: Instance, offer: str, options: SolveOptions | None = None, *, progress: Told | None = None
) -> OfferPrice:
    """Return the most to pay for an offer by date, size and aversion to risk, and what its clauses are worth.

    Every figure is re-optimised: the plan with the offer signed at the price that is returned is worth what the plan
    without the offer is.

    Parameters
    ----------
    instance : Instance
        What to plan for.
    offer : str
        A contract with a row in ``offers``.
    options : SolveOptions, optional
        Solver options of every solve.
    progress : callable, optional
        Told what is being solved.

    Raises
    ------
    InstanceError
        If there is no such offer.
    InfeasibleError, StoppedError, SolverError
        As `gwplan.solve`.
    AuditError
        If a plan fails its own check.
    """
    _refuse(instance, offer)
    tell = progress or (lambda stage: None)
    freed = instance.edited(
        *(_edit("offers", "set", offer, column, value)
          for column, value in (("indivisible", False), ("min_share", 0.0), ("least_share", 0.0), ("max_share", 1.0)))
    )  # fmt: skip
    parts: list[_Pricing] = []
    for aversion in AVERSIONS if branching(instance) else AVERSIONS[:1]:
        tell(f"the plan at aversion {aversion:g}")
        averse = noted(Edit("risk", "set", {}, "aversion", aversion))
        with Session(freed.edited(averse), options) as session:
            part = _Pricing(session, offer, aversion, tell)
            part.work()
            parts.append(part)
    first = parts[0]
    return OfferPrice(
        instance, offer, first.pool, first.sold, first.gw, first.asked, first.terminal_value, first.beyond,
        {part.aversion: part.share for part in parts},
        {part.aversion: part.without.objective_bn for part in parts},
        {part.aversion: part.free.objective_bn for part in parts},
        tuple(row for part in parts for row in part.most),
        tuple(row for part in parts for row in part.clauses),
        tuple(row for part in parts for row in part.waiting),
        first.left_out,
    )  # fmt: skip


def _refuse(instance: Instance, offer: str) -> None:
    offers = instance.tables["offers"]["contract"].tolist()
    if offer in offers:
        return
    known = f"offers are: {', '.join(offers)}" if offers else "there are none; add one to offers.csv"
    if offer in set(instance.tables["contracts"]["contract"]):
        rule, remedy = "it is a firm contract: nothing of it is left to sign", known
    else:
        rule, remedy = "no such offer", f"{nearest(offer, offers)}; {known}" if offers else known
    raise InstanceError(Problem(f"offer {offer}", rule, remedy))


def _digest(data: PlanData) -> bytes:
    """Return what tells one plan's data from another's."""
    digest = hashlib.blake2b(digest_size=16)
    for name, value in vars(data).items():
        if isinstance(value, np.ndarray):
            digest.update(name.encode() + str(value.shape).encode() + value.tobytes())
    return digest.digest()


def _edit(table: str, operation: Operation, contract: str, column: str = "", value: Cell = "", **where: Cell) -> Edit:
    return noted(Edit(table, operation, {"contract": Name(contract), **where}, column, value))


@dataclass(frozen=True)
class _Moment:
    """A node on which the offer may be signed, and the last date with the same terms and knowledge."""

    node: int
    until: int  # period


@dataclass(frozen=True)
class _Indifferent:
    """Where a case is worth a target."""

    dearer: float  # by how much worse for us the price is there than the one asked, $bn per GW-year
    answer: Answer


class _Pricing:
    """One offer at one aversion, priced from a session whose base may sign any share of it."""

    def __init__(self, session: Session, offer: str, aversion: float, tell: Told) -> None:
        self.session, self.offer, self.aversion, self._tell = session, offer, aversion, tell
        self._layouts = Layouts(by_content=True)
        self._steps: dict[tuple[str, ...], PlanData] = {}
        self._answers: dict[tuple[bytes, bytes | None], Answer] = {}
        valid(session.instance, self._layouts)
        timeline(session.instance, self._layouts)
        self.free, self.laid_out = session.base, session.base.laid_out
        data = self.data = self.laid_out.data
        self._of = np.array([self.laid_out.contract_of[k] == offer for k in data.offer_of.tolist()], dtype=bool)
        self._rows = data.offer_of[self._of]
        contracts, pools = session.instance.filled("contracts"), session.instance.filled("pools")
        self.pool = str(contracts["pool"][contracts["contract"] == offer].iloc[0])
        self.sold = bool(data.sold[self._rows].all())
        worth = float(pools["terminal_value_bn_per_gw_year"][pools["pool"] == self.pool].iloc[0])
        self.terminal_value = None if np.isnan(worth) else worth
        self.gw = float(data.contracted[self._rows].max(initial=0.0))
        offered = data.offered[self._of].any(axis=0)
        self._prices = data.price[self._of].max(axis=0)
        self.asked = float(self._prices[offered][0]) if offered.any() else 0.0
        self._least_price = float(data.price[self._of][:, offered].min(initial=self.asked))
        self._side = -1.0 if self.sold else 1.0
        self.without = self._solved(held=np.zeros(data.tree.size))
        last = np.maximum(data.last_offer[self._of].max(axis=0)[data.tree.leaves], 0)
        shares = self.free.decided.signed[self._of].sum(axis=0)[last]
        self.share = float(shares @ data.tree.probability[data.tree.leaves])
        self._moments = self._all_moments()
        if not self._moments or self.gw <= ROUNDING:
            never = "no date of its window starts a period: it can never be signed"
            what = "it delivers nothing" if self._moments else never
            raise InstanceError(Problem(f"offer {offer}", what, "correct its row in offers.csv, or its deliveries"))
        self.left_out = max(len(self._moments) - MOST_MOMENTS, 0)
        del self._moments[MOST_MOMENTS:]
        self.most: list[MostToPay] = []
        self.clauses: list[Clause] = []
        self.waiting: list[Waiting] = []

    def work(self) -> None:
        """Price every date and size, then clauses, then waiting."""
        for answer in (self.free, self.without):
            answer.audited  # noqa: B018 - audited here, before anything is said of it
        self.beyond = self._beyond()
        sizes = [gw for gw in FIRST_GW if gw < self.gw - ROUNDING]
        for gw in [*sizes, self.gw]:
            for moment in self._moments:
                self.most.append(self._priced(moment, gw))
        self.clauses += self._all_clauses()
        self.waiting += self._all_waiting()

    # ---- cases

    def _case(self, edits: Sequence[Edit], dearer: float = 0.0) -> Instance:
        case = self.session.instance.edited(*edits)
        return case.edited(*self._price_edits(case, self._side * dearer)) if dearer else case

    def _price_edits(self, case: Instance, by: float) -> Iterator[Edit]:
        """Yield what adds to the offer's price, $bn per GW-year, on whatever date it is signed."""
        column = "cost_bn_per_gw_year"
        yield _edit("contracts", "set", self.offer, column, max(self._cost(case) + by, 0.0))
        steps = case.tables["offer_prices"]
        for row, cost in steps.loc[steps["contract"] == self.offer, column].dropna().items():
            yield noted(Edit("offer_prices", "set", {"row": int(str(row))}, column, max(float(cost) + by, 0.0)))

    def _cost(self, case: Instance) -> float:
        table = case.filled("contracts")
        return float(table.loc[table["contract"] == self.offer, "cost_bn_per_gw_year"].iloc[0])

    def _laid_out(self, case: Instance) -> Timeline:
        layouts = self._layouts.forked()
        valid(case, layouts)
        return timeline(case, layouts)

    def _step(self, edits: Sequence[Edit], by: str) -> PlanData:
        """Return the data of a case, with ``price`` or ``terminal`` value 1 $bn per GW-year higher; made once."""
        key = (by, *(edit.text for edit in edits))
        if key not in self._steps:
            case = self._case(edits)
            if by == "price":
                case = case.edited(*self._price_edits(case, 1.0))
            elif by == "terminal":
                column, higher = "terminal_value_bn_per_gw_year", (self.terminal_value or 0.0) + 1.0
                case = case.edited(noted(Edit("pools", "set", {"pool": Name(self.pool)}, column, higher)))
            self._steps[key] = timeline(case, self._layouts.forked()).data
        return self._steps[key]

    def _solved(
        self,
        edits: Sequence[Edit] = (),
        dearer: float = 0.0,
        held: FloatArray | None = None,
        start: Answer | None = None,
        whole: FloatArray | None = None,
    ) -> Answer:
        """Return the plan with edits, the price that much worse for us; with the share signed by node held, (N,).

        With `whole` (n,) whole numbers stay as they are in these columns. What was solved before is not solved again.
        """
        laid_out = self._laid_out(self._case(edits, dearer)) if edits or dearer else self.laid_out

        def narrowed(program: LinearProgram) -> LinearProgram:
            program = self._held(program, held) if held is not None else program
            return program if whole is None else with_whole_fixed(program, whole)

        narrow = None if held is None and whole is None else narrowed
        if whole is not None:
            return self.session.solve_laid_out(laid_out, narrowed=narrow, start=start)
        key = (_digest(laid_out.data), None if held is None else held.tobytes())
        if key not in self._answers:
            self._answers[key] = self.session.solve_laid_out(laid_out, narrowed=narrow, start=start)
        return self._answers[key]

    def _held(self, program: LinearProgram, share: FloatArray) -> LinearProgram:
        keys, place = program.column_keys["signed"], program.columns["signed"]
        names = {name for name, of in zip(self.data.offers, self._of, strict=True) if of}
        own = np.array([program.labels[code] in names for code in keys[:, 0].tolist()], dtype=bool)
        lower, upper = program.column_lower.copy(), program.column_upper.copy()
        at = place.start + np.flatnonzero(own)
        lower[at] = upper[at] = share[keys[own, 1]]
        return replace(program, column_lower=lower, column_upper=upper)

    def _rate(self, answer: Answer, edits: Sequence[Edit], by: str) -> float:
        """Return the change of a case's worth per unit of its price or terminal value, futures weighed as planned.

        Both enter worth alone, evenly, so that what they add to the same decisions is the slope of the optimum.
        """
        weight = node_weights(answer.program, answer.row_duals)[self.data.tree.leaves]
        worth = [
            leaf_worth(data, values(answer.program, data, answer.columns))
            for data in (self._step(edits, by), self._step(edits, ""))
        ]
        return float((worth[0] - worth[1]) @ weight)

    def _by_price(self, answer: Answer, edits: Sequence[Edit] = ()) -> float:
        """Return the change of worth per $bn per GW-year by which the price is worse for us: at most 0."""
        return self._side * self._rate(answer, edits, "price")

    def _by_terminal(self, answer: Answer, edits: Sequence[Edit] = ()) -> float:
        """Return the change of worth per unit of the pool's terminal value; 0 without one."""
        return 0.0 if self.terminal_value is None else self._rate(answer, edits, "terminal")

    def _indifferent(
        self,
        edits: Sequence[Edit],
        held: FloatArray | None,
        target: float,
        start: Answer,
        asked: float,
        begun: float = 0.0,
        whole: FloatArray | None = None,
    ) -> _Indifferent | None:
        """Return where a case is worth the target; None where no price from 0 on, for the one asked, makes it so.

        Worth falls as the price gets worse. Without aversion it is convex and piecewise linear in it, so that Newton's
        steps end on the root itself; a step that leaves the bracket is halved. Where whole numbers are searched for the
        root with these held is found first: there the search often only confirms them.

        Parameters
        ----------
        edits, held, whole
            The case, as `_solved` takes it.
        target, asked : float
            Worth, $bn; price, $bn per GW-year.
        start : Answer
            The case where the price is `begun` worse for us.
        """
        end, dearer, answer = self._side * -asked, begun, start
        bounds: dict[bool, float | None] = {True: None, False: None}
        for _ in range(TRIES):
            over = answer.objective_bn - target
            if abs(over) <= ROUNDING * (1 + abs(target)):
                break
            bounds[over > 0] = dearer
            if dearer == end and (over > 0) == self.sold:
                return None
            slope = self._by_price(answer, edits)
            step = dearer - over / slope if slope < -ROUNDING else None
            if whole is None and answer.program.whole.any():
                fixed = self._indifferent(edits, held, target, answer, asked, dearer, answer.columns)
                step = fixed.dearer if fixed else step
            near, far = bounds[True], bounds[False]
            inside = step is not None and (near is None or step > near) and (far is None or step < far)
            if not inside:
                if near is None or far is None:
                    step = end if (over > 0) == self.sold else None
                else:
                    step = (near + far) / 2
                    if abs(far - near) <= ROUNDING:
                        break
            if step is None:
                return None
            dearer = min(step, end) if self.sold else max(step, end)
            answer = self._solved(edits, dearer, held, answer, whole)
        return _Indifferent(dearer, answer)

    # ---- the most to pay

    def _below(self, node: int) -> BoolArray:
        """Return whether each node is the node itself or comes after it, shape (N,)."""
        return np.asarray((self.data.tree.path == node).any(axis=1))

    def _all_moments(self) -> list[_Moment]:
        """Return the nodes on which a signature is another decision than on the node before, in order of dates."""
        data, tree = self.data, self.data.tree
        by_signature = (data.unit, data.due, data.prepaid_signed, data.upfront_signed, data.late_signed)
        terms = [unit[self._of] for unit in (*by_signature, data.terminal_unit)]
        fee = (data.signing_fee * data.node_discount)[self._of]
        alone = np.bincount(tree.parent[tree.parent >= 0], minlength=tree.size) == 1
        moments: dict[int, _Moment] = {}
        stands: dict[int, int] = {}
        for node in np.flatnonzero(data.offered[self._of].any(axis=0)).tolist():
            above, below = int(tree.parent[node]), self._below(node)
            t = int(tree.period[node])
            same = above in stands and alone[above] and bool(np.allclose(fee[:, node], fee[:, above], atol=ROUNDING))
            same = same and all(
                np.allclose(unit[:, t, below], unit[:, t - 1, below], atol=ROUNDING)
                and not np.any(np.abs(unit[:, t - 1, above]) > ROUNDING)
                for unit in terms
            )
            stands[node] = stands[above] if same else node
            moments[stands[node]] = _Moment(stands[node], t)
        return list(moments.values())

    def _priced(self, moment: _Moment, gw: float) -> MostToPay:
        tree, node, starts = self.data.tree, moment.node, self.laid_out.calendar.starts()
        signed_on, until = str(starts[tree.period[node]]), str(starts[moment.until])
        self._tell(f"aversion {self.aversion:g}: {gw:g} GW signed on {signed_on}")
        certain = bool(self._below(node)[tree.period == tree.period[node]].all())
        asked = float(self._prices[node])
        held = np.where(self._below(node), gw / self.gw, 0.0)
        row = MostToPay(
            self.aversion, signed_on, until, "" if certain else self.laid_out.known[node],
            float(tree.probability[node]), gw, asked, None, None, None,
        )  # fmt: skip
        try:
            answer = self._solved(held=held)
            there = self._indifferent((), held, self.without.objective_bn, answer, asked)
        except InfeasibleError as error:
            return replace(row, reason=why_no_plan(error))
        gain = gained(answer.objective_bn, self.without.objective_bn)
        if there is None or self._by_price(answer) > -ROUNDING:
            billed = self._by_price(answer) <= -ROUNDING
            return replace(row, gain_bn=gain, reason=NO_PRICE[self.sold] if billed else UNBILLED)
        there.answer.audited  # noqa: B018 - audited here, before anything is said of it
        slope = self._dearer_by_terminal(there.answer, (), self._by_terminal(self.without))
        slope = None if slope is None else self._side * slope
        return replace(row, gain_bn=gain, price=asked + self._side * there.dearer, by_terminal_value=slope)

    def _dearer_by_terminal(self, there: Answer, edits: Sequence[Edit], other: float) -> float | None:
        """Return how much worse a price of indifference may be per unit of the terminal value, which adds `other`."""
        by_price = self._by_price(there, edits)
        if self.terminal_value is None or by_price > -ROUNDING:
            return None
        return (self._by_terminal(there, edits) - other) / -by_price

    def _beyond(self) -> float:
        """Return the share of the offer's discounted GW-years that lies beyond the plan, signed on the first date."""
        data, program = self.data, self.free.program
        held = self._held(program, np.where(self._below(self._moments[0].node), 1.0, 0.0))
        columns = np.zeros(len(program.cost))
        columns[program.columns["signed"]] = np.where(held.column_lower == held.column_upper, held.column_lower, 0.0)[
            program.columns["signed"]
        ]
        signed = values(program, data, columns)
        dearer = self._step((), "price")
        leaves = data.tree.probability[data.tree.leaves]
        paid = abs(float((leaf_worth(dearer, values(program, dearer, columns)) - leaf_worth(data, signed)) @ leaves))
        years = data.dt * data.node_discount * data.tree.probability
        within = float(signed.in_service[self._rows].sum(axis=0) @ years)
        return max(0.0, 1 - within / paid) if paid > ROUNDING else 0.0

    # ---- clauses

    def _terms(self) -> Iterator[tuple[str, bool, list[Edit]]]:
        """Yield each clause in words, whether the offer has it, and the edits that take it away, or give it."""
        instance, offer = self.session.instance, self.offer
        ways_out = instance.tables["cancellations"]
        for window in ways_out.loc[ways_out["contract"] == offer, "window"].tolist():
            named = f"the way out '{window}'" if window else "the way out"
            yield named, True, [_edit("cancellations", "drop", offer, window=Name(window))]
        offers = instance.filled("offers")
        for extension in offers.loc[offers["extends"] == offer, "contract"].tolist():
            shares = ("least_share", "min_share", "max_share")
            yield f"the extension {extension}", True, [_edit("offers", "set", extension, s, 0.0) for s in shares]
        own = offers[offers["contract"] == offer].iloc[0]
        if int(own["lead_days"]) > 1:
            half = int(own["lead_days"]) // 2
            yield f"a lead half as long, {half} days", False, [_edit("offers", "set", offer, "lead_days", half)]
        if (instance.tables["deliveries"]["contract"] == offer).any():
            yield "half the size", False, [_edit("deliveries", "scale", offer, "gw", 0.5)]
        for months in LATER_MONTHS:
            yield f"deciding {months} months later", False, [_edit("offers", "shift_months", offer, "closes", months)]

    def _all_clauses(self) -> Iterator[Clause]:
        for words, has, edits in self._terms():
            self._tell(f"aversion {self.aversion:g}: {words}")
            yield self._clause(words, has, edits)
        self._tell(f"aversion {self.aversion:g}: whole or not at all")
        yield self._clause("any share, not whole alone", True, None)

    def _clause(self, words: str, has: bool, edits: list[Edit] | None) -> Clause:
        row = Clause(self.aversion, words, has, None, None, None, None)
        try:
            other, changed = (self._whole(), []) if edits is None else (self._solved(edits), edits)
        except InfeasibleError as error:
            return replace(row, reason=why_no_plan(error))
        with_it, without = (self.free, other) if has else (other, self.free)
        added = gained(with_it.objective_bn, without.objective_bn)
        cases = sorted(((self.free, ()), (other, changed)), key=lambda case: case[0].objective_bn)
        (worse, less), (better, more) = cases
        sign, by_terminal = (1.0 if added >= 0 else -1.0), None
        if self.terminal_value is not None:
            by_terminal = sign * (self._by_terminal(better, more) - self._by_terminal(worse, less)) if added else 0.0
        row = replace(row, value_bn=added, value_by_terminal_value=by_terminal)
        if not added:
            return replace(row, price=0.0, price_by_terminal_value=by_terminal)
        there = self._indifferent(more, None, worse.objective_bn, better, self._least_price)
        if there is None:
            return replace(row, reason="no price makes up for it")
        slope = self._dearer_by_terminal(there.answer, more, self._by_terminal(worse, less))
        return replace(row, price=sign * there.dearer, price_by_terminal_value=None if slope is None else sign * slope)

    def _whole(self) -> Answer:
        """Return the best plan that signs all of the offer or nothing, at the price asked.

        Where nothing is revealed while it may be signed, it is signed on one date or on none; else a search tells.
        """
        tree, offered = self.data.tree, self.data.offered[self._of].any(axis=0)
        if np.bincount(tree.period[offered]).max(initial=0) > 1:
            return self._solved([_edit("offers", "set", self.offer, "indivisible", True)])
        best = self.without
        for moment in self._moments:
            try:
                answer = self._solved(held=np.where(self._below(moment.node), 1.0, 0.0))
            except InfeasibleError:
                continue
            best = answer if answer.objective_bn > best.objective_bn else best
        return best

    # ---- waiting

    def _all_waiting(self) -> Iterator[Waiting]:
        """Yield what it is worth to sign when something is revealed, not by the last date before, by such date."""
        instance, starts = self.session.instance, self.laid_out.calendar.starts()
        own = instance.tables["offers"].set_index("contract").loc[self.offer]
        opens, revealed = np.datetime64(own["opens"], "D"), reveals(instance)
        splits = branching(instance)
        for period in sorted({revealed[f] for f in splits} - {0}):
            if starts[period - 1] < opens:
                continue
            names = ", ".join(instance.factors[f].name for f in splits if revealed[f] == period)
            self._tell(f"aversion {self.aversion:g}: waiting for {names}")
            days = (starts[period - 1].item(), starts[period].item())
            edits = [[_edit("offers", "set", self.offer, "closes", day)] for day in days]
            before, after = (self._solved(edit) for edit in edits)
            slope = None
            if self.terminal_value is not None:
                slope = self._by_terminal(after, edits[1]) - self._by_terminal(before, edits[0])
            value = gained(after.objective_bn, before.objective_bn)
            yield Waiting(
                self.aversion, names, str(starts[period]), before.objective_bn, after.objective_bn, value, slope
            )
