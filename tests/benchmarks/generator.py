"""Instances of any size, by seed: what a planner with many contracts and factors would hand in."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.generate.draft import add_months

START = dt.date(2026, 7, 1)
FEW = 50
"""Up to here an outcome of late deliveries is about all contracts, beyond about every tenth."""


@dataclass(frozen=True)
class Shape:
    """Parameters of a generated instance.

    Attributes
    ----------
    pools, pathways, contracts, periods : int
        Sizes; periods are months.
    factors, outcomes : int
        Uncertainty factors, revealed at equal distances over the horizon, and outcomes of each.
    eligible : float
        Share of the pairs of pathway and pool that may be used.
    tiers : int
        Value tiers of a pathway in force at a time.
    deliveries : int
        Deliveries of each contract.
    seed : int
        Equal shapes and seeds give equal instances.
    """

    pools: int = 10
    pathways: int = 6
    contracts: int = 100
    periods: int = 60
    factors: int = 2
    outcomes: int = 3
    eligible: float = 0.8
    tiers: int = 4
    deliveries: int = 3
    seed: int = 1


def generate(shape: Shape, folder: Path) -> Path:
    """Write the instance of a shape and return its folder.

    Capacity in GW, prices near $bn 1 per GW-year. Of three pathways one costs something to move and one makes deals;
    two of three contracts can be cancelled; there is no floor, so that a plan always exists.
    """
    rng = np.random.default_rng([shape.seed, 20260701])
    folder.mkdir(parents=True)
    (folder / "instance.toml").write_text(
        f'schema = 1\nname = "generated"\n[calendar]\nstart = {START}\nresolution = "month"\n'
        f"periods = {shape.periods}\n[economics]\ndiscount_rate = 0.09\n"
    )
    _write_supply(shape, rng, folder)
    _write_use(shape, rng, folder)
    if shape.factors:
        (folder / "uncertainty.toml").write_text("\n".join(_factors(shape, rng)), encoding="utf-8")
    return folder


def _number(rng: np.random.Generator, least: float, most: float) -> float:
    return round(float(rng.uniform(least, most)), 3)


def _date(months: int) -> dt.date:
    return add_months(START, months)


def _write(folder: Path, name: str, header: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split())
        writer.writerows(rows)


def _write_supply(shape: Shape, rng: np.random.Generator, folder: Path) -> None:
    pools = [f"pool_{q}" for q in range(shape.pools)]
    _write(
        folder,
        "pools",
        "pool idle_penalty_bn_per_gw_year terminal_value_bn_per_gw_year",
        [(q, 0.05, _number(rng, 0.9, 1.3)) for q in pools],
    )
    contracts, deliveries, cancellations = [], [], []
    for k in range(shape.contracts):
        name, first = f"contract_{k}", int(rng.integers(-12, shape.periods * 2 // 3))
        years = int(rng.integers(4, 9))
        end = _date(first + 12 * years) if k % 4 else ""
        contracts.append((name, f"vendor_{k % 7}", pools[k % len(pools)], end, _number(rng, 0.8, 1.4)))
        apart = rng.choice(12, shape.deliveries, replace=shape.deliveries > 12)
        deliveries += [(name, _date(first + int(months)), _number(rng, 0.02, 0.2)) for months in np.sort(apart)]
        if k % 3:
            opens = max(first + int(rng.integers(0, 6)), 0)
            notice, fee = 30 * int(rng.integers(1, 7)), _number(rng, 0.05, 0.5)
            cancellations.append((name, _date(opens), _date(opens + int(rng.integers(6, 25))), notice, fee))
    _write(folder, "contracts", "contract vendor pool end cost_bn_per_gw_year", contracts)
    _write(folder, "deliveries", "contract date gw", _added(deliveries))
    _write(folder, "cancellations", "contract opens closes notice_days fee_bn_per_gw", cancellations)


def _added(deliveries: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(deliveries, key=lambda row: (row[0], row[1]))


def _write_use(shape: Shape, rng: np.random.Generator, folder: Path) -> None:
    mean = 0.11 * shape.deliveries * shape.contracts / shape.pathways
    pathways, demand, value = [], [], []
    for p in range(shape.pathways):
        deal = p % 3 == 2
        name, ramp = f"pathway_{p}", _number(rng, 0.02, 0.08) * mean
        terms = (90, 30 * int(rng.integers(6, 13)), 0.1, 0.01) if deal else ("", "", "", "")
        pathways.append((name, 1.5 if p % 2 else 0.5, round(ramp, 4), 0.02 if p % 3 == 1 else "", *terms))
        for year in range(-(-shape.periods // 12)):
            reach = mean * (0.2 + 0.25 * year) * _number(rng, 0.6, 1.2)
            demand.append((name, _date(12 * year), round(0.5 * reach, 4), round(1.6 * reach, 4)))
            top = _number(rng, 1.6, 3.0)
            for i in range(shape.tiers):
                worth = round(top * 0.72**i, 4)
                value.append((name, _date(12 * year), i + 1, round(1.5 * reach / shape.tiers, 4), worth))
    _write(
        folder,
        "pathways",
        "pathway shortfall_penalty_bn_per_gw_year ramp_gw_per_month migration_cost_bn_per_gw notice_days min_term_days "
        "churn_per_year signing_cost_bn_per_gw",
        pathways,
    )
    pairs = [(p, q) for p in range(shape.pathways) for q in range(shape.pools)]
    allowed = [pair for pair in pairs if rng.random() < shape.eligible or sum(pair) % shape.pools == 0]
    _write(
        folder,
        "eligibility",
        "pathway pool effectiveness operating_cost_bn_per_gw_year initial_gw",
        [(f"pathway_{p}", f"pool_{q}", _number(rng, 0.6, 1.0), _number(rng, 0, 0.1), 0) for p, q in allowed],
    )
    _write(folder, "demand", "pathway from target_gw cap_gw", demand)
    _write(folder, "value", "pathway from tier width_gw value_bn_per_gw_year", value)


def _factors(shape: Shape, rng: np.random.Generator) -> Iterable[str]:
    """Yield the lines of the factors: late deliveries first, then by turns demand and prices of a pathway."""
    for f in range(shape.factors):
        month = shape.periods * (f + 1) // (shape.factors + 1)
        yield f'[[factor]]\nname = "factor_{f}"\nrevealed = {_date(month)}'
        pathway = f"pathway_{f % shape.pathways}"
        for o in range(shape.outcomes):
            share = round(1 / shape.outcomes, 6)
            probability = share if o else round(1 - share * (shape.outcomes - 1), 6)
            yield f'[[factor.outcome]]\nname = "outcome_{o}"\nprobability = {probability}'
            if o == 0:
                continue
            scale = _number(rng, 0.5, 0.9) if o % 2 else _number(rng, 1.1, 1.5)
            if f == 0:
                late = f"contract = 'contract_*{o if shape.contracts > FEW else ''}'"
                yield _edit("deliveries", late, "date", f"shift_months = {3 * o}", month)
            for column in ("target_gw", "cap_gw") if f % 2 else ():
                yield _edit("demand", f"pathway = '{pathway}'", column, f"scale = {scale}", month)
            if f and not f % 2:
                yield _edit("value", f"pathway = '{pathway}'", "value_bn_per_gw_year", f"scale = {scale}", month)


def _edit(table: str, where: str, column: str, change: str, month: int) -> str:
    lines = ("[[factor.outcome.edit]]", f'table = "{table}"', f"where = {{ {where} }}", f'column = "{column}"', change)
    return "\n".join((*lines, f"from = {_date(month)}"))
