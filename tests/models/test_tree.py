"""The scenario tree and what `PlanData` reads off it, against walks from node to parent."""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwplan.models import PlanData, Tree, build_tree
from gwplan.models.data import BY_NODE, BY_ROOT

quick = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Factors:
    """Arguments of `build_tree`."""

    periods: int
    revealed: list[int]
    probabilities: list[list[float]]

    def tree(self) -> Tree:
        """Return the tree."""
        return build_tree(self.periods, self.revealed, self.probabilities)


@st.composite
def factors(draw: st.DrawFn) -> Factors:
    """Draw none to three factors; some are revealed at the start, some after the horizon."""
    periods = draw(st.integers(1, 7))
    revealed = draw(st.lists(st.integers(0, periods + 2), max_size=3))
    weights = [draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)) for _ in revealed]
    return Factors(periods, revealed, [[w / sum(some) for w in some] for some in weights])


def walk(tree: Tree, node: int) -> list[int]:
    """Return the nodes from the root to a node, found from parent to parent."""
    path = [node]
    while tree.parent[path[0]] >= 0:
        path.insert(0, int(tree.parent[path[0]]))
    return path


@quick
@given(factors())
def test_scenarios_are_the_product_of_outcomes(drawn: Factors) -> None:
    """Protects the probabilities: each scenario is one outcome of each factor, the first factor varying slowest."""
    tree = drawn.tree()
    outcomes = tree.scenario_outcome.tolist()
    assert outcomes == sorted(outcomes)
    assert len({tuple(chosen) for chosen in outcomes}) == math.prod(len(p) for p in drawn.probabilities)
    for chosen, probability in zip(outcomes, tree.scenario_probability.tolist(), strict=True):
        product = math.prod(p[o] for p, o in zip(drawn.probabilities, chosen, strict=True))
        assert probability == pytest.approx(product, rel=1e-12)


@quick
@given(factors())
def test_scenarios_share_a_node_while_they_agree_on_what_is_revealed(drawn: Factors) -> None:
    """Protects the definition of the tree: no decision knows what is not revealed, none forgets what is."""
    tree = drawn.tree()
    for t in range(drawn.periods):
        known = [
            tuple(o if revealed <= t else -1 for o, revealed in zip(chosen, drawn.revealed, strict=True))
            for chosen in tree.scenario_outcome.tolist()
        ]
        node_of = dict(zip(known, tree.node_of[:, t].tolist(), strict=True))
        assert [node_of[seen] for seen in known] == tree.node_of[:, t].tolist()
        assert len(set(node_of.values())) == len(node_of)
        assert {node: tuple(tree.known[node].tolist()) for node in node_of.values()} == {
            node: seen for seen, node in node_of.items()
        }


@quick
@given(factors())
def test_probability_is_kept_from_period_to_period(drawn: Factors) -> None:
    """Protects expected worth: a period's probabilities sum to 1, a node's is that of its children and scenarios."""
    tree = drawn.tree()
    for t in range(drawn.periods):
        assert tree.probability[tree.period == t].sum() == pytest.approx(1, rel=1e-12)
    for node in range(tree.size):
        through = tree.scenario_probability[(tree.node_of == node).any(axis=1)].sum()
        assert tree.probability[node] == pytest.approx(through, rel=1e-12)
        if node not in tree.leaves:
            children = tree.probability[tree.parent == node].sum()
            assert tree.probability[node] == pytest.approx(children, rel=1e-12)


@quick
@given(factors())
def test_every_path_has_one_node_a_period(drawn: Factors) -> None:
    """Protects the forest: roots in period 0 only, each parent one period up and numbered before its children."""
    tree = drawn.tree()
    assert tree.periods == drawn.periods
    assert sorted(set(tree.node_of.ravel().tolist())) == list(range(tree.size))
    assert tree.roots.tolist() == np.flatnonzero(tree.period == 0).tolist()
    assert tree.leaves.tolist() == sorted(set(tree.node_of[:, -1].tolist()))
    inner = tree.parent >= 0
    assert (tree.parent[inner] < np.flatnonzero(inner)).all()
    for scenario in range(len(tree.node_of)):
        nodes = tree.node_of[scenario].tolist()
        assert nodes == walk(tree, nodes[-1])
        assert tree.period[nodes].tolist() == list(range(drawn.periods))


