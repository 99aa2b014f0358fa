"""What uncertainty costs, what flexibility is worth and what to do first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from gwplan.catalogue.tolerances import DECIDED, PROVED
from gwplan.errors import AuditError, InfeasibleError
from gwplan.instance.chances import chances
from gwplan.instance.instance import Instance
from gwplan.models.data import BoolArray, PlanData
from gwplan.models.restricted import DEDICATED, RIGID
from gwplan.models.tree import Tree, build_tree
from gwplan.plan.first_moves import Branch, first_moves
from gwplan.plan.plan import cancelled_gw
from gwplan.plan.tables import QUANTILES, cvar, gained, quantile, weighed
from gwplan.plan.values import Values
from gwplan.session import Answer, Session
from gwplan.shown import by_notebook
from gwplan.solver.program import FloatArray, IntArray, LinearProgram, SolveOptions
from gwplan.solver.stages import fixed_where, matching_nodes
from gwplan.studies.attempt import Solved, Told, why_no_plan
from gwplan.tree.timeline import Timeline, branching, reveals

DECIDED_EARLY = ("allocate", "cancelled", "signed", "release")
"""What the plan as written decides before the first reveal; what is signed and breached follows."""


def tried(solve: Callable[[], Answer], reason: str) -> Solved:
    """Return a case's worth, or the reason given where no plan keeps every limit."""
    try:
        return Solved(solve().objective_bn)
    except InfeasibleError:
        return Solved(None, reason)


# ---- more knowledge


def foresight(session: Session) -> FloatArray:
    """Return the worth of each future planned alone, $bn, in the order of the tree's leaves."""
    laid_out = session.base.laid_out
    answers = (session.solve_laid_out(_alone(laid_out, leaf)) for leaf in laid_out.data.tree.leaves.tolist())
    return np.array([answer.objective_bn for answer in answers])


def _alone(laid_out: Timeline, leaf: int) -> Timeline:
    """Return one future as if it were certain; a fee's basis stays what the tree makes it, since a contract says it."""
    tree, factors = laid_out.data.tree, laid_out.instance.factors
    scenario = int(tree.example[leaf])
    path = build_tree(tree.periods, [0] * len(factors), [[1.0]] * len(factors))
    outcomes = zip(factors, tree.scenario_outcome[scenario].tolist(), strict=True)
    certain = laid_out.instance.given({factor.name: factor.outcomes[o].name for factor, o in outcomes})
    data = replace(laid_out.data.on_tree(path, np.array([scenario])), aversion=0.0)
    return Timeline(certain, data, (laid_out.scenarios[scenario],), laid_out.names)


def informed(session: Session, factor: int) -> Answer:
    """Return the plan made when one factor alone is revealed at the start."""
    laid_out = session.base.laid_out
    instance, tree = laid_out.instance, laid_out.data.tree
    revealed = reveals(instance)
    revealed[factor] = 0
    tree_then = build_tree(tree.periods, revealed, chances(instance.factors))
    factors = tuple(replace(f, revealed=instance.start) if i == factor else f for i, f in enumerate(instance.factors))
    data = laid_out.data.on_tree(tree_then, np.arange(len(tree.node_of)))
    return session.solve_laid_out(
        Timeline(replace(instance, factors=factors), data, laid_out.scenarios, laid_out.names)
    )


# ---- less care


def as_written(instance: Instance) -> Instance:
    """Return an instance without its uncertainty; what is certain to come, an outcome without alternative, stays."""
    return replace(instance, factors=tuple(f for f in instance.factors if len(f.outcomes) == 1))


def expected_result(session: Session) -> Solved:
    """Return the worth of following the plan of the instance as written until the first reveal, the best plan after."""
    laid_out = session.base.laid_out
    tree = laid_out.data.tree
    try:
        written = session.solve_case(as_written(session.instance))
    except InfeasibleError as error:
        return Solved(None, f"the instance as written, without its outcomes, has no plan: {why_no_plan(error)}")
    node = matching_nodes(written.laid_out, laid_out)
    early = tree.period < first_split(tree)
    when = laid_out.calendar.starts(tree.periods + 1)[first_split(tree)]

    def kept(program: LinearProgram) -> LinearProgram:
        decided = np.where(np.abs(written.columns) < DECIDED, 0.0, written.columns)
        return fixed_where(DECIDED_EARLY, decided, written.program, program, np.where(early, node, -1))

    return tried(
        lambda: session.solve_laid_out(laid_out, narrowed=kept),
        f"what the plan as written decides before {when} leaves no plan that keeps every limit in every future",
    )


