"""What benchmark runs say, as tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

Runs = dict[str, list[dict[str, Any]]]

PHASES: Final = (
    "read", "validate", "timeline", "terms", "build", "compile", "load", "solve", "extract", "audit", "export",
)  # fmt: skip
SLOWER: Final = 1.3
NOISE_SECONDS: Final = 0.01
"""Differences below this are not told from noise."""


def by_case(runs: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return runs by their case, in order."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for run in runs:
        found[run["case"]].append(run)
    return found


def seconds(runs: Iterable[Mapping[str, Any]], phase: str) -> list[float]:
    """Return how long a phase took in each run that has it."""
    return [run["seconds"][phase] for run in runs if phase in run["seconds"]]


def spread(values: list[float]) -> str:
    """Return the median and, of several, half the distance from least to most."""
    half = f" ±{(max(values) - min(values)) / 2:.1g}" if len(values) > 1 else ""
    return f"{np.median(values):.3g}{half}" if values else ""


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown(runs: Runs) -> str:
    """Return every table that the runs give."""
    parts = [_phases(runs), _peers(runs), _starts(runs), _reading(runs)]
    return "\n\n".join(part for part in parts if part)


def _phases(runs: Runs) -> str:
    rows, warm = [], by_case(runs["warm"])
    for case, group in by_case(runs["phases"]).items():
        size = group[0]["size"]
        given_up = any(run.get("solved", {}).get("given up") for run in group)
        figures = [
            f"{'> ' if given_up and phase == 'solve' else ''}{spread(seconds(group, phase))}" for phase in PHASES
        ]
        edit = spread(seconds(warm.get(case, []), "warm edit"))
        memory = f"{np.median([run['peak_mb'] for run in group]):.0f}"
        rows.append([case, f"{size['columns']:,}", f"{size['rows']:,}", str(size["leaves"]), *figures, edit, memory])
    if not rows:
        return ""
    text = table(["case", "columns", "rows", "leaves", *PHASES, "warm edit", "MB"], rows)
    return f"{text}\n\n{growth(runs)}"


BESIDE: Final = tuple(phase for phase in PHASES if phase != "solve")
"""All from reading files to a kept, audited run that is not the solver's own work."""


def growth(runs: Runs) -> str:
    """Return how the work beside the solver grows with columns: the exponent fitted over generated cases by size."""
    sizes, beside = [], []
    for case, group in by_case(runs["phases"]).items():
        if case[0].isdigit() and all(seconds(group, phase) for phase in BESIDE):
            sizes.append(group[0]["size"]["columns"])
            beside.append(sum(float(np.median(seconds(group, phase))) for phase in BESIDE))
    if len(sizes) < 2:
        return ""
    exponent = np.polyfit(np.log(sizes), np.log(beside), 1)[0]
    range_ = f"{min(sizes):,} to {max(sizes):,} columns"
    each = ", ".join(f"{took:.2f} s at {size:,}" for size, took in zip(sizes, beside, strict=True))
    return f"All but the solve, from reading files to a kept, audited run: {each}. {range_}: exponent {exponent:.2f}."


def _peers(runs: Runs) -> str:
    rows = []
    for case, group in by_case(runs["peers"]).items():
        of: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for run in group:
            of[run["peer"]].append(run)
        ours = float(np.median(seconds(of["gwplan"], "load")))
        worths = [run["worth_bn"] for run in group if run["worth_bn"] is not None]
        apart = f"{(max(worths) - min(worths)) / (1 + abs(worths[0])):.0e}" if worths else "not solved"
        for name, mine in of.items():
            took, memory = seconds(mine, "load"), np.median([run["peak_mb"] for run in mine])
            ratio = f"{ours / float(np.median(took)):.2f}"
            rows.append([case, name, spread(took), ratio, f"{memory:.0f}", apart])
    head = ["case", "tool", "arrays to loaded HiGHS", "gwplan / it", "MB taken", "optima differ by"]
    return table(head, rows) if rows else ""


def _starts(runs: Runs) -> str:
    rows = []
    for run in runs["starts"]:
        lift, cold = run["seconds"]["lift"], run["seconds"]["cold"]
        worth = run["worth_bn"]
        given_up = "cold" not in worth
        apart = "" if given_up else f"{abs(worth['cold'] - worth['lift']) / (1 + abs(worth['cold'])):.0e}"
        mark = "> " if given_up else ""
        rows.append(
            [
                run["case"],
                f"{run['columns']:,}",
                str(run["leaves"]),
                f"{mark}{cold:.3g}",
                f"{lift:.3g}",
                run["solved"]["start"],
                f"{mark}{cold / lift:.1f}",
                apart,
            ]
        )
    head = ["case", "columns", "leaves", "cold", "automatic", "start", "times as fast", "optima differ by"]
    return table(head, rows) if rows else ""


def _reading(runs: Runs) -> str:
    rows = []
    for case, group in by_case(runs["reading"]).items():
        ours, theirs = seconds(group, "read and validate"), seconds(group, "pandas")
        ratio = f"{np.median(ours) / np.median(theirs):.1f}"
        rows.append([case, f"{group[0]['size']['rows']:,}", spread(theirs), spread(ours), ratio])
    head = ["read", "rows in all tables", "pandas, dates as text", "gwplan, read and validate", "gwplan / pandas"]
    return table(head, rows) if rows else ""


def slower(base: list[dict[str, Any]], here: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """Return a table of two commits' medians, and the phases that became more than `SLOWER` times slower."""
    rows, flagged = [], []
    before, after = by_case(base), by_case(here)
    for case in after:
        for phase in PHASES:
            old, new = seconds(before[case], phase), seconds(after[case], phase)
            if not old or not new:
                continue
            ratio = float(np.median(new) / max(np.median(old), 1e-9))
            bad = ratio > SLOWER and float(np.median(new) - np.median(old)) > NOISE_SECONDS
            flagged += [f"{case} {phase}"] if bad else []
            rows.append([f"{case} {phase}", spread(old), spread(new), f"{ratio:.2f}{' slower' if bad else ''}"])
    return table(["phase", "base", "here", "ratio"], rows), flagged
