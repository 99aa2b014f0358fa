"""Weights of nodes: what a solution's duals are wrong by where a node weighs little, and how that is put right.

The solver forgives a reduced cost of 1e-7, whatever it stands for: on a node that weighs a thousandth in the objective
that is money, and on one that weighs 1e-9 any plan passes. So duals are judged by the weight of their node, and where
they are wrong the solution is refined: the reduced costs, enlarged until light nodes weigh much, become the costs
of the same program, which is solved on from the basis reached; the duals found are made small again and added to those
before (iterative refinement for linear programming; Gleixner, Steffy and Wolter 2016). Values, duals and basis stay
those of one optimum of the whole.

Where what must be possible on a very light node rules what is decided before, its duals are of the size of the whole,
and what it earns by itself is lost in their rounding. Such nodes, and all after them, are solved once more with what
was decided before held; their own duals prove them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gwplan.catalogue.tolerances import EPSILON, FEASIBLE, LET_BE
from gwplan.solver.program import BoolArray, FloatArray, IntArray, LinearProgram, totals

SURE: Final = 0.1
"""Weight from which on what the solver forgives is less than what the certificate does."""

ENLARGED: Final = 100.0
"""What the lightest node weighs when a solution is refined: the solver forgives 1e-7 of a weight of 1."""

SPAN: Final = 1e9
"""How much lighter than the heaviest node with wrong duals those are that the same refinement reaches, too."""

LARGEST_COST: Final = 1e15
"""Enlarged costs end here: the solver would take much larger ones for infinite."""

WITHOUT_NODE: Final = ("value_at_risk", "share", "parts_of_one")
"""Variables and constraints that stand on no node."""


@dataclass(frozen=True)
class Priced:
    """A program's rows and then its columns, with their duals and what these are measured by; all (m + n,) arrays."""

    program: LinearProgram  # the program
    duals: FloatArray  # duals of the rows, and the reduced costs of the columns that follow from them
    lower: FloatArray  # bounds
    upper: FloatArray
    weight: FloatArray  # weight in the objective of the node on which each stands; 1 on a program without light nodes
    node: IntArray  # that node; -1: none
    rounding: FloatArray  # what of a dual may be rounding, on a program with light nodes

    @property
    def bound(self) -> FloatArray:
        """The bound to which each dual's sign points; infinite where the sign is wrong."""
        return np.where(self.duals >= 0, self.lower, self.upper)

    @property
    def objective(self) -> float:
        """The dual objective, $bn, wrong signs left out."""
        bound = self.bound
        return self.program.offset + float(np.sum(self.duals * np.where(np.isinf(bound), 0.0, bound)))

    def _wrong(self, rounding: FloatArray) -> FloatArray:
        size = self.weight.copy()
        size[-self.program.shape[1] :] += np.abs(self.program.cost)
        return np.maximum(np.abs(self.duals) - rounding, 0.0) / size

    def unrefined(self, columns: FloatArray) -> BoolArray:
        """Return which duals are so wrong that refining helps: those that should be none, or point elsewhere."""
        values = np.concatenate([self.program.times(columns), columns])
        return ((self._apart(values) > 0) | np.isinf(self.bound)) & (self._wrong(self.rounding) > LET_BE)

    def _apart(self, values: FloatArray) -> FloatArray:
        """Return how far each value is from where its dual points; 0 where it is there, or there is no such place."""
        bound = np.where(np.isinf(self.bound), values, self.bound)
        apart = np.abs(values - bound)
        return np.where(apart <= FEASIBLE * (1 + np.abs(bound)), 0.0, apart)

    @property
    def blurred(self) -> BoolArray:
        """Whether rounding may be more than what is forgiven."""
        return self.rounding > FEASIBLE * self.weight

    def wrong(self, where: BoolArray) -> float:
        """Return the largest dual of the wrong sign, relative to the weight of its node and a column's cost."""
        wrong = self._wrong(np.minimum(self.rounding, FEASIBLE * self.weight))
        return float(np.max(wrong, where=where & np.isinf(self.bound), initial=0.0))

    def loss(self, values: FloatArray, where: BoolArray) -> float:
        """Return the most that a node may lose by values that are not where their duals point, $bn at a weight of 1."""
        sure = np.maximum(np.abs(self.duals) / self.weight - FEASIBLE, 0.0)
        lost = np.where(where, sure * self._apart(values), 0.0)
        return float(totals(self.node + 1, lost, len(self.program.node_weight) + 1).max())

    def afterwards(self, columns: FloatArray) -> tuple[LinearProgram, float, BoolArray]:
        """Return the program of the blurred nodes and all after them, with what was decided before held.

        Its costs are larger by the factor that is returned, too, and it is about the rows and columns of the mask.
        """
        program, rows = self.program, len(self.program.row_lower)
        entry_column = np.repeat(np.arange(len(program.cost)), np.diff(program.start))
        there, before = self.blurred, -1
        while int(there.sum()) > before:
            before = int(there.sum())
            there = np.isin(
                self.node, np.append(self.node[there], self.node[program.index[there[rows:][entry_column]]])
            )
        by = 1 / float(self.weight[there].max())
        weight = np.ones_like(program.node_weight)
        weight[self.node[there]] = program.node_weight[self.node[there]] * by
        return (
            replace(
                program,
                cost=np.where(there[rows:], program.cost * by, 0.0),
                offset=0.0,
                column_lower=np.where(there[rows:], program.column_lower, columns),
                column_upper=np.where(there[rows:], program.column_upper, columns),
                node_weight=weight,
            ),
            by,
            there,
        )

    def enlarged(self, wrong: BoolArray) -> tuple[LinearProgram, float]:
        """Return the program with what its duals leave of the costs, enlarged, and by how much.

        Each row's activity is a column of its own there, behind the others, and bears the dual of the row.
        """
        program, (rows, columns) = self.program, self.program.shape
        heaviest = float(self.weight[wrong].max())
        by = min(ENLARGED / float(self.weight.min()), SPAN / heaviest)
        left = np.where(np.abs(self.duals) > self.rounding, self.duals, 0.0)
        cost, lower, upper = (np.roll(part, -rows) for part in (left, self.lower, self.upper))
        return replace(
            program,
            cost=np.clip(cost * by, -LARGEST_COST, LARGEST_COST),
            offset=0.0,
            column_lower=lower,
            column_upper=upper,
            row_lower=np.zeros(rows),
            row_upper=np.zeros(rows),
            start=np.concatenate([program.start, program.start[-1] + np.arange(1, rows + 1)]),
            index=np.concatenate([program.index, np.arange(rows)]),
            value=np.concatenate([program.value, np.full(rows, -1.0)]),
            whole=np.zeros(rows + columns, dtype=bool),
            node_weight=np.empty(0),
        ), by