def first_split(tree: Tree) -> int:
    """Return the period in which the first node has a sibling; the number of periods where none has."""
    nodes: IntArray = np.bincount(tree.period, minlength=tree.periods)
    return int(np.argmax(nodes > 1)) if (nodes > 1).any() else tree.periods


# ---- less freedom


def rigid(session: Session) -> Solved:
    """Return the worth of the best plan with one split of the capacity per period for all futures."""
    return tried(
        lambda: session.solve_laid_out(session.base.laid_out, restriction=RIGID),
        "no split of the capacity that is the same in all futures keeps every limit",
    )


def dedicated(session: Session) -> Solved:
    """Return the worth of the best plan in which each pathway owns a fixed part of each pool.

    The parts that the plan gives on average are tried first: with them fixed the rest is solved fast, and from there
    the best parts are near. Parts of what may still be signed would be products: what the plan signs is taken as given.
    """
    laid_out, decided = session.base.laid_out, session.base.decided
    data = laid_out.data
    bought = data.in_pools(~data.sold[:, None] * decided.signed_gw)
    owned = replace(laid_out, data=replace(data, signed_supply=bought))

    def as_signed(program: LinearProgram) -> LinearProgram:
        """Hold every offer at the share that the plan signs of it."""
        return fixed_where(("signed",), session.base.columns, session.base.program, program, np.arange(data.tree.size))

    try:
        start = session.solve_laid_out(
            owned, restriction=DEDICATED, narrowed=lambda p: _parts_fixed(as_signed(p), decided, bought)
        )
    except InfeasibleError:
        start = None
    return tried(
        lambda: session.solve_laid_out(owned, restriction=DEDICATED, narrowed=as_signed, start=start),
        "no fixed parts of the pools keep every limit in every future",
    )


def _parts_fixed(program: LinearProgram, decided: Values, bought: FloatArray) -> LinearProgram:
    """Return the dedicated program with each part of what is bought (GW, shape (Q, N)) at its mean over the nodes."""
    data, supply = decided.data, bought[None, :, :]
    used = np.divide(decided.allocate, supply, out=np.zeros_like(decided.allocate), where=supply > 0)
    years = data.tree.probability * (bought > 0)
    share = (used * years).sum(axis=2) / np.maximum(years.sum(axis=1), 1e-300)
    keys = [[program.labels[code] for code in key] for key in program.column_keys["share"].tolist()]
    at = program.columns["share"]
    lower, upper = program.column_lower.copy(), program.column_upper.copy()
    lower[at] = upper[at] = [share[data.pathways.index(p), data.pools.index(q)] for p, q in keys]
    return replace(program, column_lower=lower, column_upper=upper)


@dataclass(frozen=True)
class Point:
    """A plan on the risk frontier."""

    aversion: float  # weight on CVaR
    # what the plan maximises, its expected worth and the mean of its worst outcomes, $bn
    objective_bn: float
    expected_bn: float
    cvar_bn: float
    gw_years: dict[str, float]  # expected GW-years by pathway
    # expected idle GW-years; expected GW for which notice is given
    idle_gw_years: float
    cancelled_gw: float


def risk_frontier(session: Session, count: int, tell: Told) -> list[Point]:
    """Return the plans of aversions 0, 1/count, 2/count, ... below 1, and of the instance's own."""
    instance = session.instance
    points = []
    for aversion in sorted({*(step / count for step in range(count)), instance.aversion}):
        tell(f"aversion {aversion:g}")
        answer = session.solve(f"risk.aversion = {aversion!r}")
        data, decided = answer.laid_out.data, answer.decided
        probability = data.tree.probability
        at_leaves = probability[data.tree.leaves]
        points.append(
            Point(
                aversion,
                answer.objective_bn,
                float(answer.leaf_worth @ at_leaves),
                cvar(answer.leaf_worth, at_leaves, instance.tail),
                dict(zip(data.pathways, (decided.use @ probability * data.dt).tolist(), strict=True)),
                float((decided.idle @ probability).sum() * data.dt),
                sum(cancelled_gw(data, decided).values()),
            )
        )
    return points