@quick
@given(factors())
def test_only_factors_revealed_by_the_start_make_more_than_one_root(drawn: Factors) -> None:
    """Protects the start: one root for each combination of what is known then."""
    known = [p for p, revealed in zip(drawn.probabilities, drawn.revealed, strict=True) if revealed == 0]
    assert len(drawn.tree().roots) == math.prod(map(len, known))


@quick
@given(factors(), st.integers(0, 5), st.integers(0, 3))
def test_a_factor_after_the_horizon_splits_nothing(drawn: Factors, late: int, place: int) -> None:
    """Protects against scenarios told apart by what nobody learns in time: nodes, parents and probabilities stay."""
    revealed, probabilities = drawn.revealed.copy(), drawn.probabilities.copy()
    revealed.insert(place, drawn.periods + late)
    probabilities.insert(place, [0.25, 0.75])
    tree, more = drawn.tree(), build_tree(drawn.periods, revealed, probabilities)
    assert more.parent.tolist() == tree.parent.tolist()
    assert more.probability == pytest.approx(tree.probability, rel=1e-12)
    assert len(more.node_of) == 2 * len(tree.node_of)


@quick
@given(factors(), st.data())
def test_ways_up_and_down_are_those_of_the_parents(drawn: Factors, more: st.DataObject) -> None:
    """Protects every rule that looks back or ahead: path, ancestors, roots and descendants agree with the parents."""
    tree = drawn.tree()
    lag = np.array(more.draw(st.lists(st.integers(0, 9), min_size=tree.size, max_size=tree.size)))
    above, below = tree.ancestor(lag), tree.has_descendant(lag)
    for node in range(tree.size):
        path = walk(tree, node)
        assert tree.path[node].tolist() == path + [-1] * (drawn.periods - len(path))
        assert tree.roots[tree.root[node]] == path[0]
        assert above[node] == (path[-1 - lag[node]] if lag[node] < len(path) else -1)
        longest = max(len(walk(tree, leaf)) for leaf in tree.leaves if node in walk(tree, int(leaf)))
        assert below[node] == (lag[node] <= longest - len(path))
        through = np.flatnonzero((tree.node_of == node).any(axis=1))
        assert tree.example[node] == through[0]


AXES = {
    name: axes.replace("Q + 1", "L").replace(", ", "")
    for names, axes in re.findall(
        r"^(\w+(?:, \w+)*) : \(((?:[A-Z][ +1]*,? ?)+)\) \w+ array$", inspect.cleandoc(PlanData.__doc__ or ""), re.M
    )
    for name in names.split(", ")
    if name not in ("discount", "sold", "extends")
}
"""Axes of the fields of `PlanData` that are arrays on the tree, as its docstring tells them."""


def data_on(tree: Tree, **given_fields: Any) -> PlanData:
    """Return data of two pathways, one pool, a firm contract and an offer in which all but some fields is 0."""
    sizes = {"P": 2, "Q": 1, "K": 2, "W": 2, "O": 1, "I": 1, "L": 2}
    sizes |= {"T": tree.periods, "N": tree.size, "R": len(tree.roots)}
    kinds = {"BoolArray": np.bool_, "IntArray": np.int64, "FloatArray": np.float64}
    kind_of = {field.name: kinds.get(str(field.type)) for field in fields(PlanData)}
    arrays = {name: np.zeros([sizes[axis] for axis in axes], dtype=kind_of[name]) for name, axes in AXES.items()}
    return PlanData(
        tree=tree,
        pathways=("one", "two"),
        pools=("pool",),
        contracts=("a", "b"),
        ways_out=("a", "b"),
        offers=("b",),
        pool_of=np.zeros(2, dtype=np.int64),
        way_out_of=np.arange(2),
        offer_of=np.array([1]),
        sold=np.zeros(2, dtype=bool),
        extends=np.zeros((1, 2), dtype=bool),
        dt=0.25,
        discount=np.cumprod(np.full(tree.periods, 0.9)),
        aversion=0.0,
        tail=0.1,
        move_cost=0.0,
        dated=False,
        **{**arrays, **given_fields},
    )


