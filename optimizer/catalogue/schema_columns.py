"""What a table of the format is described by: columns with type, unit, default, rule and meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["text", "number", "integer", "date", "flag"]
Scalar = str | float | int | bool | None


class _Required:
    """The default of a column that has none."""

    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(frozen=True)
class Column:
    """One column of a table, or one key of a section of ``instance.toml``.

    Attributes
    ----------
    name : str
        Column name; a unit, where there is one, is part of it.
    kind : {"text", "number", "integer", "date", "flag"}
        Type of the cells.
    about : str
        What the column means, one sentence.
    default : Scalar or REQUIRED
        What a blank cell stands for; ``None`` means "none" (no limit, no date, no value).
    unit : str
        Unit of the quantity.
    key : bool
        Whether the column is part of the table's key.
    least, most : float or None
        Smallest and largest value allowed.
    open_ends : str
        ``"("`` if `least` itself is excluded, ``")"`` if `most` is, ``"()"`` if both are.
    choices : tuple of str
        The values allowed, when they are few.
    refers_to : str
        The table in whose key column of the same name the value must occur.
    scales_value : bool
        Whether what the row's pathway earns is multiplied by the value.
    """

    name: str
    kind: Kind
    about: str
    default: Scalar | _Required = REQUIRED
    unit: str = ""
    key: bool = False
    least: float | None = None
    most: float | None = None
    open_ends: str = ""
    choices: tuple[str, ...] = ()
    refers_to: str = ""
    scales_value: bool = False

    @property
    def required(self) -> bool:
        """Whether a blank cell is an error."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Table:
    """One table of the format.

    Attributes
    ----------
    name : str
        Name of the table: file ``<name>.csv``, or a section of ``instance.toml``.
    about : str
        What a row says.
    columns : tuple of Column
        The columns, in the order in which they are written.
    section : bool
        Whether it is a section of ``instance.toml`` (a table of one row).
    required : bool
        Whether it must be present.
    dated_by : str
        Column by which an edit's ``from`` and ``until`` select rows; blank: the table is undated.
    step : bool
        Whether rows hold from their date until the pathway's next date.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    section: bool = False
    required: bool = False
    dated_by: str = ""
    step: bool = False
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({column.name: column for column in self.columns})

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def file(self) -> str:
        """Name of the file that holds the table."""
        return "instance.toml" if self.section else f"{self.name}.csv"

    def __getitem__(self, name: str) -> Column:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name


def text(name: str, about: str, default: Scalar | _Required = "", **more: object) -> Column:
    """Return a column of text."""
    return Column(name, "text", about, default, **more)  # type: ignore[arg-type]


def amount(name: str, about: str, default: Scalar | _Required = 0.0, unit: str = "", **more: object) -> Column:
    """Return a column of quantities, at least 0 unless told otherwise, in the unit given."""
    return Column(name, "number", about, default, unit=unit, **{"least": 0.0, **more})  # type: ignore[arg-type]


def share(name: str, about: str, default: Scalar | _Required, **more: object) -> Column:
    """Return a column of shares, between 0 and 1."""
    return Column(name, "number", about, default, unit="share", **{"least": 0.0, "most": 1.0, **more})  # type: ignore[arg-type]


def date(name: str, about: str, default: Scalar | _Required = REQUIRED, **more: object) -> Column:
    """Return a column of dates."""
    return Column(name, "date", about, default, **more)  # type: ignore[arg-type]


def count(name: str, about: str, default: Scalar | _Required, unit: str = "", **more: object) -> Column:
    """Return a column of whole numbers, at least 0 unless told otherwise, in the unit given."""
    return Column(name, "integer", about, default, unit=unit, **{"least": 0.0, **more})  # type: ignore[arg-type]


GW: Final = "GW"
EFFECTIVE_GW: Final = "effective GW"
BN: Final = "$bn"
RATE: Final = "$bn per GW-year"
PER_GW: Final = "$bn per GW"


def key(column: Column) -> Column:
    """Return a column as part of its table's key."""
    values = {name: getattr(column, name) for name in ("name", "kind", "about", "default", "refers_to", "least")}
    return Column(**values, key=True)
