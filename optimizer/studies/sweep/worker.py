"""What a worker of a sweep does: it keeps an instance solved and answers cases of it, text in and text out."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any, Final

from threadpoolctl import ThreadpoolController

from gwplan.errors import AuditError, InfeasibleError, PlanError, SolverError, StoppedError
from gwplan.instance.instance import Instance, SheetPlaces
from gwplan.instance.quantity_values import Evaluator
from gwplan.kept.record import versions
from gwplan.language.quantities import parse
from gwplan.plan.claims import figures as summary_figures
from gwplan.plan.tables import first_period_gw
from gwplan.problems import InstanceError
from gwplan.session import Answer, Session
from gwplan.solver.highs import basis_codes
from gwplan.solver.program import SolveOptions
from gwplan.storage.read import Sources, read_sources
from gwplan.storage.write import tables_written

KEPT_SESSIONS: Final = 2
"""Instances that a thread of a worker keeps solved."""

LOST: Final = "lost"
"""Status of a case that killed every worker it was given to."""

Row = dict[str, Any]
"""What a case came to, as JSON holds it: ``status``, ``reason`` and figures by name."""


def packed(
    instance: Instance,
    quantities: Iterable[str] = (),
    options: SolveOptions | None = None,
    asked: Mapping[str, Any] | None = None,
) -> str:
    """Return what a worker must know, as text: an instance by its files' content, and what to make of each case.

    Rows keep the numbers that messages name them by. The instance's what-ifs are left behind. `asked` is what workers
    of another kind are asked besides, its ``worker`` one of `KINDS`.
    """
    options = options or SolveOptions()
    sheets = instance.sheets
    return json.dumps(
        {
            "texts": tables_written(replace(instance, whatifs={}, levers=())),
            "present": sorted(instance.present),
            "rows": {name: frame.index.tolist() for name, frame in instance.tables.items()},
            "sheets": None if sheets is None else [dict(sheets.letters), dict(sheets.settings)],
            "quantities": list(quantities),
            "time_limit": options.time_limit,
            "solver": dict(options.solver),
            "versions": versions(),
            **(asked or {}),
        },
        sort_keys=True,
    )


def unpacked(setup: Mapping[str, Any]) -> Instance:
    """Return the instance that `packed` was given."""
    instance = read_sources(Sources(texts=setup["texts"])).instance()
    for name, frame in instance.tables.items():
        frame.index = setup["rows"][name]
    sheets = setup["sheets"] and SheetPlaces(*setup["sheets"])
    return Instance(instance.tables, frozenset(setup["present"]), instance.factors, instance.whatifs, sheets=sheets)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy's linear algebra run in one thread: sums split over several differ in their last digits."""
    with ThreadpoolController().limit(limits=1):
        yield


@cache
def _one_thread_for_good() -> None:
    ThreadpoolController().limit(limits=1)


