"""Why there is no plan: the smallest set of demands in conflict, in the planner's words, and the cheapest repairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from textwrap import wrap
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.catalogue.limits import BY_KIND
from gwplan.catalogue.tables import TABLES
from gwplan.catalogue.tolerances import MORE_STEPS, ROUNDING, THREE_DECIMALS
from gwplan.conflict.demands import Demand, another, conflict, in_every_future, runs_on
from gwplan.conflict.repairs import Repair, repairs
from gwplan.conflict.ways_out import owner, span
from gwplan.instance.instance import Instance
from gwplan.models.data import BY_ROOT
from gwplan.solver.compile import compiled
from gwplan.solver.program import FloatArray, IntArray, LinearProgram, SolveOptions
from gwplan.tree.timeline import Timeline, timeline

MOST_ROWS: Final = 3
"""Most rows of deliveries, or else runs of rows, that are told; what stands in more is found by its name."""


def stated_at(demand: Demand, laid_out: Timeline) -> str:
    """Return where a demand is written, ``demand.csv row 10``; blank where many rows or an edit state it."""
    table, column = BY_KIND[demand.kind].table, BY_KIND[demand.kind].column
    rows = np.array(sorted({row for row in _rows(demand, laid_out, table, column) if row > 0}))
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    if not len(rows) or len(rows if demand.kind == "supply" else runs) > MOST_ROWS:
        return ""
    sheets = laid_out.instance.sheets
    named = [sheets.place(TABLES[table], row, column) if sheets else str(row) for run in runs for row in run[[0, -1]]]
    ends = [
        f"{first} to {last}" if size > 2 else f"{first} and {last}" if size == 2 else first
        for first, last, size in zip(named[::2], named[1::2], map(len, runs), strict=True)
    ]
    return listed(ends) if sheets else f"{TABLES[table].file} {'row' if len(rows) == 1 else 'rows'} {listed(ends)}"


def listed(names: Iterable[str]) -> str:
    """Return names as a list in words."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _rows(demand: Demand, laid_out: Timeline, table: str, column: str) -> list[int]:
    rows = laid_out.instance.filled(table)
    if table == "deliveries":
        contracts, offers = (laid_out.instance.tables[name] for name in ("contracts", "offers"))
        mine = rows["contract"].isin(contracts["contract"][contracts["pool"] == demand.pool])
        rows = rows[mine & ~rows["contract"].isin(offers["contract"])]
    for name in ("pathway", "pool"):
        rows = rows[rows[name] == getattr(demand, name)] if name in rows else rows
    if TABLES[table].step:
        rows = _in_force(rows, demand, laid_out)
    elif table == "locks":
        rows = _strictest(rows, demand, laid_out, column)
    return [int(row) for row in rows.index]


def _starts(demand: Demand, laid_out: Timeline) -> pd.DatetimeIndex:
    periods = np.unique(laid_out.data.tree.period[demand.nodes])
    return pd.DatetimeIndex(laid_out.calendar.starts()[periods])


def _in_force(rows: pd.DataFrame, demand: Demand, laid_out: Timeline) -> pd.DataFrame:
    """Return the rows that state a pathway's demand at the start of one of the periods."""
    rows = rows.sort_values("from", kind="stable")
    at = rows["from"].searchsorted(_starts(demand, laid_out), side="right") - 1
    return rows.iloc[np.unique(at[at >= 0])]


def _strictest(rows: pd.DataFrame, demand: Demand, laid_out: Timeline, column: str) -> pd.DataFrame:
    """Return the locks that are the strictest in force in one of the periods."""
    tightest: set[int] = set()
    for start in _starts(demand, laid_out):
        holds = (rows["from"] <= start) & (rows["until"].isna() | (rows["until"] > start))
        limits = rows[column].where(holds)
        if limits.notna().any():
            strictest = limits.max() if column == "min_gw" else limits.min()
            tightest.update(np.flatnonzero(limits == strictest).tolist())
    return rows.iloc[sorted(tightest)]


SHOWN_DEMANDS: Final = 4
"""Demands that are told in the one line of a case among many."""


