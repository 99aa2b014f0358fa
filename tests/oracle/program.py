"""Linear expressions and a small mixed-integer program, solved by HiGHS."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import highspy
import numpy as np

INF = math.inf


class Linear:
    """A linear expression: coefficient by column; column 0 is fixed at 1 and carries the constant."""

    def __init__(self, terms: dict[int, float] | None = None) -> None:
        self.terms = terms or {}

    def __add__(self, other: Linear) -> Linear:
        """Sum of two expressions."""
        return total([self, other])

    def __sub__(self, other: Linear) -> Linear:
        """Difference of two expressions."""
        return total([self, other * -1.0])

    def __mul__(self, factor: float) -> Linear:
        """Multiple of the expression."""
        return Linear({column: factor * value for column, value in self.terms.items()})

    __rmul__ = __mul__

    def at(self, point: list[float]) -> float:
        """Value of the expression where the columns have these values."""
        return math.fsum(value * point[column] for column, value in self.terms.items())


def total(expressions: Iterable[Linear]) -> Linear:
    """Sum of expressions."""
    terms: dict[int, float] = {}
    for expression in expressions:
        for column, value in expression.terms.items():
            terms[column] = terms.get(column, 0.0) + value
    return Linear(terms)


def constant(value: float) -> Linear:
    """Return an expression without variables."""
    return Linear({0: value})


@dataclass
class Program:
    """Columns with bounds, rows with bounds, all kept as they were written."""

    columns: dict[Hashable, int] = field(default_factory=lambda: {"one": 0})
    bounds: list[tuple[float, float]] = field(default_factory=lambda: [(1.0, 1.0)])
    integers: list[bool] = field(default_factory=lambda: [False])
    rows: list[tuple[Linear, float, float]] = field(default_factory=list)

    def add(self, key: Hashable, lower: float = 0.0, upper: float = INF, *, integer: bool = False) -> None:
        """Add a variable."""
        if key in self.columns:
            raise KeyError(f"{key} exists")
        self.columns[key] = len(self.bounds)
        self.bounds.append((lower, upper))
        self.integers.append(integer)

    def __contains__(self, key: Hashable) -> bool:
        """Whether a variable of that key exists."""
        return key in self.columns

    def __getitem__(self, key: Hashable) -> Linear:
        """Return a variable as an expression."""
        return Linear({self.columns[key]: 1.0})

    def at_least(self, expression: Linear, value: float = 0.0) -> None:
        """Require expression >= value."""
        self.rows.append((expression, value, INF))

    def at_most(self, expression: Linear, value: float = 0.0) -> None:
        """Require expression <= value."""
        self.rows.append((expression, -INF, value))

    def equal(self, expression: Linear, value: float = 0.0) -> None:
        """Require expression = value."""
        self.rows.append((expression, value, value))

    def maximise(self, objective: Linear) -> tuple[str, list[float]]:
        """Return the status and, where it is ``optimal``, the value of every column."""
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("mip_rel_gap", 0.0)
        solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
        solver.setOptionValue("dual_feasibility_tolerance", 1e-9)
        if solver.passModel(self._model(objective)) == highspy.HighsStatus.kError:
            raise RuntimeError("HiGHS refuses the model")
        if solver.run() == highspy.HighsStatus.kError:
            raise RuntimeError("HiGHS failed")
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            solver.setOptionValue("presolve", "off")
            solver.run()
            status = solver.getModelStatus()
        names = {
            highspy.HighsModelStatus.kOptimal: "optimal",
            highspy.HighsModelStatus.kInfeasible: "infeasible",
            highspy.HighsModelStatus.kUnbounded: "unbounded",
        }
        if status not in names:
            raise RuntimeError(f"HiGHS stopped with {status}")
        point = [float(value) for value in solver.getSolution().col_value] if names[status] == "optimal" else []
        return names[status], point

    def _model(self, objective: Linear) -> highspy.HighsLp:
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self.bounds), len(self.rows)
        model.sense_ = highspy.ObjSense.kMaximize
        cost = np.zeros(len(self.bounds))
        for column, value in objective.terms.items():
            cost[column] = value
        model.col_cost_ = cost
        model.col_lower_ = np.array([lower for lower, _ in self.bounds])
        model.col_upper_ = np.array([upper for _, upper in self.bounds])
        model.row_lower_ = np.array([lower for _, lower, _ in self.rows])
        model.row_upper_ = np.array([upper for _, _, upper in self.rows])
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lengths = [len(expression.terms) for expression, _, _ in self.rows]
        model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        model.a_matrix_.index_ = np.array([c for row, _, _ in self.rows for c in row.terms], dtype=np.int32)
        model.a_matrix_.value_ = np.array([v for row, _, _ in self.rows for v in row.terms.values()], dtype=float)
        if any(self.integers):
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            model.integrality_ = [kinds[integer] for integer in self.integers]
        return model
