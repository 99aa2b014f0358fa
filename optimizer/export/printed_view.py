"""A plan's tables as matrices of names by nodes, and how nodes are averaged over years and over futures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.tree import Tree, build_tree
from optimizer.export.printed_layout import decimals, formatter, percent
from optimizer.instance.calendar import Calendar
from optimizer.instance.instance import Instance
from optimizer.instance.timeline import Names, calendar_of, outcomes_applied
from optimizer.results.plan import Plan

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Matrix:
    """Figures by name and node.

    Attributes
    ----------
    names : tuple of str
        Names of the rows, in the order in which they occur.
    values : (K, N) float array
        Figures; 0 where the table has no row.
    """

    names: tuple[str, ...]
    values: FloatArray

    def of(self, name: str) -> FloatArray:
        """Return the figures of one name by node; 0 for a name without rows."""
        return self.values[self.names.index(name)] if name in self.names else np.zeros(self.values.shape[1])


@dataclass(frozen=True)
class Span:
    """Calendar years that are shown together.

    Attributes
    ----------
    label : str
        The years; on a second line the months, where they are not whole years.
    periods : (T,) bool array
        The periods that start in those years.
    """

    label: str
    periods: BoolArray


@dataclass(frozen=True)
class Supplier:
    """What a contract is: its pool, its vendor and its price ($bn per GW-year; NaN where it depends on the future)."""

    pool: str
    vendor: str
    price: float


@dataclass(frozen=True)
class View:
    """A plan laid out for printing.

    Attributes
    ----------
    plan : Plan
        The plan.
    """

    plan: Plan

    @cached_property
    def instance(self) -> Instance:
        """What was planned for."""
        return self.plan.instance

    @cached_property
    def calendar(self) -> Calendar:
        """The periods."""
        return calendar_of(self.instance)

    @cached_property
    def reveals(self) -> list[int]:
        """Period in which each factor is revealed; the number of periods or more: never."""
        dates = np.array([f.revealed for f in self.instance.factors], dtype="datetime64[D]")
        return [int(period) for period in self.calendar.period(dates)]

    @cached_property
    def tree(self) -> Tree:
        """The tree whose nodes the tables name."""
        chances = [[o.probability for o in factor.outcomes] for factor in self.instance.factors]
        return build_tree(self.calendar.periods, self.reveals, chances)

    @cached_property
    def branching(self) -> list[int]:
        """The factors that split the tree, those revealed first coming first."""
        splits = [
            f
            for f, factor in enumerate(self.instance.factors)
            if len(factor.outcomes) > 1 and self.reveals[f] < self.calendar.periods
        ]
        return sorted(splits, key=lambda f: self.reveals[f])

    @cached_property
    def dates(self) -> list[str]:
        """First day of each period, and of the first one after the horizon."""
        return [str(day) for day in self.calendar.starts(self.calendar.periods + 1)]

    def matrix(self, table: str, key: str, column: str, rows: BoolArray | None = None) -> Matrix:
        """Return a column of a table summed by name and node."""
        frame = self.plan.tables[table] if rows is None else self.plan.tables[table][rows]
        codes, names = pd.factorize(frame[key])
        size = self.tree.size
        place = codes * size + frame["node"].to_numpy()
        sums = np.bincount(place, weights=frame[column].to_numpy(dtype=float), minlength=len(names) * size)
        return Matrix(tuple(map(str, names)), sums.reshape(len(names), size))

    @cached_property
    def use(self) -> Matrix:
        """GW in use by pathway, in the order of the instance."""
        found = self.matrix("allocation", "pathway", "gw")
        order = [str(p) for p in self.instance.tables["pathways"]["pathway"]]
        names = [*(p for p in order if p in found.names), *(p for p in found.names if p not in order)]
        if not names:
            return found
        return Matrix(tuple(names), np.stack([found.of(name) for name in names]))

    def supply(self, column: str) -> Matrix:
        """Return a column of the supply table by pool, GW."""
        return self.matrix("supply", "pool", column)

    @cached_property
    def delivered(self) -> Matrix:
        """GW delivered by pool, cancelled ones included."""
        return self.supply("delivered_gw")

    @cached_property
    def idle(self) -> FloatArray:
        """GW idle by node."""
        return self.supply("idle_gw").values.sum(axis=0)

    @cached_property
    def cancelled(self) -> Matrix:
        """GW cancelled by pool that would be in service."""
        return self.supply("cancelled_gw")

    @cached_property
    def worth(self) -> FloatArray:
        """Discounted $bn by node, penalties and the terminal line included."""
        cashflow = self.plan.cashflow
        amounts = cashflow["discounted_bn"].to_numpy(dtype=float)
        return np.bincount(cashflow["node"].to_numpy(), weights=amounts, minlength=self.tree.size)

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

    def flows(self, component: str, column: str) -> Matrix:
        """Return the $bn of one component by name and node."""
        return self.matrix("cashflow", "name", column, (self.plan.cashflow["component"] == component).to_numpy())

    def spans(self, most: int) -> list[Span]:
        """Return the calendar years of the plan, several together where there are more than `most`."""
        starts = self.calendar.starts(self.calendar.periods + 1).astype("datetime64[M]").astype(np.int64)
        year, first, last = starts[:-1] // 12 + 1970, starts[:-1] % 12, (starts[1:] - 1) % 12
        years = int(year[-1] - year[0]) + 1
        together = -(-years // max(most, 1))
        spans = []
        for begin in range(int(year[0]), int(year[-1]) + 1, together):
            inside = (year >= begin) & (year < begin + together)
            if not inside.any():
                continue
            periods = np.flatnonzero(inside)
            end = int(year[periods[-1]])
            months = (int(first[periods[0]]), int(last[periods[-1]]))
            name = str(begin) if end == begin else f"{begin}-{end % 100:02d}"
            part = "" if months == (0, 11) else f"\n{MONTH_NAMES[months[0]]}-{MONTH_NAMES[months[1]]}"
            spans.append(Span(name + part, inside))
        return spans

    def sums(self, spans: list[Span], probability: FloatArray | None = None) -> FloatArray:
        """Return weights (N, spans) that sum a figure over the periods of each span, expected."""
        weight = self.tree.probability if probability is None else probability
        return np.stack([np.where(span.periods[self.tree.period], weight, 0.0) for span in spans], axis=1)

    def means(self, spans: list[Span], probability: FloatArray | None = None) -> FloatArray:
        """Return weights (N, spans) that average a figure over the periods of each span, expected."""
        return self.sums(spans, probability) / np.array([span.periods.sum() for span in spans])

    def given(self, factor: int, outcome: int) -> FloatArray:
        """Return the probability of each node given one outcome of a factor, which is independent of the others."""
        known = self.tree.known[:, factor]
        chance = self.instance.factors[factor].outcomes[outcome].probability
        return np.where(known < 0, self.tree.probability, np.where(known == outcome, self.tree.probability / chance, 0))

    def outcome(self, factor: int, outcome: int) -> str:
        """Return an outcome as ``factor=outcome``."""
        return f"{self.instance.factors[factor].name}={self.instance.factors[factor].outcomes[outcome].name}"

    def futures(self, nodes: list[int]) -> str:
        """Return in words when the plan passes through one of some nodes of a period, with the probability of that."""
        known = self.tree.known[nodes]
        shared = [f for f in range(known.shape[1]) if known[0, f] >= 0 and len(self.instance.factors[f].outcomes) > 1]
        outcomes = {f: sorted(set(known[:, f].tolist())) for f in shared}
        chance = percent(float(self.tree.probability[nodes].sum()))
        if np.prod([len(o) for o in outcomes.values()], dtype=np.int64) == len(nodes):
            parts = [self._either(f, o) for f, o in outcomes.items() if len(o) < len(self.instance.factors[f].outcomes)]
            return f"if {', '.join(parts)} ({chance})" if parts else "in all futures"
        each = [", ".join(self.outcome(f, o) for f, o in zip(shared, row, strict=True)) for row in known[:, shared]]
        return f"if {'; or '.join(each)} ({chance})"

    def _either(self, factor: int, outcomes: list[int]) -> str:
        names = [self.instance.factors[factor].outcomes[o].name for o in outcomes]
        return f"{self.instance.factors[factor].name}={' or '.join(names)}"

    def decided_by_outcomes(self, table: str, *columns: str) -> bool:
        """Return whether an outcome inserts rows of a table or changes one of some columns."""
        edits = (edit for factor in self.instance.factors for o in factor.outcomes for edit in o.edits)
        return any(e.table == table and (e.operation == "insert" or e.column in columns) for e in edits)

    @cached_property
    def suppliers(self) -> dict[str, Supplier]:
        """Pool, vendor and price of every contract of the plan, those of outcomes included."""
        versions: tuple[Instance, ...] = (self.instance,)
        if self.decided_by_outcomes("contracts", "pool", "vendor", "cost_bn_per_gw_year"):
            versions += outcomes_applied(self.instance, self.instance.factors)
        found: dict[tuple[str, str], list[Any]] = {}
        seen: set[int] = set()
        for version in versions:
            if id(version.tables["contracts"]) in seen:
                continue
            seen.add(id(version.tables["contracts"]))
            frame = version.filled("contracts")
            columns = (frame[name].tolist() for name in ("contract", "pool", "vendor", "cost_bn_per_gw_year"))
            for contract, pool, vendor, price in zip(*columns, strict=True):
                entry = found.setdefault((contract, pool), [vendor, price])
                entry[1] = price if entry[1] == price else np.nan
        names = Names((), (), tuple(found)).contract_names
        return {
            name: Supplier(pool, vendor, float(price))
            for name, ((_, pool), (vendor, price)) in zip(names, found.items(), strict=True)
        }

    @cached_property
    def money(self) -> Callable[[float], str]:
        """Money as text, $bn: as many decimals as the plan's parts need."""
        sizes = [amount for part in self.parts.values() for amount in part.values()]
        return formatter([*sizes, self.plan.objective_bn])

    @cached_property
    def gw(self) -> Callable[[float], str]:
        """Capacity as text, GW: as many decimals as the plan's largest delivery needs."""
        return formatter([self.peak_gw])

    @cached_property
    def peak_gw(self) -> float:
        """Largest capacity delivered in any period and future, GW."""
        return float(self.delivered.values.sum(axis=0).max(initial=0.0))

    @cached_property
    def discount(self) -> FloatArray:
        """Discount factor of each node's flows."""
        factors: FloatArray = (1 + self.instance.discount_rate) ** -((self.tree.period + 0.5) * self.calendar.dt)
        return factors

    @cached_property
    def weight(self) -> FloatArray:
        """Discount factor times probability of each node."""
        return self.discount * self.tree.probability

    @property
    def least_gw(self) -> float:
        """Smallest capacity that does not print as 0, GW."""
        return 0.5 * float(10.0 ** -decimals([self.peak_gw]))

    @cached_property
    def rate(self) -> Callable[[float], str]:
        """Marginal values and prices as text, $bn per GW-year."""
        prices = [supplier.price for supplier in self.suppliers.values()]
        values = self.marginal("supply").values
        return formatter([*prices, float(np.nanmedian(np.abs(values))) if np.isfinite(values).any() else 0.0])

    def marginal(self, constraint: str) -> Matrix:
        """Return the marginal values of one kind of constraint by name and node; NaN where there is none."""
        rows = (self.plan.marginal_values["constraint"] == constraint).to_numpy()
        found = self.matrix("marginal_values", "name", "bn_per_gw_year", rows)
        there = self.matrix("marginal_values", "name", "probability", rows).values > 0
        return Matrix(found.names, np.where(there, found.values, np.nan))

    @cached_property
    def starts(self) -> NDArray[np.datetime64]:
        """First day of each node's period."""
        starts: NDArray[np.datetime64] = self.calendar.starts()[self.tree.period]
        return starts

    def below(self, nodes: tuple[int, ...]) -> BoolArray:
        """Return the nodes that lie on or below some nodes of one period, shape (N,)."""
        reached = np.isin(np.arange(self.tree.size), nodes)
        scenarios = np.isin(self.tree.node_of[:, self.tree.period[nodes[0]]], nodes)
        later = self.tree.node_of[scenarios][:, self.tree.period[nodes[0]] :]
        reached[later.ravel()] = True
        return reached