@dataclass(frozen=True)
class Conflict:
    """One of the demands that cannot all be kept.

    Attributes
    ----------
    kind, pathway, pool : str
        Which demand: ``floor``, ``cap``, ``lock min``, ``lock max``, ``ramp``, ``deals``, ``supply`` or ``block``.
    first, until : str
        Dates from which and up to which it is in conflict.
    words : str
        What it demands.
    where : str
        Where that is written, ``demand.csv row 10``; blank where many rows or an edit say so.
    """

    kind: str
    pathway: str
    pool: str
    first: str
    until: str
    words: str
    where: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """Why an instance has no plan.

    Attributes
    ----------
    conflicts : tuple of Conflict
        Demands that cannot all be kept, while without any one of them the others can; empty if the instance has a plan.
    repairs : tuple of Repair
        Ways out, the one that takes fewest GW-years first.
    because : tuple of str
        What runs on from before the start, nobody's demand, without which those demands would not be in conflict.
    another : bool
        Whether there is another conflict, so that giving up one of these demands is not enough for a plan.
    """

    conflicts: tuple[Conflict, ...]
    repairs: tuple[Repair, ...]
    because: tuple[str, ...] = ()
    another: bool = False

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def as_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain data."""
        status = "infeasible" if self.conflicts else "feasible"
        return {
            "status": status,
            "conflict": [asdict(part) for part in self.conflicts],
            "because": list(self.because),
            "another_conflict": self.another,
            "repairs": [{**asdict(repair), "edits": list(repair.edits)} for repair in self.repairs],
        }

    def lines(self) -> Iterator[str]:
        """Yield the diagnosis as lines of text, at most 80 columns wide but for the edits, which are pasted whole."""
        if not self.conflicts:
            yield "There is a plan that keeps every demand; `gwplan solve` finds the best."
            return
        yield from _wrapped(self._said(), "")
        for part in self.conflicts:
            yield from _wrapped(f"{part.words} ({part.where})" if part.where else part.words, "  - ")
        if self.because:
            yield "That is so because of what runs on from before the start (running.csv):"
            for words in self.because:
                yield from _wrapped(words, "  - ")
        if self.another:
            also = ", which the ways out mend too" if self.repairs else ""
            yield f"This is one conflict; there is at least one more{also}."
        if not self.repairs:
            nothing = (
                "No single change of a floor, cap, lock, ramp, deal or supply was found that makes a plan possible."
            )
            yield from _wrapped(nothing, "")
            return
        yield from _wrapped(WAYS_OUT, "")
        for number, repair in enumerate(self.repairs, 1):
            yield from _wrapped(repair.words, f"  {number}. ")
            yield from _wrapped(self._cost(repair), "     ")
            yield f"     {' '.join(f'--set {quoted(edit)}' for edit in repair.edits)}"

    def _said(self) -> str:
        if len(self.conflicts) == 1:
            return "No plan can keep this:"
        if self.another:
            return "No plan can keep all of these:"
        return "No plan can keep all of these; give up any one of them, and there is a plan:"

    def _cost(self, repair: Repair) -> str:
        """Return what a way out gives up and is worth, beside the best where there are several."""
        more = repair.gw_years > repair.least_gw_years + MORE_STEPS
        steps = f" ({repair.least_gw_years:.4g} with more steps)" if more else ""
        cost = f"{repair.gw_years:.4g} GW-years{steps}; the plan is then worth {repair.worth_bn:.3f} $bn"
        if len(self.repairs) == 1:
            return cost
        less = max(each.worth_bn for each in self.repairs) - repair.worth_bn
        return f"{cost}, {'' if less < THREE_DECIMALS else f'{less:.3f} $bn less than '}the best of these"


WAYS_OUT: Final = (
    "Ways out, each checked by solving; the one that gives up fewest GW-years (GW given up times years) comes first. "
    "To take one, paste its line: gwplan solve FOLDER --set ..."
)

WIDTH: Final = 80
"""Columns of the text."""


def _wrapped(text: str, before: str) -> list[str]:
    """Return a text as lines, what stands before it on the first alone; units stay beside their figures."""
    whole = re.sub(r"(?<=\d) (?=GW|\$bn)|(?<=row) (?=\d)", "\xa0", text)
    rest = " " * len(before)
    lines = wrap(whole, WIDTH, initial_indent=before, subsequent_indent=rest, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]


def quoted(text: str) -> str:
    """Return a text as one word of a shell."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def diagnose(instance: Instance, options: SolveOptions | None = None) -> Diagnosis:
    """Return why an instance has no plan, and what would give it one."""
    options = options or SolveOptions()
    laid_out = timeline(instance)
    program = compiled(laid_out.data)
    demands_of = _in_conflict(laid_out, program, options)
    if not demands_of:
        return Diagnosis((), ())
    words = tuple(_told(demand, laid_out) for demand in demands_of)
    because = tuple(_running(laid_out, demands_of, runs_on(program, laid_out.data, demands_of, options)))
    more = another(program, laid_out.data, demands_of, options)
    return Diagnosis(words, tuple(repairs(laid_out, program, options)), because, more)