class Worker:
    """An instance solved and kept, which answers cases of it."""

    def __init__(self, setup: str) -> None:
        known = json.loads(setup)
        _refuse_other_versions(known["versions"])
        self._quantities = {text: parse(text, f"figure {text}") for text in known["quantities"]}
        self._options = SolveOptions(known["time_limit"], solver=known["solver"])
        self._session = Session(unpacked(known), self._options)
        self._base_moves = first_period_gw(self._session.base.decided)
        self.fingerprint = _fingerprint(self._session.base)

    def answer(self, edits: Iterable[str]) -> Row:
        """Return what the base with edits comes to; why not, where it has no plan."""
        try:
            return self._row(list(edits))
        except InstanceError as error:
            return {"status": "bad_input", "reason": "; ".join(map(str, error.problems))}
        except StoppedError as error:
            if error.status == "interrupted":
                raise KeyboardInterrupt from error
            return {"status": error.status, "reason": str(error)}
        except InfeasibleError as error:
            return {"status": error.status, "reason": error.because(error.in_conflict)}
        except PlanError as error:
            return {"status": "failed_check" if isinstance(error, AuditError) else "solver_error", "reason": str(error)}
        except Exception as error:  # whatever befalls one case, the others are answered
            return {"status": "error", "reason": f"{type(error).__name__}: {error}"}

    def _row(self, edits: list[str]) -> Row:
        answer = self._session.solve(edits)
        return {"status": answer.status, "reason": "", **self._figures(answer)}

    def _figures(self, answer: Answer) -> Row:
        summary = answer.audited
        row: Row = {name: summary[name] for name in FIGURES}
        row |= {f"expected_gw_years[{name}]": value for name, value in summary["expected_gw_years"].items()}
        for name, value in summary["components_bn"].items():
            row |= {f"value_bn[{key}]": v for key, v in value.items()} if name == "value" else {f"{name}_bn": value}
        moves = first_period_gw(answer.decided)
        row |= {f"first_period_gw[{name}]": value for name, value in moves.items()}
        row["first_moves_changed_gw"] = _largest_difference(moves, self._base_moves)
        for text, quantity in self._quantities.items():
            reading = Evaluator(answer.instance, f"figure {text}", lambda name: summary_figures(summary, name))
            row[text] = float(reading.value(quantity))
        return row


FIGURES: Final = ("objective_bn", "npv_bn", "idle_gw_years", "idle_cost_bn", "utilisation")
"""Figures of a plan's summary that are one number."""


def _largest_difference(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return max((abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in {*one, *other}), default=0.0)


def _fingerprint(base: Answer) -> str:
    """Return a digest of where every case starts: the base's columns and, if it has one, its basis."""
    digest = hashlib.sha256(base.columns.tobytes())
    if base.basis is not None:
        for codes in basis_codes(base.basis):
            digest.update(codes.tobytes())
    return digest.hexdigest()[:16]


def _refuse_other_versions(asked: Mapping[str, str]) -> None:
    """Raise where this worker's packages are not those that the sweep was begun with: its figures could differ."""
    mine = versions()
    other = [f"{name} {mine[name]} instead of {version}" for name, version in asked.items() if mine[name] != version]
    if other:
        raise SolverError(f"a worker has {', '.join(other)}")


KINDS: Final = {"backtest": ("gwplan.studies.backtest.backtest", "Tester")}
"""Workers that do something else with a case than solve it: their module and class, imported where one is needed."""


def _worker(setup: str) -> Worker:
    kind = json.loads(setup).get("worker")
    if kind is None:
        return Worker(setup)
    module, name = KINDS[kind]
    worker: Worker = getattr(import_module(module), name)(setup)
    return worker


_kept = threading.local()


def answered(setup: str, edits: Iterable[str]) -> Row:
    """Return a case's row and the fingerprint of the base it started from; this thread's session is made if need be."""
    workers: OrderedDict[str, Worker] = _kept.__dict__.setdefault("workers", OrderedDict())
    if setup not in workers:
        try:
            workers[setup] = _worker(setup)
        except (InstanceError, PlanError) as error:
            return {"no_base": str(error)}
        while len(workers) > KEPT_SESSIONS:
            workers.popitem(last=False)
    workers.move_to_end(setup)
    return {"row": workers[setup].answer(edits), "base": workers[setup].fingerprint}


def answered_alone(setup: str, edits: Iterable[str]) -> Row:
    """Do as `answered`, in a process whose linear algebra keeps to one thread from now on."""
    _one_thread_for_good()
    return answered(setup, edits)


def serve() -> None:
    """Answer tasks from standard input, a line each, on standard output until there are no more.

    The first line is the setup. What libraries print goes to standard error.
    """
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lines = iter(sys.stdin.buffer)
    setup = json.loads(next(lines))
    with suppress(BrokenPipeError):  # whoever asked is gone
        for line in lines:
            replies.write(json.dumps(answered_alone(setup, json.loads(line))).encode() + b"\n")
            replies.flush()
    with suppress(BrokenPipeError):
        replies.close()