def priced(program: LinearProgram, row_duals: FloatArray) -> Priced:
    """Return what duals of a program's rows say, shape (m,); where nodes are light, measured by their weights."""
    rows, columns = program.shape
    duals = np.concatenate([row_duals, program.cost - program.transposed_times(row_duals)])
    lower = np.concatenate([program.row_lower, program.column_lower])
    upper = np.concatenate([program.row_upper, program.column_upper])
    node, weight, rounding = np.full(rows + columns, -1), np.ones(rows + columns), np.zeros(rows + columns)
    if is_light(program):
        own = node_weights(program, row_duals)
        for first, places, keys in ((0, program.rows, program.row_keys), (rows, program.columns, program.column_keys)):
            for name, at in places.items():
                if name in WITHOUT_NODE or at.start == at.stop:
                    continue
                place = slice(first + at.start, first + at.stop)
                node[place] = keys[name][:, -1]
                # whether a leaf is in the tail is judged by the weight that it has without
                weight[place] = (program.node_weight if name == "deficit_met" else own)[node[place]]
        sizes = replace(program, value=np.abs(program.value)).transposed_times(np.abs(row_duals))
        rounding[rows:] = EPSILON * (np.abs(program.cost) + sizes)
    return Priced(program, duals, lower, upper, weight, node, rounding)


def is_light(program: LinearProgram) -> bool:
    """Return whether some node weighs so little that its duals are judged by its weight."""
    return bool(len(program.node_weight)) and float(program.node_weight.min()) < SURE


def node_weights(program: LinearProgram, row_duals: FloatArray) -> FloatArray:
    """Return the weight ``w(n)`` of each node in the objective, shape (N,): its probability, shifted by aversion."""
    weight = program.node_weight.copy()
    if "cumulative_worth" in program.rows:
        node = program.row_keys["cumulative_worth"][:, -1]
        weight[node] = np.maximum(weight[node], -row_duals[program.rows["cumulative_worth"]])
    return weight