def _in_conflict(laid_out: Timeline, program: LinearProgram, options: SolveOptions) -> list[Demand]:
    """Return demands in conflict; where they are in every future, in all of them and not in the one first found."""
    demands_of = conflict(program, laid_out.data, options)
    if any(_given(demand, laid_out) for demand in demands_of) and in_every_future(
        program, laid_out.data, demands_of, options
    ):
        return [replace(demand, pointed=demand.nodes) for demand in demands_of]
    return demands_of


def conflicts_in_words(instance: Instance) -> str:
    """Return in one line which demands of an infeasible instance cannot all be kept; blank if it has a plan."""
    laid_out = timeline(instance)
    program = compiled(laid_out.data)
    options = SolveOptions()
    demands_of = _in_conflict(laid_out, program, options)
    words = "; ".join(_told(demand, laid_out).words for demand in demands_of)
    because = " and ".join(
        _running(laid_out, demands_of, runs_on(program, laid_out.data, demands_of, options) if demands_of else [])
    )
    return f"{words}; because {because}" if because else words


def shortly(laid_out: Timeline, pointed: Sequence[Demand]) -> str:
    """Return some demands in one line, the first few in words."""
    words = [_told(demand, laid_out).words for demand in pointed[:SHOWN_DEMANDS]]
    more = len(pointed) - len(words)
    return "; ".join([*words, f"and {more} more"] if more else words)


def _told(demand: Demand, laid_out: Timeline) -> Conflict:
    period = laid_out.data.tree.period[demand.nodes]
    first, end = int(period.min()), int(period.max()) + 1
    starts = laid_out.calendar.starts(laid_out.calendar.periods + 1)
    said = _as_outcomes_have_it(demand, laid_out) or _given(demand, laid_out)
    words = f"{_demanded(demand, laid_out, first, end)}{said}"
    dates, where = (str(starts[first]), str(starts[end])), stated_at(demand, laid_out)
    return Conflict(demand.kind, demand.pathway, demand.pool, *dates, words, where)


def _running(laid_out: Timeline, demands_of: list[Demand], facts: list[tuple[str, str]]) -> Iterator[str]:
    """Yield what runs on from before the start in the future in which demands are in conflict."""
    tree = laid_out.data.tree
    node = max((int(n) for demand in demands_of for n in demand.pointed), key=lambda n: int(tree.period[n]), default=0)
    table = laid_out.scenarios[tree.example[node]].tables["running"]
    for pathway, kind in facts:
        rows = table[(table["pathway"] == pathway) & (table["kind"] == kind)].sort_values("until")
        verb, until = ("are bound", "until") if kind == "term" else ("come back", "on")
        whose = [f" of {pathway} {verb}", *("" for _ in range(len(rows) - 1))]
        each = zip(rows["gw"], whose, rows["until"], strict=True)
        yield ", ".join(f"{gw:.4g} GW{whose} {until} {date:%Y-%m-%d}" for gw, whose, date in each)


def _given(demand: Demand, laid_out: Timeline) -> str:
    """Return in which futures a demand is in conflict, where it is not in all."""
    known = _shared(demand.pointed, laid_out)
    return f" (if {known})" if known else ""


def _shared(nodes: IntArray, laid_out: Timeline) -> str:
    """Return the outcomes that are known on every one of some nodes."""
    known, outcomes = laid_out.data.tree.known[nodes], []
    for f, factor in enumerate(laid_out.instance.factors):
        if len(nodes) and known[0, f] >= 0 and (known[:, f] == known[0, f]).all() and len(factor.outcomes) > 1:
            outcomes.append(f"{factor.name}={factor.outcomes[known[0, f]].name}")
    return ", ".join(outcomes)


def _as_outcomes_have_it(demand: Demand, laid_out: Timeline) -> str:
    """Return what stands in the cells of a figure that outcomes change, and in which futures; blank elsewhere."""
    written, nodes = laid_out.as_written.data, demand.pointed
    name, names = (demand.pool, "pools") if demand.kind == "supply" else (demand.pathway, "pathways")
    if demand.kind not in ("floor", "cap", "supply") or name not in getattr(written, names):
        return ""
    period = laid_out.data.tree.period[nodes]
    here = getattr(laid_out.data, demand.kind)[getattr(laid_out.data, names).index(name), nodes]
    cells = getattr(written, demand.kind)[getattr(written, names).index(name), period]
    changed = ~np.isclose(here, cells, rtol=ROUNDING, atol=ROUNDING)
    if not changed.any() or not np.isfinite(cells[changed]).all():
        return ""
    times = np.divide(here, cells, out=np.full(len(here), np.nan), where=cells > 0)[changed]
    short = float(f"{times[0]:.4g}")  # an outcome that adds or sets is no factor of the cell
    by = f" x {short:g}" if short and np.allclose(times, short, rtol=ROUNDING, atol=0.0) else " as written"
    known = _shared(nodes[changed], laid_out)
    if not changed.all():
        by = f"{by} in some of it"
    return f" ({_gw(cells[changed], period[changed])}{by}{f', if {known}' if known else ', changed by outcomes'})"