NO_PLAN = "no plan keeps every limit without it"


@dataclass(frozen=True)
class OptionValue:
    """An option, and the plan's worth without it."""

    # ``contract``, ``cancellation`` (a contract's window), ``exit`` (ending a pathway's deals by notice), ``notice``
    # (the time that takes: without it capacity comes back at once) or ``breach``
    option: str
    name: str  # the contract or pathway
    without_bn: float | None  # objective without it, $bn; None: there is no plan
    value_bn: float | None  # what it adds, $bn; negative where it costs
    reason: str = ""  # why there is no figure; blank where there is one


@dataclass(frozen=True)
class _Without:
    option: str
    name: str
    data: PlanData
    closed: tuple[str, str] | None = None
    """A variable of a pathway that is held at 0."""


def option_values(session: Session, tell: Told) -> list[OptionValue]:
    """Return the value of every option in the data, each taken away alone; the rest of the instance stays."""
    laid_out, worth = session.base.laid_out, session.base.objective_bn
    options = []
    for case in _cases(laid_out):
        tell(f"without {case.option} {case.name}")
        narrowed = None if case.closed is None else _closed(*case.closed)
        try:
            answer = session.solve_laid_out(replace(laid_out, data=case.data), narrowed=narrowed)
        except InfeasibleError:
            options.append(OptionValue(case.option, case.name, None, None, NO_PLAN))
        else:
            without = answer.objective_bn
            options.append(OptionValue(case.option, case.name, without, gained(worth, without)))
    return options


def _cases(laid_out: Timeline) -> Iterator[_Without]:
    data = laid_out.data
    contracts = np.array(laid_out.contract_of, dtype=object)
    for name in dict.fromkeys(laid_out.contract_of):
        rows = contracts == name
        offers = rows[data.offer_of]
        if offers.any():
            yield _Without("offer", name, unsigned(data, offers))
        else:
            gone = _zero(data, rows, "delivered", "contracted", "bill", "terminal", "terminal_flat")
            gone = _zero(gone, rows[data.way_out_of], "fee")
            yield _Without("contract", name, unsigned(gone, np.asarray(data.extends[:, rows].any(axis=1))))
    for name in dict.fromkeys(laid_out.contract_of):
        ways_out = (contracts == name)[data.way_out_of]
        if data.window[ways_out].any():
            yield _Without("cancellation", name, _zero(data, ways_out, "max_share"))
    for p, name in enumerate(data.pathways):
        if data.deal[p].any():
            yield _Without("exit", name, data, ("release", name))
        if (data.notice[p] > 0).any():
            at_once = data.notice.copy()
            at_once[p] = 0  # the term stays: capacity is bound no shorter, it comes back sooner
            yield _Without("notice", name, replace(data, notice=at_once))
        if (data.deal[p] & np.isfinite(data.breach_cost[p])).any():
            yield _Without("breach", name, data, ("breach", name))


def unsigned(data: PlanData, offers: BoolArray) -> PlanData:
    """Return the data without offers, and without what extends them."""
    known = np.zeros_like(offers)
    while not np.array_equal(known, offers):
        known = offers
        offers = known | data.extends[:, data.offer_of[known]].any(axis=1)
    return _zero(data, offers, "most_signed", "least_signed")


def _zero(data: PlanData, rows: BoolArray, *names: str) -> PlanData:
    arrays: dict[str, Any] = {}
    for name in names:
        arrays[name] = getattr(data, name).copy()
        arrays[name][rows] = 0.0
    return replace(data, **arrays)


def _closed(variable: str, pathway: str) -> Callable[[LinearProgram], LinearProgram]:
    """Return what holds a pathway's variable at 0."""

    def narrowed(program: LinearProgram) -> LinearProgram:
        keys = program.column_keys[variable]
        upper = program.column_upper.copy()
        own = np.flatnonzero(keys[:, 0] == program.labels.index(pathway)) if len(keys) else np.empty(0, dtype=np.int64)
        upper[program.columns[variable].start + own] = 0.0
        return replace(program, column_upper=upper)

    return narrowed


@dataclass(frozen=True)
class Future:
    """A combination of outcomes, as far as they are revealed."""

    known: str  # the outcomes, ``factor=outcome`` joined by a comma
    probability: float  # its probability
    worth_bn: float  # worth of the plan in it, $bn
    foresight_bn: float  # worth of the plan made for it alone, $bn
    regret_bn: float  # what the plan misses in it, $bn


