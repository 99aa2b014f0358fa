"""What the oracle answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.oracle.model import PLANNING_WEIGHTS, Model
from tests.oracle.near import Near
from tests.oracle.program import Linear
from tests.oracle.reading import read
from tests.oracle.tree import Tree, grow


@dataclass(frozen=True)
class OracleResult:
    """The optimum of an instance folder; figures are NaN or empty unless `status` is ``optimal``.

    Attributes
    ----------
    status : str
        ``optimal``, ``infeasible`` or ``unbounded``.
    objective_bn : float
        The model's objective in $bn, constants included.
    npv_bn : float
        Expected discounted cash in $bn: no penalties, no terminal line.
    components_bn : mapping of str to float
        Expected discounted $bn by component, costs negative; their sum is the objective where aversion is 0.
    value_bn : mapping of str to float
        The component ``value`` by pathway.
    worth_bn : mapping of str to float
        Worth of each scenario in $bn by ``factor=outcome, ...`` (blank: no factors).
    gw : mapping of tuple to float
        Value of every variable by name, its indices and the node's period and first scenario, as
        ``("allocate", "ads", "cloud", 0, "")``.
    nodes : int
        Nodes of the tree.
    """

    status: str
    objective_bn: float = math.nan
    npv_bn: float = math.nan
    components_bn: Mapping[str, float] = field(default_factory=dict)
    value_bn: Mapping[str, float] = field(default_factory=dict)
    worth_bn: Mapping[str, float] = field(default_factory=dict)
    gw: Mapping[tuple[str | int, ...], float] = field(default_factory=dict)
    nodes: int = 0


def solve(folder: Path, *, deterministic: bool = False, near: Near | None = None) -> OracleResult:
    """Solve the instance in a folder; `deterministic` leaves its uncertainty out, `near` charges for leaving a plan."""
    said = read(Path(folder))
    tree = grow(said, deterministic=deterministic)
    model = Model(tree, near)
    objective = model.objective(said.aversion, said.tail)
    status, point = model.program.maximise(objective)
    if status != "optimal":
        return OracleResult(status, nodes=len(tree.nodes))
    flows = {name: flow.at(point) for name, flow in model.expected().items()}
    value = {name.removeprefix("value:"): bn for name, bn in flows.items() if name.startswith("value:")}
    components = {"value": math.fsum(value.values())}
    components |= {name: bn for name, bn in flows.items() if not name.startswith("value:")}
    worth = worth_by_scenario(model, tree, point)
    result = OracleResult(
        status=status,
        objective_bn=objective.at(point),
        npv_bn=math.fsum(bn for name, bn in components.items() if name not in PLANNING_WEIGHTS),
        components_bn=components,
        value_bn=value,
        worth_bn=worth,
        gw=variables(model, point),
        nodes=len(tree.nodes),
    )
    refuse_contradiction(result, tree, said.aversion, said.tail)
    return result


def worth_by_scenario(model: Model, tree: Tree, point: list[float]) -> dict[str, float]:
    """Worth in $bn of every scenario; those that share a leaf share their worth."""
    worth = {leaf.number: model.worth(leaf).at(point) for leaf in tree.leaves}
    return {s.name: worth[leaf.number] for leaf in tree.leaves for s in leaf.scenarios}


def variables(model: Model, point: list[float]) -> dict[tuple[str | int, ...], float]:
    """Every variable that belongs to a node, by readable key."""
    found = {}
    for key, column in model.program.columns.items():
        if isinstance(key, tuple) and key[0] != "below":
            node = key[-1]
            found[(*key[:-1], node.period, node.scenarios[0].name)] = Linear({column: 1.0}).at(point)
    return found


def mean_of_worst(worth: list[tuple[float, float]], tail: float) -> float:
    """Mean worth of the worst share `tail` of (worth, probability) pairs, by sorting."""
    left, summed = tail, 0.0
    for bn, probability in sorted(worth):
        share = min(left, probability)
        summed += share * bn
        left -= share
    return summed / tail


def refuse_contradiction(result: OracleResult, tree: Tree, aversion: float, tail: float) -> None:
    """Raise if the objective is not what the scenarios' worth says, or the components not their mean."""
    worth = [(result.worth_bn[scenario.name], scenario.probability) for scenario in tree.scenarios]
    mean = math.fsum(bn * probability for bn, probability in worth)
    weighed = (1 - aversion) * mean + aversion * mean_of_worst(worth, tail)
    if not math.isclose(result.objective_bn, weighed, rel_tol=1e-6, abs_tol=1e-7):
        raise RuntimeError(f"objective {result.objective_bn} but the scenarios give {weighed}")
    if not math.isclose(mean, math.fsum(result.components_bn.values()), rel_tol=1e-6, abs_tol=1e-7):
        raise RuntimeError(f"the components do not sum to the mean worth {mean}")
