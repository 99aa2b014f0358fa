"""Run an instance through every command and say which end in a traceback, or are silent for long.

``python -m tests.every_command INSTANCE... [--seconds 300]`` runs each command as a process, stopped after so many
seconds. A command may find that there is no plan, or be stopped; it may not crash, nor be silent for ten seconds.
"""

from __future__ import annotations

import argparse
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import gwplan as gw
from gwplan.tree.calendar import calendar_of

SILENCE: Final = 10.0
"""Seconds for which a command may print nothing."""

FINE: Final = (0, 1, 3, 4)
"""Exit codes: solved, refused in words (such as a roll whose branch is open), without a plan, stopped."""


def commands(source: str, folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield every command with arguments that fit an instance; each may use what those before it wrote."""
    instance = gw.load(source)
    run, other, book = (str(folder / name) for name in ("run", "other", "plan.xlsx"))
    later = str(calendar_of(instance).starts()[min(1, instance.periods - 1)])
    given = [f"--given={factor.name}={factor.outcomes[0].name}" for factor in instance.factors]
    contract = str(instance.tables["contracts"]["contract"].iloc[0])
    price = f'contracts[contract=="{contract}"].cost_bn_per_gw_year'
    yield "check", source
    yield "claims", source
    yield "solve", source, "--out", run
    yield "solve", source, "--set", f"{price} += 0.01", "--out", other
    yield "solve", source, "--marginal-values", "--deterministic"
    yield "export", run, "--csv", str(folder / "csv")
    yield "export", run, "--parquet", str(folder / "parquet")
    yield "export", run, "--png", str(folder / "png")
    yield "export", run, "--svg", str(folder / "svg")
    yield "export", run, "--html", str(folder / "plan.html")
    yield "export", run, "--xlsx", book
    yield "export", run, "--lp", str(folder / "plan.lp")
    yield "export", run, "--mps", str(folder / "plan.mps")
    yield "compare", run, other
    yield "evaluate", source, "--plan", str(folder / "csv" / "allocation.csv")
    yield "roll", source, "--to", later, "--run", run, "--out", str(folder / "next"), *given
    yield "convert", source, str(folder / "copy.xlsx")
    yield "convert", str(folder / "copy.xlsx"), str(folder / "copy")
    yield "migrate", str(folder / "copy")
    yield "new", str(folder / "starter")
    yield "whatif", source, "--set", f"{price} *= 1.1"
    yield "breakeven", source, price, "--until-plan-changes"
    yield "sweep", source, "--grid", f"{price} *= 0.9, 1.1"
    yield "montecarlo", source, "--draw", f"{price} *~ uniform(0.9, 1.1)", "--samples", "3"
    yield "backtest", source, "--draw", f"{price} *~ uniform(0.9, 1.1)", "--paths", "2"
    yield "alternatives", source
    yield "uncertainty", source
    for offer in instance.tables["offers"]["contract"].tolist()[:1]:
        yield "price", source, offer
    yield "exposure", source
    yield "tornado", source
    yield "explain", source, "--set", "deliveries.gw *= 0.0001"


def watched(arguments: tuple[str, ...], seconds: float) -> tuple[int | None, float, str]:
    """Return exit code (None: stopped), longest silence in seconds, and all that a command printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gwplan.cli", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    heard: queue.Queue[bytes | None] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=_listen, args=(process.stdout, heard), daemon=True).start()
    began = last = time.monotonic()
    longest, printed = 0.0, b""
    with process:
        while True:
            try:
                part = heard.get(timeout=1.0)
            except queue.Empty:
                part = b""
            now = time.monotonic()
            longest = max(longest, now - last)
            if part is None:
                return process.wait(), longest, printed.decode(errors="replace")
            if part:
                last, printed = now, printed + part
            if now - began > seconds:
                process.kill()
                while heard.get() is not None:  # what it still said; the listener is done before its pipe closes
                    pass
                return None, longest, printed.decode(errors="replace")


def _listen(stream: IO[bytes], heard: queue.Queue[bytes | None]) -> None:
    while part := os.read(stream.fileno(), 1 << 16):
        heard.put(part)
    heard.put(None)


def main() -> None:
    """Run the instances named on the command line; end with 1 where a command crashes or is silent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instances", nargs="+")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--only", default="", help="run only commands of this name, and those that keep runs")
    asked = parser.parse_args()
    wrong = 0
    for source in asked.instances:
        with tempfile.TemporaryDirectory() as scratch:
            for arguments in commands(source, Path(scratch)):
                if asked.only not in ("", arguments[0]) and "--out" not in arguments:
                    continue
                began = time.monotonic()
                code, longest, printed = watched(arguments, asked.seconds)
                bad = "Traceback" in printed or longest > SILENCE or code not in (*FINE, None)
                wrong += bad
                ended = "stopped" if code is None else f"exit {code}"
                took = f"{time.monotonic() - began:6.1f} s, silent {longest:4.1f} s"
                print(f"{'BAD' if bad else 'ok ':3} {ended:8} {took}  {' '.join(arguments)[:90]}", flush=True)
                if bad or code == 1:
                    print("".join(f"      {line}\n" for line in printed.splitlines()[-4:]), end="", flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
