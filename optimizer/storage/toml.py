"""``uncertainty.toml``, ``levers.toml`` and the files of ``whatifs/``: read, and written back."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from gwplan.catalogue.tolerances import ROUNDING
from gwplan.instance.cells import name_fault, shown
from gwplan.language.cursor import Cell, Operation
from gwplan.language.edits import Edit, Factor, Lever, Outcome, ProbabilityGiven, WhatIf, edit, noted, spell
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.storage.rows import shown_toml, toml_reason

_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_CHANGES: Final[tuple[Operation, ...]] = ("set", "scale", "add", "shift_months")
_OPERATIONS: Final[tuple[Operation, ...]] = (*_CHANGES, "insert", "drop")
_HEADINGS: Final = {
    "factor": "factor",
    "outcome": "factor.outcome",
    "probability_given": "factor.outcome.probability_given",
    "edit": "factor.outcome.edit",
}
MOST_LETTERS: Final = 60
"""Characters of the label of a lever, at most."""

_TYPES: Final = {
    "string_type": "must be text, in quotes",
    "int_type": "must be a whole number",
    "dict_type": "must be a table { name = value, ... }",
}


def _broken(rule: str, what: str = "", remedy: str = "") -> PydanticCustomError:
    return PydanticCustomError("rule", "{rule}", {"rule": rule, "what": what, "remedy": remedy})


def _day(value: object) -> dt.date:
    if isinstance(value, str) and _ISO.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError as error:
            raise _broken("there is no such day") from error
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    raise _broken("must be a date", remedy="write it like 2027-01-31")


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise _broken("must be a finite number")
    return value


def _cell(value: object) -> object:
    if isinstance(value, str | bool) or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    if isinstance(value, int | float):
        return _number(value)
    raise _broken("must be text, a number, a date, true or false")


def _true(value: object) -> bool:
    if value is not True:
        raise _broken("must be true, or left out")
    return True


def _name_of_uncertainty(value: str) -> str:
    if "=" in value or "," in value:
        raise _broken("must not hold '=' or ','", remedy="--given FACTOR=OUTCOME names it")
    fault = name_fault(value) if value.strip() else None
    if fault:
        raise _broken(fault.rule, remedy=fault.remedy)
    if not value.strip():
        raise _broken("a name must not be blank")
    return value


Day = Annotated[dt.date, BeforeValidator(_day)]
Number = Annotated[Any, BeforeValidator(_number)]
Value = Annotated[Any, BeforeValidator(_cell)]
Drop = Annotated[bool, BeforeValidator(_true)]
UncertaintyName = Annotated[str, AfterValidator(_name_of_uncertainty)]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _EditKeys(_Keys):
    table: str
    where: dict[str, Value] = {}
    column: str = ""
    set_: Value = Field("", alias="set")
    scale: Number = 1
    add: Number = 0
    shift_months: int = 0
    insert: dict[str, Value] = {}
    drop: Drop = True
    start: Day | None = Field(None, alias="from")
    until: Day | None = None

    @model_validator(mode="after")
    def _one_operation(self) -> Self:
        given = self.operations
        if len(given) != 1:
            what = " and ".join(given) if given else "nothing to do"
            raise _broken("an edit has exactly one of " + ", ".join(_OPERATIONS), what)
        if given[0] in _CHANGES and not self.column:
            raise _broken("must name the column that it changes", f"{given[0]} without column", 'add column = "..."')
        excess = {"insert": ("where", "column", "start", "until"), "drop": ("column",)}.get(given[0], ())
        unread = [("from" if key == "start" else key) for key in excess if key in self.model_fields_set]
        if unread:
            raise _broken(f"{given[0]} takes no {' and no '.join(unread)}", f"{given[0]} with {' and '.join(unread)}")
        return self

    @property
    def operations(self) -> list[Operation]:
        return [name for name in _OPERATIONS if ("set_" if name == "set" else name) in self.model_fields_set]

    def edit(self) -> Edit:
        operation = self.operations[0]
        where = self.insert if operation == "insert" else self.where
        value: Cell = getattr(self, "set_" if operation == "set" else operation) if operation in _CHANGES else ""
        return noted(Edit(self.table, operation, dict(where), self.column, value, self.start, self.until))


class _GivenKeys(_Keys):
    given: dict[str, str]
    probability: Number

    @field_validator("given")
    @classmethod
    def _some(cls, value: dict[str, str]) -> dict[str, str]:
        if not value:
            raise _broken("names an earlier factor and its outcome", remedy='write given = { factor = "outcome" }')
        return value

    @field_validator("probability")
    @classmethod
    def _share(cls, value: float) -> float:
        if not 0.0 < value <= 1.0:
            remedy = "where outcomes exclude each other, make one factor of the two"
            raise _broken("must be more than 0 and at most 1", remedy=remedy)
        return value


class _OutcomeKeys(_Keys):
    name: UncertaintyName
    probability: Number
    probability_given: list[_GivenKeys] = []
    edit: list[_EditKeys] = []

    @field_validator("probability")
    @classmethod
    def _share(cls, value: float) -> float:
        if not 0.0 < value <= 1.0:
            raise _broken("must be more than 0 and at most 1", remedy="leave out an outcome that cannot happen")
        return value

    def outcome(self) -> Outcome:
        given = (ProbabilityGiven(dict(row.given), float(row.probability)) for row in self.probability_given)
        return Outcome(self.name, float(self.probability), tuple(e.edit() for e in self.edit), tuple(given))


class _FactorKeys(_Keys):
    name: UncertaintyName
    revealed: Day
    outcome: list[_OutcomeKeys] = []

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.outcome:
            raise _broken("a factor has at least one outcome", "no outcome", "add [[factor.outcome]]")
        _refuse_repeats("outcome", (outcome.name for outcome in self.outcome))
        total = math.fsum(outcome.probability for outcome in self.outcome)
        hangs = any(outcome.probability_given for outcome in self.outcome)  # then what holds together must: `check`
        if abs(total - 1.0) > ROUNDING and not hangs:
            parts = " + ".join(f"{outcome.probability!r}" for outcome in self.outcome)
            raise _broken("must sum to 1", f"probabilities {parts} = {total:.12g}", "correct the probabilities")
        return self


_Model = TypeVar("_Model", bound=_Keys)


class _UncertaintyKeys(_Keys):
    factor: list[_FactorKeys] = []

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _refuse_repeats("factor", (factor.name for factor in self.factor))
        return self


class _WhatIfKeys(_Keys):
    name: str | None = None
    description: str = ""
    edit: list[_EditKeys] = []
    given: dict[str, str] = {}


def _lever_edits(value: object) -> list[Edit]:
    """Return the edits of a lever, written as one text or as a list of them."""
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise _broken("must be an edit in quotes, or a list of them")
    try:
        return [edit(str(text)) for text in texts]
    except InstanceError as error:
        problem = error.problems[0]
        raise _broken(
            f"{problem.where.partition(' at ')[0]}: {problem.what}; {problem.rule}", remedy=problem.remedy
        ) from None


def _ends(value: object) -> list[float]:
    if not isinstance(value, list) or len(value) != 2:
        raise _broken("must be its two ends: [0.5, 1.5]")
    low, high = (_number(end) for end in value)
    if not low < high:  # type: ignore[operator]
        raise _broken("must begin at its lower end")
    return [low, high]  # type: ignore[list-item]


def _label(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MOST_LETTERS or name_fault(value):
        raise _broken(f"must be a name of at most {MOST_LETTERS} characters, without blanks at its ends")
    return value


class _LeverKeys(_Keys):
    label: Annotated[Any, BeforeValidator(_label)]
    edit: Annotated[Any, BeforeValidator(_lever_edits)]
    range: Annotated[Any, BeforeValidator(_ends)]
    step: Number | None = None
    unit: str = ""
    group: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        neutral = {"scale": 1, "add": 0, "shift_months": 0}
        for each in self.edit:
            value, wanted = each.value, neutral.get(each.operation)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise _broken("a lever moves a number, or a date by months", spell(each), "give an edit with a number")
            if wanted is not None and value != wanted:
                remedy = "write 1 after *=, and 0 after += or -="
                raise _broken("the edit of a lever changes nothing where it stands", spell(each), remedy)
            if value != self.edit[0].value or each.operation != self.edit[0].operation:
                raise _broken("the edits of one lever change alike", spell(each), "make it a lever of its own")
        if not self.range[0] <= self.edit[0].value <= self.range[1]:
            raise _broken("the range holds where the lever stands", f"{self.edit[0].value} is outside", "widen it")
        whole = self.edit[0].operation == "shift_months"
        if whole and not all(float(number).is_integer() for number in (*self.range, self.step or 1)):
            raise _broken("months are whole numbers", f"range {self.range}, step {self.step}")
        if self.step is not None and not 0 < self.step <= self.range[1] - self.range[0]:
            raise _broken("a step is above 0 and no longer than the range", f"step {self.step}")
        return self

    def lever(self) -> Lever:
        low, high = map(float, self.range)
        month = self.edit[0].operation == "shift_months"
        step = self.step if self.step is not None else 1.0 if month else float(f"{(high - low) / 20:.4g}")
        return Lever(self.label, tuple(self.edit), low, high, float(step), self.unit, self.group)


class _LeversKeys(_Keys):
    lever: list[_LeverKeys] = []

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _refuse_repeats("lever", (lever.label for lever in self.lever))
        return self


_MODELS: Final[Mapping[str, type[_Keys]]] = {
    "factor": _FactorKeys,
    "outcome": _OutcomeKeys,
    "probability_given": _GivenKeys,
    "edit": _EditKeys,
    "lever": _LeverKeys,
}


def _refuse_repeats(kind: str, names: Iterable[str]) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise _broken(
            f"every {kind} has a name of its own", f"{kind} '{repeated[0]}' stands twice", "rename one of them"
        )


def read_factors(text: str, where: str) -> tuple[tuple[Factor, ...], list[Problem]]:
    """Read the factors of ``uncertainty.toml``."""
    keys, problems = _read(_UncertaintyKeys, text, where)
    if keys is None:
        return (), problems
    factors = tuple(
        Factor(factor.name, factor.revealed, tuple(outcome.outcome() for outcome in factor.outcome))
        for factor in keys.factor
    )
    return factors, problems


def read_whatif(text: str, where: str, name: str) -> tuple[WhatIf | None, list[Problem]]:
    """Read a what-if."""
    keys, problems = _read(_WhatIfKeys, text, where)
    fault = None if name.strip() == "" else name_fault(name)
    if fault or not name.strip() or "/" in name or "\\" in name:
        rule = fault.rule if fault else "the name of a what-if must not be blank or hold a path separator"
        problems.append(Problem(where, f"what-if '{name}'", rule, "rename the file"))
    if keys is None:
        return None, problems
    if keys.name is not None and keys.name != name:
        rule, remedy = f"a what-if is called as its file: '{name}'", "leave the name out, or rename the file"
        problems.append(Problem(f"{where} name", shown_toml(keys.name), rule, remedy))
    if problems:
        return None, problems
    return WhatIf(name, keys.description, tuple(each.edit() for each in keys.edit), dict(keys.given)), problems


def read_levers(text: str, where: str) -> tuple[tuple[Lever, ...], list[Problem]]:
    """Read ``levers.toml``."""
    keys, problems = _read(_LeversKeys, text, where)
    return tuple(each.lever() for each in keys.lever) if keys else (), problems


def _read(model: type[_Model], text: str, where: str) -> tuple[_Model | None, list[Problem]]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return None, [Problem(where, "cannot be read", toml_reason(error), "correct it there")]
    try:
        return model.model_validate(document), []
    except ValidationError as error:
        return None, [_problem(details, model, document, where) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, model: type[_Keys], document: Mapping[str, Any], where: str) -> Problem:
    """Return what pydantic found as a problem in the words of the format."""
    *path, last = details["loc"] or ("",)
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        item = next((str(step) for step in reversed(path) if step in _MODELS), "")
        keys = [field.alias or name for name, field in _MODELS.get(item, model).model_fields.items()]
        rule = f"{'an ' if item[:1] in 'eo' else 'a '}{item} has no such key" if item else "there is no such key here"
        return Problem(_place(where, path, document), f"unknown key '{last}'", rule, nearest(str(last), keys))
    if kind == "missing":
        return Problem(_place(where, path, document), f"no {last}", "it is required", f"add {last} = ...")
    place = _place(where, details["loc"], document)
    if kind == "rule":
        return Problem(place, context["what"] or shown_toml(value), context["rule"], context["remedy"])
    rule = _TYPES.get(kind, details["msg"])
    if kind in ("list_type", "model_type"):
        item = next(str(step) for step in reversed(details["loc"]) if step in _MODELS)
        rule = f"each {item} is written below a line [[{_HEADINGS[item] if model is _UncertaintyKeys else item}]]"
    return Problem(place, shown_toml(value), rule)


def _place(where: str, path: Sequence[int | str], document: Mapping[str, Any]) -> str:
    """Say where a key is: ``uncertainty.toml factor 1 'market', outcome 2 'glut', edit 3, scale``."""
    words: list[str] = []
    at: Any = document
    for step in path:
        if isinstance(step, int):
            at = at[step]
            name = at.get("name", at.get("label")) if isinstance(at, dict) else None
            words[-1] += f" {step + 1}" + (f" {shown(name)}" if isinstance(name, str) else "")
        else:
            at = at.get(step)
            words.append(step)
    return f"{where} {', '.join(words)}" if words else where


def factors_toml(factors: Sequence[Factor]) -> str:
    """Return factors as the text of an ``uncertainty.toml`` that `read_factors` reads back as the same factors."""
    blocks = []
    for factor in factors:
        blocks.append(["[[factor]]", f"name = {_toml(factor.name)}", f"revealed = {_toml(factor.revealed)}"])
        for outcome in factor.outcomes:
            probability = f"probability = {_toml(outcome.probability)}"
            blocks.append(["[[factor.outcome]]", f"name = {_toml(outcome.name)}", probability])
            for row in outcome.probability_given:
                held = [f"given = {_inline(row.given)}", f"probability = {_toml(row.probability)}"]
                blocks.append(["[[factor.outcome.probability_given]]", *held])
            blocks += [["[[factor.outcome.edit]]", *_edit_lines(each)] for each in outcome.edits]
    return _document(blocks)


def whatif_toml(whatif: WhatIf) -> str:
    """Return a what-if as the text of a file that `read_whatif` reads back as the same what-if."""
    head = [f"name = {_toml(whatif.name)}", f"description = {_toml(whatif.description)}"]
    if whatif.given:
        head.append(f"given = {_inline(whatif.given)}")
    return _document([head, *(["[[edit]]", *_edit_lines(each)] for each in whatif.edits)])


def levers_toml(levers: Sequence[Lever]) -> str:
    """Return levers as the text of a ``levers.toml`` that `read_levers` reads back as the same levers."""
    return _document(["[[lever]]", *_lever_lines(lever)] for lever in levers) if levers else ""


def _lever_lines(lever: Lever) -> list[str]:
    texts = [_toml(spell(each)) for each in lever.edits]
    edits = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    lines = [f"label = {_toml(lever.label)}", f"edit = {edits}"]
    lines.append(f"range = [{_plain(lever.least)}, {_plain(lever.most)}]")
    lines += [f"step = {_plain(lever.step)}"] if lever.step == lever.step else []  # none: as read_levers has it
    return lines + [f"{key} = {_toml(said)}" for key, said in (("unit", lever.unit), ("group", lever.group)) if said]


def _plain(number: float) -> str:
    return repr(number).removesuffix(".0")


def _document(blocks: Iterable[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _edit_lines(edit: Edit) -> list[str]:
    lines = [f"table = {_toml(edit.table)}"]
    if edit.operation == "insert":
        return [*lines, f"insert = {_inline(edit.where)}"]
    if edit.where:
        lines.append(f"where = {_inline(edit.where)}")
    if edit.operation == "drop":
        lines.append("drop = true")
    else:
        lines += [f"column = {_toml(edit.column)}", f"{edit.operation} = {_toml(edit.value)}"]
    dates = (("from", edit.start), ("until", edit.until))
    return lines + [f"{key} = {_toml(date)}" for key, date in dates if date]


def _inline(cells: Mapping[str, Cell]) -> str:
    pairs = (f"{key if _BARE.fullmatch(key) else _toml(key)} = {_toml(cell)}" for key, cell in cells.items())
    return f"{{ {', '.join(pairs)} }}" if cells else "{}"


def toml_text(text: str) -> str:
    """Return a text as TOML writes it: as JSON does, but for one control character that TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml(cell: Cell) -> str:
    if isinstance(cell, str):
        return toml_text(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.isoformat() if isinstance(cell, dt.date) else repr(cell)
