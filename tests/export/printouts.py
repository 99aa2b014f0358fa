"""How the tests read a printout."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd
from rich.console import Console

from gwplan.plan.plan import Plan
from gwplan.show.text.plan import print_plan

INSTANCES = Path(__file__).parents[2] / "instances"
PARTS = (
    "GW BY YEAR",
    "WORTH BY PART",
    "DO NOW",
    "CANCELLATIONS TO TAKE",
    "DEALS",
    "WHAT THE NEXT MW ARE WORTH",
    "LIMITS THAT COST MOST",
    "WHAT DIFFERS BETWEEN THE FUTURES",
)
"""Headings of the parts, in their order."""


def printed(plan: Plan, width: int = 80, terminal: bool = False) -> str:
    """Return what is printed of a plan."""
    file = io.StringIO()
    print_plan(plan, Console(file=file, width=width, force_terminal=terminal, color_system=None), full=True)
    return file.getvalue()


def part(text: str, title: str) -> list[str]:
    """Return the lines of one part, its heading first."""
    return next(block for block in text.split("\n\n") if block.startswith(title)).splitlines()


def row(lines: list[str], name: str) -> list[str]:
    """Return the words of the line that begins with a name, the name left out."""
    line = next(line.strip() for line in lines if line.strip().startswith(name))
    return line.removeprefix(name).split()


def floats(words: list[str]) -> list[float]:
    """Return the words that are figures."""
    return [float(word) for word in words if re.fullmatch(r"-?\d+(\.\d+)?", word)]


def yearly(frame: pd.DataFrame, column: str) -> pd.Series[float]:
    """Return the expected mean of a column over the periods of each year."""
    expected = (frame[column] * frame["probability"]).groupby(frame["start"]).sum().reset_index(name="expected")
    return expected.groupby(expected["start"].dt.year)["expected"].mean()