@st.composite
def plans(draw: st.DrawFn) -> PlanData:
    """Draw a tree with windows, notices, terms and churn on it; nothing holds from one node to the next by chance."""
    tree = draw(factors()).tree()
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    roots = len(tree.roots)
    notice = random.integers(0, 4, (2, roots))
    term = np.maximum(random.integers(0, 5, (2, roots)), notice)
    return data_on(
        tree,
        window=random.random((2, tree.size)) < random.choice([0.1, 0.5, 0.9]),
        cancel_notice=random.integers(0, 4, (2, roots))[:, tree.root],
        notice=notice,
        term=term,
        keep=random.choice([0.0, 0.5, 0.8, 1.0], (2, tree.size), p=[0.1, 0.2, 0.3, 0.4]),
        delivered=random.random((2, tree.size)),
        offered=random.random((1, tree.size)) < random.choice([0.1, 0.5, 0.9]),
        lead=random.integers(0, 4, (1, roots))[:, tree.root],
        unit=np.round(random.random((1, tree.periods, tree.size)), 1),
    )


def last(nodes: list[int]) -> int:
    """Return the last of some nodes, -1 if there is none."""
    return nodes[-1] if nodes else -1


@quick
@given(plans())
def test_windows_are_looked_up_on_the_path(data: PlanData) -> None:
    """Protects cancellations: what is in effect, what was given before, what is given at the end.

    `ref` is the last window node at least the notice before a node, `previous_window` the last one strictly before it,
    `last_window` the last one up to it.
    """
    period = data.tree.period
    for k in range(len(data.contracts)):
        for node in range(data.tree.size):
            opened = [a for a in walk(data.tree, node) if data.window[k, a]]
            in_effect = [a for a in opened if period[node] - period[a] >= data.cancel_notice[k, a]]
            assert data.ref[k, node] == last(in_effect)
            assert data.previous_window[k, node] == last([a for a in opened if a != node])
            assert data.last_window[k, node] == last(opened)


@quick
@given(plans())
def test_signatures_are_looked_up_on_the_path(data: PlanData) -> None:
    """Protects offers: each share counts with what it brings when it is signed, and with what the next one does not.

    Shares that only rise bring the sum over the signatures of what each adds; `sref` mirrors `ref`.
    """
    tree = data.tree
    signed = np.zeros((1, tree.size))
    for node in range(tree.size):
        before = [a for a in walk(tree, node)[:-1] if data.offered[0, a]]
        signed[0, node] = 0.2 + (signed[0, before[-1]] if before else 0.0)
    brought = data.in_service.of(signed)
    for node in range(tree.size):
        opened = [a for a in walk(tree, node) if data.offered[0, a]]
        assert data.sref[0, node] == last([a for a in opened if tree.period[node] - tree.period[a] >= data.lead[0, a]])
        assert data.previous_offer[0, node] == last([a for a in opened if a != node])
        assert brought[0, node] == pytest.approx(sum(0.2 * data.unit[0, tree.period[a], node] for a in opened))


@quick
@given(plans())
def test_notice_and_churn_are_looked_up_on_the_path(data: PlanData) -> None:
    """Protects deals: which node's notice gives capacity back, and what churn left of it since.

    ``K(a, n)`` multiplies what is kept on the nodes after a up to n; without such an ancestor, on the whole path.
    """
    tree = data.tree
    for p in range(len(data.pathways)):
        for node in range(tree.size):
            path, root = walk(tree, node), tree.root[node]
            lag = int(data.notice[p, root])
            is_deal = data.term[p, root] > 0
            assert data.deal[p, root] == is_deal
            assert data.notified[p, node] == (path[-1 - lag] if is_deal and lag < len(path) else -1)
        for lag in range(tree.periods + 2):
            kept = data.kept_since(p, lag)
            for node in range(tree.size):
                after = walk(tree, node)[::-1][:lag]
                assert kept[node] == pytest.approx(math.prod(data.keep[p, after]), rel=1e-12)


@quick
@given(plans())
def test_supply_and_discount_follow_the_node(data: PlanData) -> None:
    """Protects balance and worth: a pool's supply is its firm contracts', a node's discount factor its period's."""
    assert data.supply[0] == pytest.approx(data.delivered[0])
    for node in range(data.tree.size):
        assert data.node_discount[node] == data.discount[data.tree.period[node]]


def test_every_array_of_the_plans_data_is_moved_to_another_tree() -> None:
    """Protects plans of one future alone: an array that is forgotten there would keep the nodes of the old tree."""
    arrays = {field.name for field in fields(PlanData) if "Array" in str(field.type)}
    fixed = {"pool_of", "way_out_of", "offer_of", "sold", "extends", "discount", "signed_supply"}
    assert arrays - fixed == {*BY_NODE, *BY_ROOT}
