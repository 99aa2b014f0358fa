"""A plan's tables as matrices of names by nodes, and how nodes are averaged over years and over futures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gwplan.instance.instance import Instance
from gwplan.models.data import BoolArray
from gwplan.models.tree import FloatArray, IntArray, Tree
from gwplan.plan.plan import Plan
from gwplan.show.page import decimals, formatter, percent
from gwplan.tree.arrays import Names
from gwplan.tree.calendar import Calendar
from gwplan.tree.timeline import branching, reveals

Coded = tuple[IntArray, list[str]]

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Matrix:
    """Figures by name and node."""

    names: list[str]  # names of the rows, in the order in which they occur
    values: FloatArray  # (K, N) figures; 0 where the table has no row, unless said otherwise

    def of(self, name: str) -> FloatArray:
        """Return the figures of one name by node; 0 for a name without rows."""
        return self.values[self.names.index(name)] if name in self.names else np.zeros(self.values.shape[1])

    @property
    def total(self) -> FloatArray:
        """Figures of all names together, by node."""
        summed: FloatArray = self.values.sum(axis=0)
        return summed


@dataclass(frozen=True)
class Span:
    """Calendar years that are shown together."""

    label: str  # the years; months on a second line where not whole years, the first and last of several
    periods: BoolArray  # (T,) the periods that start in those years


@dataclass(frozen=True)
class Supplier:
    """A contract as written."""

    # its name, what it supplies, and who does
    contract: str
    pool: str
    vendor: str
    price: float  # $bn per GW-year; NaN where it depends on the future
    sold: bool  # to the vendor, a customer then


@dataclass(frozen=True)
class View:
    """A plan laid out for printing."""

    plan: Plan  # the plan
    _made: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)

    @property
    def instance(self) -> Instance:
        """What was planned for."""
        return self.plan.instance

    @cached_property
    def calendar(self) -> Calendar:
        """The periods."""
        return self.plan.laid_out.calendar

    @cached_property
    def dates(self) -> list[str]:
        """First day of each period, and of the first one after the horizon."""
        return [str(day) for day in self.calendar.starts(self.calendar.periods + 1)]

    @cached_property
    def weighed(self) -> str:
        """How money is added up over futures and time."""
        rate = self.instance.discount_rate
        ways = ["expected"] if self.branching else []
        return ", ".join([*ways, f"discounted {100 * rate:g}% a year" if rate else "not discounted"])

    @cached_property
    def reveals(self) -> list[int]:
        """Period in which each factor is revealed; the number of periods or more: never."""
        return reveals(self.instance)

    @cached_property
    def tree(self) -> Tree:
        """The tree whose nodes the tables name."""
        return self.plan.laid_out.data.tree

    @cached_property
    def branching(self) -> list[int]:
        """The factors that split the tree, those revealed first coming first."""
        return branching(self.instance)

    @cached_property
    def weight(self) -> FloatArray:
        """Probability times discount factor of each node."""
        years = (self.tree.period + 0.5) * self.calendar.dt
        weight: FloatArray = self.tree.probability * (1 + self.instance.discount_rate) ** -years
        return weight

    def column(self, table: str, name: str) -> NDArray[Any]:
        """Return a column of figures or dates of a table."""
        key = (table, name)
        if key not in self._made:
            self._made[key] = self.plan.tables[table][name].to_numpy()
        made: NDArray[Any] = self._made[key]
        return made

    def coded(self, table: str, name: str) -> Coded:
        """Return a column of names as numbers, and the names in the order in which they occur."""
        key = (table, name, "coded")
        if key not in self._made:
            codes, names = pd.factorize(self.plan.tables[table][name])
            self._made[key] = (codes, [str(n) for n in names])
        made: Coded = self._made[key]
        return made

    def matrix(self, table: str, key: str, column: str, kind: tuple[str, str] | None = None) -> Matrix:
        """Return a column of a table summed by name and node; of the rows of one kind (column and name) only."""
        codes, names = self.coded(table, key)
        node, amounts = self.column(table, "node"), self.column(table, column)
        if kind is not None:
            kinds, known = self.coded(table, kind[0])
            rows = kinds == (known.index(kind[1]) if kind[1] in known else -1)
            present, codes = np.unique(codes[rows], return_inverse=True)
            names, node, amounts = [names[code] for code in present.tolist()], node[rows], amounts[rows]
        size = self.tree.size
        sums = np.zeros(len(names) * size)
        np.add.at(sums, codes * size + node, amounts)
        return Matrix(names, sums.reshape(len(names), size))

    @cached_property
    def use(self) -> Matrix:
        """GW in use by pathway."""
        return self.matrix("allocation", "pathway", "gw")

    @cached_property
    def effective(self) -> Matrix:
        """Effective GW in use by pathway."""
        data, allocated = self.plan.laid_out.data, self.plan.decided.allocate
        return Matrix(list(data.pathways), (data.effectiveness * allocated).sum(axis=1))

    @cached_property
    def delivered(self) -> Matrix:
        """GW delivered by pool, cancelled ones included."""
        return self.matrix("supply", "pool", "delivered_gw")

    @cached_property
    def idle(self) -> Matrix:
        """GW idle by pool."""
        return self.matrix("supply", "pool", "idle_gw")

    @cached_property
    def cancelled(self) -> Matrix:
        """GW cancelled by pool that would be in service."""
        return self.matrix("supply", "pool", "cancelled_gw")

    @cached_property
    def sold(self) -> Matrix:
        """GW that contracts sold have, by contract: what is due less what of it is not there."""
        kind = ("side", "sell")
        due, missing = (self.matrix("commitments", "contract", c, kind) for c in ("in_service_gw", "unserved_gw"))
        return Matrix(due.names, due.values - missing.values)

    def deals(self, column: str) -> Matrix:
        """Return a column of the deals by pathway, GW."""
        return self.matrix("deals", "pathway", column)

    def flows(self, component: str, column: str) -> Matrix:
        """Return the $bn of one component by name."""
        return self.matrix("cashflow", "name", column, ("component", component))

    def marginal(self, constraint: str) -> Matrix:
        """Return the marginal values of one kind of constraint by name; NaN where there is none."""
        if ("marginal", constraint) not in self._made:
            kind = ("constraint", constraint)
            values = self.matrix("marginal_values", "name", "bn_per_gw_year", kind)
            there = self.matrix("marginal_values", "name", "probability", kind).values > 0
            self._made["marginal", constraint] = Matrix(values.names, np.where(there, values.values, np.nan))
        made: Matrix = self._made["marginal", constraint]
        return made

    def adding(self, constraint: str) -> Matrix:
        """Return what the next GW adds, $bn per GW-year: the slope upwards where it is known, else the dual."""
        values = self.marginal(constraint)
        upwards = self.matrix("marginal_values", "name", "relaxed", ("constraint", constraint)).values
        known = np.isfinite(upwards) & np.isfinite(values.values)
        return Matrix(values.names, np.where(known, upwards, values.values))

    @cached_property
    def worth(self) -> FloatArray:
        """Discounted $bn by node, penalties and the terminal line included."""
        node, amounts = self.column("cashflow", "node"), self.column("cashflow", "discounted_bn")
        worth = np.zeros(self.tree.size)
        np.add.at(worth, node, amounts)
        return worth

    @cached_property
    def worth_of_future(self) -> FloatArray:
        """Discounted $bn by scenario."""
        total: FloatArray = self.worth[self.tree.node_of].sum(axis=1)
        return total

    @cached_property
    def parts(self) -> dict[str, dict[str, float]]:
        """Expected discounted $bn by component; value by pathway, the others under a blank name."""
        parts = self.plan.summary["components_bn"]
        return {name: dict(part) if name == "value" else {"": float(part)} for name, part in parts.items()}

    def spans(self, most: int) -> list[Span]:
        """Return the calendar years of the plan, several together where there are more than `most`."""
        starts = self.calendar.starts(self.calendar.periods + 1).astype("datetime64[M]").astype(np.int64)
        year, first, last = starts[:-1] // 12 + 1970, starts[:-1] % 12, (starts[1:] - 1) % 12
        years = int(year[-1] - year[0]) + 1
        together = -(-years // max(most, 1))
        spans = []
        for begin in range(int(year[0]), int(year[-1]) + 1, together):
            inside = (year >= begin) & (year < begin + together)
            periods = np.flatnonzero(inside)
            end = int(year[periods[-1]])
            months = (int(first[periods[0]]), int(last[periods[-1]]))
            name = str(begin) if end == begin else f"{begin}-{end % 100:02d}"
            named = dict.fromkeys((MONTH_NAMES[months[0]], MONTH_NAMES[months[1]]))  # of a single month, once
            label = name if months == (0, 11) else f"{name}\n{'-'.join(named)}"
            if end > begin and months != (0, 11):
                label = "\n".join((f"{MONTH_NAMES[months[0]]} {begin}-", f"{MONTH_NAMES[months[1]]} {end}"))
            spans.append(Span(label, inside))
        return spans

    def sums(self, spans: list[Span], probability: FloatArray | None = None) -> FloatArray:
        """Return weights (N, spans) that sum a figure over the periods of each span, expected."""
        weight = self.tree.probability if probability is None else probability
        return np.stack([np.where(span.periods[self.tree.period], weight, 0.0) for span in spans], axis=1)

    def means(self, spans: list[Span]) -> FloatArray:
        """Return weights (N, spans) that average a figure over the periods of each span, expected."""
        means: FloatArray = self.sums(spans) / np.array([span.periods.sum() for span in spans])
        return means

    def chance(self, factor: int, outcome: int) -> float:
        """Return the probability of one outcome of a factor."""
        return self.given({factor: outcome})[1]

    def given(self, outcomes: Mapping[int, int]) -> tuple[FloatArray, float]:
        """Return the probability of each node given outcomes by factor, and the probability of these."""
        tree = self.tree
        there = np.all([tree.scenario_outcome[:, f] == o for f, o in outcomes.items()], axis=0)
        weights = np.where(there, tree.scenario_probability, 0.0)
        chance = float(weights.sum())
        by_node = np.zeros(tree.size)
        np.add.at(by_node, tree.node_of.ravel(), np.repeat(weights / chance, tree.periods))
        return by_node, chance

    def outcome(self, factor: int, *outcomes: int) -> str:
        """Return outcomes of a factor as ``factor=outcome or outcome``."""
        names = [self.instance.factors[factor].outcomes[o].name for o in outcomes]
        return f"{self.instance.factors[factor].name}={' or '.join(names)}"

    def futures(self, nodes: tuple[int, ...]) -> str:
        """Return in words when the plan passes through one of some nodes of a period, with the probability of that."""
        known = self.tree.known[list(nodes)]
        revealed = [f for f in self.branching if known[0, f] >= 0]
        outcomes = {f: sorted(set(known[:, f].tolist())) for f in revealed}
        chance = percent(float(self.tree.probability[list(nodes)].sum()))
        if np.prod([len(o) for o in outcomes.values()], dtype=np.int64) == len(nodes):
            some = [f for f in revealed if len(outcomes[f]) < len(self.instance.factors[f].outcomes)]
            parts = [self.outcome(f, *outcomes[f]) for f in some]
            return f"if {', '.join(parts)} ({chance})" if parts else "in all futures"
        each = (", ".join(self.outcome(f, int(row[f])) for f in revealed) for row in known)
        return f"if {'; or '.join(each)} ({chance})"

    def decided_by_outcomes(self, table: str, *columns: str) -> bool:
        """Return whether an outcome inserts rows of a table or changes one of some columns."""
        edits = (edit for factor in self.instance.factors for o in factor.outcomes for edit in o.edits)
        return any(e.table == table and (e.operation == "insert" or e.column in columns) for e in edits)

    def pathway(self, column: str) -> dict[str, Any]:
        """Return a column of the table of pathways by name, blanks as they are."""
        frame = self.instance.tables["pathways"]
        return dict(zip(frame["pathway"].tolist(), frame[column].tolist(), strict=True))

    @cached_property
    def suppliers(self) -> dict[str, Supplier]:
        """Every contract of the plan, those that outcomes add included."""
        versions = (self.instance, *self.plan.laid_out.scenarios)
        by_contract: dict[tuple[str, str], tuple[str, float]] = {}
        sold: set[str] = set()
        for version in {id(v.tables["contracts"]): v for v in versions}.values():
            frame = version.tables["contracts"]
            names = (frame[name].tolist() for name in ("contract", "pool", "vendor"))
            sold |= set(frame["contract"][frame["side"] == "sell"])
            prices = np.nan_to_num(frame["cost_bn_per_gw_year"].to_numpy(dtype=float)).tolist()
            for contract, pool, vendor, price in zip(*names, prices, strict=True):
                before = by_contract.get((contract, pool), (vendor, price))
                by_contract[contract, pool] = (before[0], price if price == before[1] else np.nan)
        contracts = Names((), (), tuple(by_contract)).contract_names
        rows = zip(contracts, by_contract.items(), strict=True)
        return {
            name: Supplier(contract, pool, vendor, price, contract in sold)
            for name, ((contract, pool), (vendor, price)) in rows
        }

    @cached_property
    def peak_gw(self) -> float:
        """Largest capacity delivered in any period and future, GW."""
        return float(self.delivered.total.max(initial=0.0))

    @property
    def least_gw(self) -> float:
        """Smallest capacity that does not print as 0, GW."""
        return 0.5 * float(10.0 ** -decimals([self.peak_gw]))

    @cached_property
    def gw(self) -> Callable[[float], str]:
        """Capacity as text, GW: as many decimals as the plan's largest delivery needs."""
        return formatter([self.peak_gw])

    @cached_property
    def money(self) -> Callable[[float], str]:
        """Money as text, $bn: as many decimals as the plan's parts need."""
        return formatter([self.plan.objective_bn, *(bn for part in self.parts.values() for bn in part.values())])

    @cached_property
    def rate(self) -> Callable[[float], str]:
        """Marginal values and prices as text, $bn per GW-year."""
        values = np.abs(self.marginal("supply").values)
        typical = float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else 0.0
        return formatter([typical, *(supplier.price for supplier in self.suppliers.values())])