@dataclass(frozen=True)
class Information:
    """What revealing one factor now, and nothing else earlier than planned, would add."""

    factor: str  # the factor
    revealed: str  # when it is revealed
    value_bn: float  # what knowing it at the start adds to the plan's objective, $bn


@dataclass(frozen=True, repr=False)
class Uncertainty:
    """What uncertainty costs and flexibility is worth; every figure in $bn, None where a case has no plan.

    Attributes
    ----------
    instance : Instance
        What was planned for.
    rp_bn : float
        The plan's objective, the recourse problem.
    ws_bn, evpi_bn : float
        Each future planned alone, combined as the plan combines them; what foresight would add.
    eev_bn, vss_bn : float or None
        The plan as written kept until the first reveal; what planning for the tree adds to that.
    rigid_bn, reallocation_bn : float or None
        One split per period for all futures; what splitting anew adds.
    dedicated_bn, fungibility_bn : float or None
        Each pathway owns a fixed part of each pool; what fungible capacity adds.
    reasons : dict of str to str
        Why a figure is None, by its name.
    expected_bn, cvar_bn : float
        Expected worth and the mean worth of the worst `tail` share of futures.
    aversion, tail : float
        The instance's weight on CVaR and the share that it averages.
    quantiles_bn : dict of float to float
        Worth that is not exceeded with each probability.
    scenarios : tuple of Future
        The leaves of the tree.
    information : tuple of Information
        By factor, those revealed first coming first.
    options : tuple of OptionValue
        Contracts, cancellation windows and the notice of deals.
    first_reveal : str
        First day on which futures differ; blank where they never do.
    first_moves : tuple of Branch
        What is decided before the first reveal and on each branch.
    frontier : tuple of Point
        Plans by aversion; empty unless asked for.
    plan : Answer
        The plan.
    """

    instance: Instance
    rp_bn: float
    ws_bn: float
    eev_bn: float | None
    evpi_bn: float
    vss_bn: float | None
    rigid_bn: float | None
    reallocation_bn: float | None
    dedicated_bn: float | None
    fungibility_bn: float | None
    reasons: dict[str, str]
    expected_bn: float
    cvar_bn: float
    aversion: float
    tail: float
    quantiles_bn: dict[float, float]
    scenarios: tuple[Future, ...]
    information: tuple[Information, ...]
    options: tuple[OptionValue, ...]
    first_reveal: str
    first_moves: tuple[Branch, ...]
    frontier: tuple[Point, ...]
    plan: Answer

    def __repr__(self) -> str:
        return f"<uncertainty of {self.instance.name}: plan ${self.rp_bn:,.1f}bn, {len(self.scenarios)} scenarios>"

    def _repr_html_(self) -> str:
        return str(by_notebook("uncertainty_html")(self))

    def as_dict(self) -> dict[str, Any]:
        """Return every figure under its name, ready for JSON."""
        figures = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("instance", "plan")}
        figures = {"instance": self.instance.name, **figures}
        figures["quantiles_bn"] = {f"{share:g}": bn for share, bn in self.quantiles_bn.items()}
        for name in ("scenarios", "information", "options", "first_moves", "frontier"):
            figures[name] = [asdict(entry) for entry in figures[name]]
        return figures


