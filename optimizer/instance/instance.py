"""The instance: its tables, uncertainty and what-ifs, immutable and hashable by content."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Self, TypeVar

import pandas as pd

from gwplan.catalogue.tables import TABLES, Scalar, Table
from gwplan.instance.chances import known as taken_as_known
from gwplan.instance.edit import edited
from gwplan.language.edits import Edit, Factor, Lever, WhatIf, edit, spell
from gwplan.problems import InstanceError, Problem, composed, nearest
from gwplan.shown import by_notebook

T = TypeVar("T")

_Made = dict[tuple[Any, ...], tuple[tuple[Any, ...], Any]]


class Remembered:
    """What was made of tables, the same objects, so that it is made once.

    Beside what was made stands what it was made from, so that an `id` stays that object's.

    `by_content`: columns count as the same where their cells are equal, too, which is worth comparing where many
    instances differ in a few cells. What is learnt beyond what is `known` already stays here alone.
    """

    def __init__(self, *, by_content: bool = False, known: Remembered | None = None) -> None:
        self._by_content = by_content
        self._made: _Made = {}
        self._known: tuple[_Made, ...] = (known._made, *known._known) if known else ()

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """Leave behind what is remembered: the tables stand elsewhere in another process."""
        return partial(type(self), by_content=self._by_content), ()

    def forked(self) -> Self:
        """Return what knows all that this knows; what it learns is its alone."""
        return type(self)(by_content=self._by_content, known=self)

    def once(self, what: Hashable, sources: Sequence[Any], make: Callable[[], T]) -> T:
        """Return what `make` makes of the sources; of the same objects it is made once."""
        return self._once((what, *map(id, sources)), sources, make)

    def _once(self, key: tuple[Any, ...], sources: Sequence[Any], make: Callable[[], T]) -> T:
        kept = self._made.get(key)
        for known in self._known:
            kept = kept or known.get(key)
        if kept is None:
            kept = self._made[key] = (tuple(sources), make())
        made: T = kept[1]
        return made

    def _standing_for(self, *content: Hashable) -> object:
        """Return an object that is the same where the content is equal: much cheaper to look up than the content."""
        return self._once(("standing for", *content), (), object)


@dataclass(frozen=True, eq=False, repr=False)
class Instance:
    """A planning instance.

    Attributes
    ----------
    tables : mapping of str to pandas.DataFrame
        Every table of the catalogue (absent ones are empty), with the catalogue's columns and the annotations;
        blanks are kept as blanks. Dtypes: text ``object`` holding str (blank ``""``), number and integer ``float64``
        (blank NaN), date ``datetime64[s]`` (blank NaT), flag ``boolean`` (blank NA). The frame's index is the row
        number in its file (the header is row 1), below 1 for inserted rows.
    present : frozenset of str
        Names of the tables that the source holds (a missing ``eligibility`` means every pair).
    factors : tuple of Factor
        Uncertainty, in the order written.
    whatifs : mapping of str to WhatIf
        The instance's own named what-ifs.
    levers : tuple of Lever
        What ``gwplan ui`` lets a planner move.
    files : mapping of str to str
        sha256 of every input file, by its path inside the instance.
    applied : tuple of str
        Edits and conditions applied since loading, in the command line's spelling.
    sheets : SheetPlaces or None
        Where its cells stand in the workbook that it was read from; None: it was read from a folder.
    earlier : Earlier or None
        An earlier plan that the plan should stay near. It is no part of the format: a run keeps it, `save` does not.
    checked : Remembered or None
        What was made and found when it was read, remembered by its tables, which nobody changes. Instances edited from
        it share the tables that no edit reaches, and so that work.
    """

    tables: Mapping[str, pd.DataFrame]
    present: frozenset[str]
    factors: tuple[Factor, ...] = ()
    whatifs: Mapping[str, WhatIf] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    applied: tuple[str, ...] = ()
    sheets: SheetPlaces | None = None
    earlier: Earlier | None = None
    checked: Remembered | None = field(default=None, repr=False)
    levers: tuple[Lever, ...] = ()

    def __post_init__(self) -> None:
        for name in ("tables", "whatifs", "files"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __repr__(self) -> str:
        sizes = {"pathway": "pathways", "pool": "pools", "contract": "contracts"}
        counted = [(self.periods, self.resolution), *((len(self.tables[table]), name) for name, table in sizes.items())]
        periods, *rest = (f"{count} {name}{'s' if count != 1 else ''}" for count, name in counted)
        return f"<instance {self.name}: {periods} from {self.start}, {', '.join(rest)}>"

    def _repr_html_(self) -> str:
        return str(by_notebook("instance_html")(self))

    def _section(self, table: str, column: str) -> Scalar | pd.Timestamp:
        value = self.tables[table][column].iloc[0]
        default = TABLES[table][column].default
        return default if pd.isna(value) and not TABLES[table][column].required else value  # type: ignore[return-value]

    @property
    def name(self) -> str:
        """Name of the instance."""
        return str(self._section("instance", "name"))

    @property
    def description(self) -> str:
        """What the instance is about."""
        return str(self._section("instance", "description"))

    @property
    def start(self) -> dt.date:
        """First day of the first period."""
        return pd.Timestamp(self._section("calendar", "start")).date()  # type: ignore[arg-type]

    @property
    def resolution(self) -> str:
        """``month``, ``quarter`` or ``year``."""
        return str(self._section("calendar", "resolution"))

    @property
    def periods(self) -> int:
        """Number of periods."""
        return int(self._section("calendar", "periods"))  # type: ignore[arg-type]

    @property
    def discount_rate(self) -> float:
        """Discount rate per year."""
        return float(self._section("economics", "discount_rate"))  # type: ignore[arg-type]

    @property
    def aversion(self) -> float:
        """Weight on CVaR, in [0, 1)."""
        return float(self._section("risk", "aversion"))  # type: ignore[arg-type]

    @property
    def tail(self) -> float:
        """Share of the worst outcomes that CVaR averages, in (0, 1]."""
        return float(self._section("risk", "tail"))  # type: ignore[arg-type]

    def table(self, name: str) -> pd.DataFrame:
        """Return a table as written, blanks as blanks; changing the copy does not change the instance."""
        return self.tables[name].copy(deep=False)

    def filled(self, name: str) -> pd.DataFrame:
        """Return a table with its defaults filled in; "none" stays NaN or NaT.

        A missing ``eligibility`` table is filled with every pair of pathway and pool.
        """
        if name not in self._filled:
            self._filled[name] = self._with_defaults(name)
        return self._filled[name].copy(deep=False)

    @cached_property
    def _filled(self) -> dict[str, pd.DataFrame]:
        return {}

    def _with_defaults(self, name: str) -> pd.DataFrame:
        frame = self.table(name)
        if name == "eligibility" and name not in self.present:
            pairs = [(p, q) for p in self.tables["pathways"]["pathway"] for q in self.tables["pools"]["pool"]]
            frame = frame.reindex(range(len(pairs)))
            frame["pathway"], frame["pool"] = [p for p, _ in pairs], [q for _, q in pairs]
        for column in TABLES[name].columns:
            if column.default in ("", None) or column.required:
                continue
            blank = frame[column.name] == "" if column.kind == "text" else frame[column.name].isna()
            if blank.any():
                frame[column.name] = frame[column.name].where(~blank, column.default)
        return frame

    @cached_property
    def digest(self) -> str:
        """sha256 of the content that decides the plan or is carried with it; names of files do not count."""
        digest = hashlib.sha256()
        for name, frame in self.tables.items():
            digest.update(name.encode())
            digest.update(b"1" if name in self.present else b"0")
            digest.update(frame.to_csv(index=False).encode())
        digest.update(repr(self.factors).encode())
        digest.update(repr(sorted((w.name, repr(w)) for w in self.whatifs.values())).encode())
        digest.update(repr(self.levers).encode() if self.levers else b"")
        digest.update(self.earlier.digest.encode() if self.earlier else b"")
        return digest.hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instance) and self.digest == other.digest

    def edited(self, *edits: Edit | str) -> Instance:
        """Return a new instance with the edits applied in the order given.

        Raises
        ------
        InstanceError
            If an edit names nothing, matches nothing, or leaves data that break a rule.
        """
        parsed = tuple(edit(e) if isinstance(e, str) else e for e in edits)
        return apply_edits(self, parsed)

    def given(self, outcomes: Mapping[str, str]) -> Instance:
        """Return a new instance in which each named factor has the named outcome with probability 1.

        Where its probability hangs on earlier factors, theirs become those given the outcome, and ``applied`` says so.

        Raises
        ------
        InstanceError
            If a factor or an outcome does not exist.
        """
        problems, factors, applied = list[Problem](), self.factors, list[str]()
        places = {factor.name: place for place, factor in enumerate(factors)}
        for name, outcome in ((composed(name), composed(outcome)) for name, outcome in outcomes.items()):
            if name not in places:
                problems.append(Problem(f"given {name}={outcome}", f"no factor '{name}'", nearest(name, places)))
                continue
            chosen = [o for o in factors[places[name]].outcomes if o.name == outcome]
            if not chosen:
                names = [o.name for o in factors[places[name]].outcomes]
                problems.append(
                    Problem(f"given {name}={outcome}", f"no outcome '{outcome}' of '{name}'", nearest(outcome, names))
                )
                continue
            factors, learnt = taken_as_known(factors, places[name], chosen[0])
            applied.append(f"given {name}={outcome}" + (f" ({', '.join(learnt)})" if learnt else ""))
        if problems:
            raise InstanceError(problems)
        return replace(self, factors=factors, applied=(*self.applied, *applied))

    def deterministic(self) -> Instance:
        """Return the instance as written, without its uncertainty."""
        return replace(self, factors=(), applied=(*self.applied, "deterministic")) if self.factors else self

    def whatif(self, name: str) -> WhatIf:
        """Return one of the instance's own what-ifs.

        Raises
        ------
        InstanceError
            If the instance has no what-if of that name.
        """
        name = composed(name)
        if name not in self.whatifs:
            rule, remedy = "no such what-if in the instance", nearest(name, self.whatifs)
            raise InstanceError(Problem(f"what-if {name}", rule, remedy))
        return self.whatifs[name]

    def with_whatif(self, whatif: WhatIf | str) -> Instance:
        """Return a new instance with a what-if applied: first its conditions, then its edits.

        Raises
        ------
        InstanceError
            If the instance has no what-if of that name, or the what-if does not fit the instance.
        """
        whatif = self.whatif(whatif) if isinstance(whatif, str) else whatif
        return self.given(whatif.given).edited(*whatif.edits)


def replaced(instance: Instance, tables: Mapping[str, pd.DataFrame], applied: Iterable[str] = ()) -> Instance:
    """Return the instance with some tables replaced and the edits that did it noted."""
    return replace(instance, tables={**instance.tables, **tables}, applied=(*instance.applied, *applied))


def apply_edits(
    instance: Instance, edits: Iterable[Edit], *, note: bool = True, inside_outcome: bool = False
) -> Instance:
    """Apply edits in the order given, each to what the earlier ones left.

    Rows dropped take with them what hangs on them: the rows of other tables that name them, and the edits of
    outcomes that reach nothing else.
    """
    edits = tuple(edits)
    if not edits:
        return instance
    tables, present, factors = edited(
        instance.tables, instance.present, instance.factors, edits, inside_outcome=inside_outcome
    )
    applied = (*instance.applied, *(each.text or spell(each) for each in edits)) if note else instance.applied
    return replace(instance, tables=tables, present=present, factors=factors, applied=applied)


@dataclass(frozen=True, eq=False)
class Earlier:
    """An earlier plan, and what it costs to leave it."""

    allocation: pd.DataFrame  # the earlier plan's table of that name
    resolution: str  # length of its periods: ``month``, ``quarter`` or ``year``
    # penalty, $bn per GW and year by which a pair of pathway and pool has more or less than the earlier plan gave it
    move_cost_bn_per_gw_year: float

    @cached_property
    def digest(self) -> str:
        """sha256 of the plan and the cost."""
        content = f"{self.resolution} {self.move_cost_bn_per_gw_year!r}\n{self.allocation.to_csv(index=False)}"
        return hashlib.sha256(content.encode()).hexdigest()

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """Node, start, known and probability of every node of the earlier plan."""
        return self.allocation.drop_duplicates("node")[["node", "start", "known", "probability"]]

    def days(self) -> list[str]:
        """Return the first day of each period that the earlier plan has, in order."""
        return sorted(set(self.nodes["start"].dt.strftime("%Y-%m-%d")))


@dataclass(frozen=True)
class SheetPlaces:
    """Where the cells of an instance stand in its workbook."""

    letters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # column letters by sheet and column name
    settings: Mapping[str, int] = field(default_factory=dict)  # row of the sheet ``settings`` by ``section.key``
    # each formula whose kept value was taken, with that value, by its cell: ``demand!C7``
    formulas: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def place(self, table: Table, row: int, column: str) -> str:
        """Say where a cell is: ``demand!C7``. Rows are the sheet's; one below 1 was inserted by an edit."""
        if table.section:
            at = self.settings.get(f"{table.name}.{column}")
            letter = self.letters.get("settings", {}).get("value")
            return f"settings!{letter}{at}" if at and letter else f"settings, {table.name}.{column}"
        of_column = self.letters.get(table.name, {}).get(column)
        return f"{table.name}!{of_column}{row}" if of_column and row > 0 else f"{table.name} {_row(row)}, {column}"

    def placed(self, problem: Problem) -> Problem:
        """Return a problem that names a file of a folder as one that names the sheet in its place."""
        where = problem.where.replace("uncertainty.toml", "sheet outcomes").replace("levers.toml", "sheet levers")
        if where.startswith("whatifs/"):
            where = "sheet whatifs, " + where.removeprefix("whatifs/").replace(".toml", "", 1)
        return replace(problem, where=where)


def _row(row: int) -> str:
    return f"row {row}" if row > 0 else "inserted row"
