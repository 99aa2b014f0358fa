"""Charts in the words of Vega-Lite, as plain dictionaries.

Altair has the same words. It checks, copies and compares every part of a chart several times: of a report's time that
was more than half. Notebooks, which show Altair charts, get them from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gwplan.extras import imported

Part = dict[str, Any]
"""A part of a chart."""

_KINDS: Final = {"Q": "quantitative", "N": "nominal", "T": "temporal", "O": "ordinal"}

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"


def by(what: str, **how: Any) -> Part:
    """Return that rows decide, by a column and its kind such as ``top:Q``, and how."""
    name, _, kind = what.rpartition(":")
    return {"field": name, "type": _KINDS[kind], **how}


def value(what: Any) -> Part:
    """Return a value in pixels, or whatever its place takes, that is the same for all rows."""
    return {"value": what}


@dataclass(frozen=True)
class Marks:
    """Marks of one kind, one for each row."""

    rows: Sequence[Mapping[str, Any]]
    mark: Part = field(default_factory=dict)
    encoding: Part = field(default_factory=dict)
    name: str = ""

    def draw(self, kind: str, **style: Any) -> Marks:
        """Return the same rows as marks of a kind: ``bar``, ``line``, ``point``."""
        return replace(self, mark={"type": kind, **style})

    def encode(self, **channels: Any) -> Marks:
        """Return them with their places, sizes and texts: by a column, named as `by` takes it, or the same for all."""
        each = {channel: by(how) if isinstance(how, str) else dict(how) for channel, how in channels.items()}
        for channel in each.keys() & {"x2", "y2"}:
            each[channel].pop("type", None)  # it is that of the other end
        return replace(self, encoding={**self.encoding, **each})

    def named(self, name: str) -> Marks:
        """Return them under a name that the drawing keeps."""
        return replace(self, name=name)

    @property
    def spec(self) -> Part:
        """The marks as Vega-Lite has them."""
        named = {"name": self.name} if self.name else {}
        return {**named, "data": {"values": self.rows}, "mark": self.mark, "encoding": self.encoding}


def layered(marks: Sequence[Marks], **around: Any) -> Part:
    """Return marks upon each other as a chart."""
    return {"layer": [each.spec for each in marks], **around}


def whole(chart: Part) -> Part:
    """Return a chart that stands alone, and says in which words it is written."""
    return {"$schema": SCHEMA, **chart}


def as_altair(chart: Part) -> Any:
    """Return a chart as an Altair chart, which notebooks show and change."""
    return imported("altair", "Altair", extra="report", doing="pictures").Chart.from_dict(chart)