def _demanded(demand: Demand, laid_out: Timeline, first: int, end: int) -> str:
    limit, data, nodes = BY_KIND[demand.kind], laid_out.data, demand.pointed
    when = span(laid_out, first, end)
    if limit.name == "ramp":
        return _grows(demand, laid_out, first, when)
    if limit.name == "deals":
        return _in_deals(demand, laid_out, when)
    by_pathway = (data.pathways.index(demand.pathway),) if "pathway" in limit.of else ()
    by_pool = (data.pools.index(demand.pool) if demand.pool else len(data.pools),) if "pool" in limit.of else ()
    at = data.tree.root[nodes] if limit.figure in BY_ROOT else nodes
    figures = getattr(data, limit.figure)[(*by_pathway, *by_pool, at)]
    words: str = (figures.any() and limit.demanded) or limit.nothing or limit.demanded
    if limit.name == "supply" and (figures < 0).any():
        figures = np.maximum(-figures, 0.0)
        words = "of pool {pool} {gw} more are sold than it has {when}"
    elif limit.name == "supply" and (offered := _on_offer(demand.pool, laid_out)[nodes]).any():
        words = f"{words}, {_gw(offered, data.tree.period[nodes])} more if every offer is signed"
    whose = owner(demand.pathway, demand.pool)
    gw = _gw(figures, data.tree.period[nodes], limit.measure)
    sentence = words.format(pathway=demand.pathway, pool=demand.pool, owner=whose, gw=gw, when=when)
    if limit.name == "floor" and not data.eligible[by_pathway][:, data.tree.root[nodes]].any():
        return f"{sentence}, and no pool may be used by it"
    return sentence


def _on_offer(pool: str, laid_out: Timeline) -> FloatArray:
    """Return GW that the offers of a pool bring to each node, each signed as far and as early as it may be."""
    data = laid_out.data
    whole = np.where(data.offered, data.most_signed, 0.0)
    mine = (data.pool_of[data.offer_of] == data.pools.index(pool)) & ~data.sold[data.offer_of]
    return np.asarray(data.in_service.of(whole)[mine].sum(axis=0))


def _grows(demand: Demand, laid_out: Timeline, first: int, when: str) -> str:
    data = laid_out.data
    p, root = data.pathways.index(demand.pathway), data.tree.root[demand.pointed]
    months = laid_out.calendar.months
    verb = "sign" if data.deal[p, root].any() else "grow by"
    before = f", from {data.initial[p][:, root[0]].sum():.4g} GW before the start" if first == 0 else ""
    a_month = _gw(data.ramp[p, root] / months, data.tree.period[demand.pointed])
    return f"{demand.pathway} may {verb} at most {a_month} a month {when}{before}"


def _in_deals(demand: Demand, laid_out: Timeline, when: str) -> str:
    data = laid_out.data
    p, root = data.pathways.index(demand.pathway), int(data.tree.root[demand.pointed[0]])
    table = laid_out.scenarios[laid_out.data.tree.example[demand.pointed[0]]].filled("pathways")
    row = table[table["pathway"] == demand.pathway].iloc[0]
    initial = float(data.initial[p][:, root].sum())
    has = f"what {demand.pathway} has" + (f" ({initial:.4g} GW before the start)" if initial > 0 else "")
    kept = [f"comes back only {int(row['notice_days'])} days after notice"] if row["notice_days"] else []
    if row["min_term_days"]:
        kept.append(f"stays for at least {int(row['min_term_days'])} days once signed")
    return f"{has} {' and '.join(kept) or 'comes back only by churn'}, {when}"


def _gw(values: FloatArray, periods: IntArray, measure: str = "GW") -> str:
    """Return figures of nodes in words, in the order of time where they only rise or only fall."""
    each = [values[periods == t] for t in np.unique(periods)]
    least, most = np.array([part.min() for part in each]), np.array([part.max() for part in each])
    low, high = float(least.min()), float(most.max())
    if high - low < ROUNDING:
        return f"{low:.4g} {measure}"
    rises, falls = (
        (np.diff(sign * least) >= -ROUNDING).all() and (np.diff(sign * most) >= -ROUNDING).all() for sign in (1, -1)
    )
    if rises == falls:  # the same in all periods, and not in all futures; or up and down
        return f"{low:.4g} to {high:.4g} {measure}"
    return f"{low:.4g} rising to {high:.4g} {measure}" if rises else f"{high:.4g} falling to {low:.4g} {measure}"