def uncertainty(
    instance: Instance,
    options: SolveOptions | None = None,
    *,
    frontier: int = 0,
    progress: Told | None = None,
) -> Uncertainty:
    """Return what the uncertainty of an instance costs, what flexibility is worth and what to do first.

    Parameters
    ----------
    instance : Instance
        What to plan for.
    options : SolveOptions, optional
        Solver options of every solve.
    frontier : int
        Number of aversions, from 0 in equal steps below 1, for which the plan is made too; the instance's own is added.
    progress : callable, optional
        Told what is being solved.

    Raises
    ------
    InstanceError, InfeasibleError, StoppedError, SolverError
        As `gwplan.solve`.
    AuditError
        If a plan fails its own check, or figures stand in an order in which none can.
    """
    tell = progress or (lambda stage: None)
    tell("plan")
    with Session(instance, options) as session:
        plan = session.base
        plan.plan  # noqa: B018 - audited here, before anything is said of it
        tell("each future alone")
        alone = foresight(session)
        tell("the plan as written kept")
        eev = expected_result(session)
        tell("one split for all futures")
        stiff = rigid(session)
        tell("own parts of the pools")
        apart = dedicated(session)
        known = tuple(_information(session, factor, tell) for factor in branching(instance))
        valued = tuple(option_values(session, tell))
        points = tuple(risk_frontier(session, frontier, tell)) if frontier else ()
    tree, worth, rp = plan.laid_out.data.tree, plan.leaf_worth, plan.objective_bn
    probability = tree.probability[tree.leaves]
    ws, split = weighed(alone, probability, instance.aversion, instance.tail), first_split(tree)
    starts = plan.laid_out.calendar.starts(tree.periods + 1)
    named = {"eev": eev, "vss": eev, "rigid": stiff, "reallocation": stiff, "dedicated": apart, "fungibility": apart}
    leaves = zip(tree.leaves.tolist(), worth.tolist(), alone.tolist(), strict=True)
    result = Uncertainty(
        instance=instance,
        rp_bn=rp,
        ws_bn=ws,
        eev_bn=eev.worth_bn,
        evpi_bn=gained(ws, rp),
        vss_bn=eev.lost(rp),
        rigid_bn=stiff.worth_bn,
        reallocation_bn=stiff.lost(rp),
        dedicated_bn=apart.worth_bn,
        fungibility_bn=apart.lost(rp),
        reasons={f"{name}_bn": case.reason for name, case in named.items() if case.worth_bn is None},
        expected_bn=float(worth @ probability),
        cvar_bn=cvar(worth, probability, instance.tail),
        aversion=instance.aversion,
        tail=instance.tail,
        quantiles_bn={share: quantile(worth, probability, share) for share in QUANTILES},
        scenarios=tuple(
            Future(plan.laid_out.known[leaf], float(tree.probability[leaf]), bn, best, gained(best, bn))
            for leaf, bn, best in leaves
        ),
        information=known,
        options=valued,
        first_reveal=str(starts[split]) if split < tree.periods else "",
        first_moves=first_moves(plan.laid_out, plan.decided),
        frontier=points,
        plan=plan,
    )
    _refuse_contradictions(result)
    return result


def _information(session: Session, factor: int, tell: Told) -> Information:
    laid_out = session.base.laid_out
    named = laid_out.instance.factors[factor]
    tell(f"{named.name} revealed now")
    if reveals(laid_out.instance)[factor] == 0:
        return Information(named.name, str(named.revealed), 0.0)
    more = gained(informed(session, factor).objective_bn, session.base.objective_bn)
    return Information(named.name, str(named.revealed), more)


def _refuse_contradictions(result: Uncertainty) -> None:
    """Raise an error where figures are in an order in which none can be: one case is freer than the other."""
    slack = PROVED * (1 + abs(result.rp_bn))
    ordered: list[tuple[str, float | None, str, float | None]] = [
        ("EEV", result.eev_bn, "RP", result.rp_bn),
        ("RP", result.rp_bn, "WS", result.ws_bn),
        ("rigid", result.rigid_bn, "RP", result.rp_bn),
        ("dedicated", result.dedicated_bn, "RP", result.rp_bn),
        ("RP", result.rp_bn, "the plan's worth over its futures, weighed", _weighed(result)),
        ("the plan's worth over its futures, weighed", _weighed(result), "RP", result.rp_bn),
    ]
    ordered += [(f"worth if {f.known}", f.worth_bn, "worth with foresight", f.foresight_bn) for f in result.scenarios]
    ordered += [("nothing", 0.0, f"the value of knowing {i.factor}", i.value_bn) for i in result.information]
    ordered += [(f"knowing {i.factor}", i.value_bn, "EVPI", result.evpi_bn) for i in result.information]
    wrong = [
        f"{less} ({low:.9g} $bn) exceeds {more} ({high:.9g} $bn)"
        for less, low, more, high in ordered
        if low is not None and high is not None and low > high + slack
    ]
    if wrong:
        raise AuditError("the figures of uncertainty contradict each other", wrong)


def _weighed(result: Uncertainty) -> float:
    rows = np.array([(future.worth_bn, future.probability) for future in result.scenarios])
    return weighed(rows[:, 0], rows[:, 1], result.aversion, result.tail)
