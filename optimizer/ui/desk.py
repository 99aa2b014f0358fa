"""The one desk at which the page's cases are solved: a session, the last few answers, one piece of work at a time."""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

from gwplan.conflict.diagnose import diagnose
from gwplan.errors import InfeasibleError
from gwplan.files import refuse_occupied, whole_file
from gwplan.instance.instance import Instance
from gwplan.kept.run import KIND, keep, read_run
from gwplan.language.edits import WhatIf
from gwplan.plan.plan import Plan
from gwplan.problems import InstanceError, Problem
from gwplan.session import Answer, Session
from gwplan.storage.read import WHATIFS, is_workbook, load
from gwplan.storage.toml import read_whatif, whatif_toml
from gwplan.ui.cases import CaseView, of_answer, of_run
from gwplan.ui.levers import without_lock

KEPT_ANSWERS: Final = 4
"""Answers that are kept for what is looked at again: a scenario, an export, an undone move."""

KEPT_TABS: Final = 64
"""Tabs of which the latest move is remembered."""

NAME: Final = re.compile(r"\w(?:[\w .()+-]{0,58}[\w)])?")
"""The name of a what-if that is saved: letters, digits and a few marks, so that it is a file's name everywhere."""

T = TypeVar("T")


class SupersededError(RuntimeError):
    """A move that a later one of the same tab has overtaken."""


