"""Sweeps: many cases of one instance, answered by whichever engine with the same rows in the same order."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

import pandas as pd

from gwplan.errors import SolverError
from gwplan.instance.instance import Instance
from gwplan.instance.quantity_values import Evaluator, parts
from gwplan.kept.record import about, versions
from gwplan.language.quantities import Cells, parse
from gwplan.planning import solve
from gwplan.problems import InstanceError, Problem, all_told, nearest
from gwplan.solver.program import SolveOptions
from gwplan.studies.sweep.worker import Row, packed

OPTIMAL: Final = "optimal"
"""Status of a case that has a plan, proved best."""

SHOWN: Final = "of"
"""Setting that names the figure that is shown and drawn, where a study has one."""

BASE: Final = -1
"""Number of the case without edits, which every sweep begins with."""

Value = str | float
"""A cell of a table."""


@dataclass(frozen=True)
class Task:
    """A case to be answered."""

    # edits of the base, in the command line's spelling, applied in their order; none: the base itself
    edits: tuple[str, ...]
    inputs: Mapping[str, Value] = field(default_factory=dict)  # what the table of cases says of it, by column


@dataclass(frozen=True)
class Study:
    """Cases of one instance, and what is wanted of each."""

    kind: str  # ``sweep``, ``tornado``, ``montecarlo`` or ``backtest``: how a kept folder is read
    instance: Instance  # the base of all cases
    tasks: tuple[Task, ...]  # the cases, in the order of the table
    quantities: tuple[str, ...] = ()  # quantities that each row gives besides the usual figures
    options: SolveOptions = field(default_factory=SolveOptions)  # of every solve
    # what else the study was asked with (seed, shares ...), for the manifest; JSON holds it
    settings: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)  # what workers of another kind must know; JSON holds it

    @cached_property
    def setup(self) -> str:
        """What a worker must know, as text."""
        return packed(self.instance, self.quantities, self.options, self.asked)

    @cached_property
    def digest(self) -> str:
        """sha256 of all that decides the answers, the versions of the software included; not what is shown of them."""
        settings = {name: value for name, value in self.settings.items() if name != SHOWN}
        asked = [self.kind, self.setup, [[t.edits, dict(t.inputs)] for t in self.tasks], settings]
        return hashlib.sha256(json.dumps([asked, versions()], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Results:
    """A study answered."""

    study: Study  # what was asked
    base: Row  # the base's figures: ``status``, ``reason``, money in $bn, capacity in GW and GW-years
    # the same of every case, in the order of the study's tasks. A case without a plan has its status and reason alone.
    rows: tuple[Row, ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every case in long form: ``case`` (from 1), its inputs, ``status``, ``reason`` and figures; blank is none."""
        cases = [
            {"case": number, **task.inputs, **row}
            for number, (task, row) in enumerate(zip(self.study.tasks, self.rows, strict=True), start=1)
        ]
        leading = dict.fromkeys(name for task in self.study.tasks for name in task.inputs)
        figures = dict.fromkeys(name for row in (self.base, *self.rows) for name in row)
        return pd.DataFrame(cases, columns=["case", *leading, *figures])

    def described(self) -> dict[str, Any]:
        """Return what was asked, of which instance, and what the base comes to; JSON holds it."""
        study = self.study
        return {
            "kind": study.kind,
            **about(study.instance),
            "settings": dict(study.settings),
            "quantities": list(study.quantities),
            "base": dict(self.base),
        }

    def asked(self) -> dict[str, Any]:
        """Return what a kept folder's manifest says of the study: as `described`, and how it was solved."""
        options = self.study.options
        how = {"time_limit": options.time_limit, "solver": dict(options.solver)}
        return {**self.described(), "study": self.study.digest, "options": how}


class Engine(ABC):
    """Where tasks are answered."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Tasks that it is given at a time, at most."""

    @abstractmethod
    def submit(self, setup: str, edits: tuple[str, ...]) -> Future[Row]:
        """Begin to answer a task as `gwplan.studies.sweep.worker.answered` does."""

    def answer(self, future: Future[Row]) -> Row:
        """Return the answer to a task that is done."""
        return future.result()

    @abstractmethod
    def close(self, *, at_once: bool) -> None:
        """End its workers, at once where what they are at is no longer wanted."""


