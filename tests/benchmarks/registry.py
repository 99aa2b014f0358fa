"""The benchmark cases: the reference instance, and generated ones with their parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.benchmarks.generator import Shape, generate

REFERENCE: Final = Path(__file__).resolve().parents[2] / "instances" / "meta-2026h1"

CASES: Final[dict[str, Shape | None]] = {
    "reference": None,
    "2,000": Shape(pools=3, pathways=4, contracts=20, periods=24, factors=1),
    "16,000": Shape(factors=1),
    "120,000": Shape(pools=12, contracts=140, periods=84, factors=3),
    "500,000": Shape(pools=20, pathways=10, contracts=200, periods=168, factors=3),
    "deep": Shape(pools=6, contracts=60, periods=240, factors=1),
    "wide": Shape(pools=20, pathways=10, contracts=300, factors=2),
    "three factors": Shape(factors=3),
    "many contracts": Shape(pools=6, pathways=4, contracts=1000, periods=48, factors=1),
    **{f"leaves {3**f}": Shape(pools=5, pathways=4, contracts=40, periods=48, factors=f) for f in range(5)},
}
"""By name; the number in a name is about how many columns the program has. None: the reference instance."""

READING: Final[dict[str, Shape]] = {
    "100,000 deliveries": Shape(pools=6, pathways=4, contracts=1000, periods=48, factors=0, deliveries=100),
    "and 2 outcomes on them": Shape(pools=6, pathways=4, contracts=1000, periods=48, factors=1, deliveries=100),
}
"""Instances that are read and checked, not solved."""

QUICK: Final = ("reference", "2,000", "16,000", "leaves 3", "leaves 9", "leaves 27")
"""What ``--quick`` measures: a few minutes."""

LARGE: Final = ("500,000",)
"""Measured once: each run takes minutes."""


def folder_of(case: str, scratch: Path) -> Path:
    """Return the instance folder of a case, generated in `scratch` where it has to be."""
    shape = (CASES | READING)[case]
    return REFERENCE if shape is None else generate(shape, scratch / "instance")