@dataclass
class CaseDesk:
    """Where the page's cases are solved."""

    instance: Instance
    folder: Path | None  # of the instance, where what-ifs can be saved; None: a workbook or a kept run
    kept: Plan | None = None  # a plan that is shown before the session is ready

    def __post_init__(self) -> None:
        self._session: Session | None = None
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._latest: OrderedDict[str, int] = OrderedDict()
        self._busy = asyncio.Lock()
        self.without: InfeasibleError | None = None  # why the instance as written has no plan

    @cached_property
    def run(self) -> CaseView | None:
        """The kept plan as a case."""
        return of_run(self.kept) if self.kept else None

    @property
    def ready(self) -> bool:
        """Whether the session is there."""
        return self._session is not None

    @property
    def base(self) -> CaseView | None:
        """The instance as written as a case; None before it is solved, or where it has no plan."""
        return self._base if self._session is not None and self.without is None else None

    def begin(self) -> None:
        """Solve the instance as written, once; what it has no plan for is remembered."""
        if self._session is None and self.without is None:
            try:
                self._session = Session(self.instance)
            except InfeasibleError as error:
                self.without = error
            else:
                self._base = of_answer(self._session.base)

    def answer(self, whatif: WhatIf) -> Answer:
        """Return the answer to a what-if, as ``gwplan whatif`` solves it.

        Raises
        ------
        InstanceError, InfeasibleError, StoppedError, AuditError, SolverError
            As `Session.solve_case`.
        """
        key = whatif_toml(WhatIf("", "", whatif.edits, whatif.given))
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        self.begin()
        instance = self.instance.with_whatif(whatif)
        if self._session is None:  # the first case with a plan is the one that others start from
            if instance == self.instance and self.without is not None:
                raise self.without
            self._session = Session(instance)
            made = self._session.base
        else:
            made = self._session.solve_case(instance)
        self._answers[key] = made
        while len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)
        return made

    def lock_costs(self, whatif: WhatIf, state: Any) -> list[float | None]:
        """Return what each lock of a state costs by itself: worth without it less worth with it, $bn.

        None where the rest of the state does not fit without it: an edit that loosens it, say.
        """
        worth, costs = self.answer(whatif).objective_bn, list[float | None]()
        for place in range(len(state.get("locks", []))):
            try:
                without = self.instance.with_whatif(without_lock(whatif, place, self.instance, state))
                costs.append(self._solved(without).objective_bn - worth)
            except InstanceError:
                costs.append(None)
        return costs

    def _solved(self, instance: Instance) -> Answer:
        assert self._session is not None
        return self._session.solve_case(instance)

    def why(self, whatif: WhatIf) -> dict[str, Any]:
        """Return why a what-if has no plan, and the ways out, as plain data."""
        return diagnose(self.instance.with_whatif(whatif)).as_dict()

    def save(self, name: str, whatif: WhatIf) -> Path:
        """Write a what-if as a file of the instance; never over another.

        Raises
        ------
        InstanceError
            If the name is no file's name, or taken, or there is no folder to write into.
        """
        target = self._target(name)
        text = whatif_toml(WhatIf(name, whatif.description, whatif.edits, whatif.given))
        read, problems = read_whatif(text, target.name, name)
        if read is None:
            raise InstanceError(problems)
        with whole_file(target) as new:
            new.write_text(text, encoding="utf-8")
        self.instance = replace(self.instance, whatifs={**self.instance.whatifs, name: read})
        return target

    def _target(self, name: str) -> Path:
        if self.folder is None:
            what, rule = "no folder of an instance", "a kept run and a workbook are not written into"
            raise InstanceError(Problem("what-if", what, rule, "download the file, and put it beside the instance"))
        if not NAME.fullmatch(name):
            rule = "a name has letters, digits, blanks, and . ( ) + - inside, at most 60 of them"
            raise InstanceError(Problem("name of the what-if", f"'{name[:80]}'", rule, "give another"))
        target = self.folder / WHATIFS / f"{name}.toml"
        folder = target.parent.resolve()
        if folder != self.folder.resolve() / WHATIFS:
            rule = "what-ifs are written into the instance's own folder alone"
            raise InstanceError(Problem(WHATIFS, "a link that leads elsewhere", rule, "make it a folder"))
        refuse_occupied(target, force=None, replaceable=lambda _: False, kind="")
        taken = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        if any(each.lower() == target.name.lower() for each in taken):  # one file on some systems
            raise InstanceError(Problem(target.name, "exists already", "nothing is overwritten", "give another name"))
        return target

    def exported(self, kind: str, whatif: WhatIf) -> tuple[str, bytes]:
        """Return a case as a file: its ending and its bytes."""
        if kind == "whatif":
            return ".toml", whatif_toml(whatif).encode()
        plan = self.answer(whatif).plan
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "run"
            keep(plan, folder, command=["gwplan", "ui"], options={"case": whatif.description})
            if kind == "run":
                return ".zip", _zipped(folder)
            target = Path(scratch) / ("report.html" if kind == "report" else "plan.xlsx")
            if kind == "report":
                from gwplan.show.report.plan import plan_report

                plan_report(read_run(folder)).save(target)
            else:
                from gwplan.show.workbook.book import to_xlsx

                to_xlsx(read_run(folder), target)
            return target.suffix, target.read_bytes()

    async def work(self, do: Callable[[], T], tab: str = "", move: int = 0) -> T:
        """Do a piece of work in a thread of its own, when what was asked before is done; the latest move of a tab wins.

        Raises
        ------
        SupersededError
            If the tab asked for something else meanwhile.
        """
        if tab:
            self._latest[tab] = max(move, self._latest.pop(tab, 0))
            while len(self._latest) > KEPT_TABS:
                self._latest.popitem(last=False)
        async with self._busy:
            if tab and self._latest.get(tab) != move:
                raise SupersededError
            return await _in_thread(do)

    def leave(self, tab: str) -> None:
        """Forget a tab: what it still asks for is not worked out."""
        self._latest.pop(tab, None)


async def _in_thread(do: Callable[[], T]) -> T:
    """Return what a function returns in a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(set_: Callable[[Any], None], what: Any) -> None:
        if not done.done():
            set_(what)

    def run() -> None:
        try:
            outcome: tuple[Callable[[Any], None], Any] = (done.set_result, do())
        except BaseException as error:
            outcome = (done.set_exception, error)
        with suppress(RuntimeError):  # the server may have ended meanwhile
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True, name="gwplan ui").start()
    return await done


def _zipped(folder: Path) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder.parent).as_posix())
    return data.getvalue()


def desk_of(source: str) -> CaseDesk:
    """Return the desk for an instance, or for a kept run with its plan."""
    path = Path(source)
    if KIND.made(path):
        run = read_run(path)
        return CaseDesk(run.instance, None, run.plan)
    instance = load(source)
    return CaseDesk(instance, None if is_workbook(source) else path)