class Store:
    """Where rows are kept as they come, by the number of their task: for as long as the process lives."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}

    def begin(self, fingerprint: str) -> None:
        """Note where every case starts; refuse to go on from rows that started elsewhere."""

    def add(self, number: int, row: Row) -> None:
        """Keep a row."""
        self.rows[number] = row


Told = Callable[[int, int], None]
"""Is told how many cases are answered, and of how many."""


def run(study: Study, engine: Engine, store: Store | None = None, tell: Told | None = None) -> Results:
    """Return the answers to a study, those that the store has already and those of the engine.

    Raises
    ------
    InstanceError, InfeasibleError, StoppedError, AuditError, SolverError
        If the base has no plan, or not the figure that is to be shown: told before the cases are answered.
    KeyboardInterrupt
        If Ctrl-C was pressed; the store has what was answered by then.
    """
    store = store or Store()
    if BASE in store.rows:
        _refuse_unknown(study, store.rows[BASE])
    left = [n for n in (BASE, *range(len(study.tasks))) if n not in store.rows]
    finished = False
    try:
        _refuse_unread(study)
        _answer(study, engine, store, iter(left), tell or (lambda done, total: None))
        finished = True
    finally:
        engine.close(at_once=not finished)
    rows = store.rows
    return Results(study, rows[BASE], tuple(rows[n] for n in range(len(study.tasks))))


def _answer(study: Study, engine: Engine, store: Store, left: Iterator[int], tell: Told) -> None:
    """Have every task that is left answered, never more at a time than the engine is wide."""
    running: dict[Future[Row], int] = {}
    total, fingerprint = len(study.tasks), ""
    more = True
    while more or running:
        tell(sum(n != BASE for n in store.rows), total)
        width = engine.width
        while more and len(running) < width:
            number = next(left, None)
            more = number is not None
            if number is not None:
                edits = () if number == BASE else study.tasks[number].edits
                running[engine.submit(study.setup, edits)] = number
        for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
            number, answer = running.pop(future), engine.answer(future)
            if "no_base" in answer:
                raise _no_base(study, answer["no_base"])
            if answer.get("base", fingerprint) != fingerprint:
                if fingerprint:
                    raise SolverError(_ELSEWHERE)
                fingerprint = answer["base"]
                store.begin(fingerprint)
            if number == BASE and answer["row"]["status"] != OPTIMAL:
                raise _no_base(study, answer["row"]["reason"])
            store.add(number, answer["row"])
            if number == BASE:
                _refuse_unknown(study, answer["row"])
    tell(total, total)


def _refuse_unread(study: Study) -> None:
    """Raise where a figure that is wanted cannot be read, or names cells that are not there."""

    def look(text: str) -> None:
        where = f"--figure {text}"
        for part in parts(parse(text, where)):
            if isinstance(part, Cells):
                Evaluator(study.instance, where).value(part)

    all_told([partial(look, text) for text in study.quantities])


def _refuse_unknown(study: Study, base: Row) -> None:
    """Raise where the figure that is to be shown is none that the base has."""
    figure = study.settings.get(SHOWN)
    known = [name for name, value in base.items() if isinstance(value, float | int)]
    if figure is not None and figure not in known:
        rule = "a figure is a column of the cases"
        raise InstanceError(Problem(f"--of {figure}", "no such figure", rule, nearest(figure, known)))


_ELSEWHERE: Final = (
    "two workers solved the same base to other last digits, so that their rows could not be compared: "
    "let all run the same versions on machines of one kind"
)


def _no_base(study: Study, reason: str) -> Exception:
    """Return the error of a base that a worker could solve no plan of, as solving it here has it."""
    solve(study.instance, study.options)
    return SolverError(f"a worker has no plan of the base: {reason}")
