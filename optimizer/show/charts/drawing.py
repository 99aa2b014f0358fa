"""Charts as drawings: marks for any width, a key, the figures as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Final

from gwplan.models.tree import FloatArray
from gwplan.show import theme, vega
from gwplan.show.page import formatter
from gwplan.show.theme import HEIGHT, INK, WIDTH, Fill, Layer, NothingToShowError
from gwplan.show.view import View

SPOTS: Final = "spots"
"""Name of the layer of places that a reader may point at, in a chart of a page."""

SERIES: Final = "series"
"""How the names of the other layers of a chart of a page begin; their number follows."""


LETTER: Final = 6.3
"""Width of a letter in the title of a small chart, pixels."""


@dataclass(frozen=True)
class Frame:
    """Where a chart is drawn."""

    # size of the plotting area, pixels
    width: int = WIDTH
    height: int = HEIGHT
    page: bool = False  # whether it is part of a page: its title and key stand outside, and it has places to point at


Draws = Callable[[Frame], list[vega.Marks]]
"""What draws the layers of a chart, given the frame."""


@dataclass(frozen=True)
class Entry:
    """An entry of a chart's key: its words, how it is filled, and the numbers of its layers."""

    text: str
    fill: Fill
    layers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Figures:
    """The figures of a chart as a table."""

    header: Sequence[str]  # names of the columns with their units
    # cells; one row for each place that can be pointed at, in their order, where there are such places
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Drawing:
    """A chart."""

    what: str  # what it shows
    subtitle: Sequence[str]  # what else is to be known to read it
    marks: Draws  # its layers
    figures: Figures  # what it shows, as a table
    key: Sequence[Entry] = ()  # its key, from the top down
    spots: Draws | None = None  # the layer of places to point at; the rows of `figures` tell of them
    beside: Callable[[], list[vega.Marks]] | None = None  # labels beside the marks of a picture; by default the key
    height: int = HEIGHT  # height of the plotting area, pixels
    finding: str = ""  # what it shows of this plan, in a sentence

    def picture(self, view: View) -> Any:
        """Return the chart as a picture of a plan with its title and key."""
        return self.picture_of(view.instance.name)

    def picture_of(self, name: str) -> Any:
        """Return the chart as a picture with its title, which begins with the name of an instance, and key."""
        layers = [*self.marks(Frame(height=self.height)), *self.labels()]
        return theme.picture(layers, *_titles(self, name), self.height)

    def labels(self) -> list[Any]:
        """Return what stands beside the marks of a picture."""
        if self.beside is not None:
            return self.beside()
        return theme.key([(entry.text, entry.fill) for entry in self.key])

    def on_page(self, width: int, height: int, *, labelled: bool = False) -> Any:
        """Return the chart without title and key, its layers named for a page; with labels beside them where asked."""
        frame = Frame(width, height, page=True)
        layers = [mark.named(f"{SERIES}{i}") for i, mark in enumerate(self.marks(frame))]
        if self.spots is not None:
            layers += [mark.named(SPOTS) for mark in self.spots(frame)]
        if labelled and self.beside is not None:
            layers += self.beside()
        config = {**theme.THEME, "aria": False, "padding": 2, "background": None}
        fitted = {"type": "fit-x", "contains": "padding"}
        around = {"width": frame.width, "height": frame.height, "config": config, "autosize": fitted}
        return vega.whole(vega.layered(layers, **around))


@dataclass(frozen=True)
class Panels:
    """Small charts of the same kind, beside or above each other, with one key."""

    what: str  # what they show
    subtitle: Sequence[str]  # what else is to be known to read them
    drawings: Sequence[Drawing]  # the charts; `what` of each is its title
    key: Sequence[Entry] = ()  # the key of all
    columns: int = 3  # how many stand side by side where there is room
    finding: str = ""  # what they show of this plan, in a sentence
    chosen: str = ""  # what a reader chooses one of them by, on a page; blank: all are shown

    def picture(self, view: View) -> Any:
        """Return the charts as one picture with a title and a key."""
        width = (WIDTH - 60 * (self.columns - 1)) // self.columns
        charts = []
        for number, drawing in enumerate(self.drawings):
            layers = drawing.marks(Frame(width, drawing.height))
            if number == min(self.columns, len(self.drawings)) - 1:
                layers += theme.key([(entry.text, entry.fill) for entry in self.key])
            lines = wrap(drawing.what, int(width / LETTER), break_long_words=False, break_on_hyphens=False)
            above = {"text": lines, "fontSize": 12, "offset": 6}
            charts.append(vega.layered(layers, title=above, width=width, height=drawing.height))
        title, subtitle = _titles(self, view.instance.name)
        head = {"text": title, "subtitle": list(subtitle)}
        around = {"columns": self.columns, "title": head, "spacing": 24, "config": theme.THEME}
        return vega.whole({"concat": charts, **around})


Chart = Drawing | Panels


def _titles(chart: Chart, name: str) -> tuple[str, Sequence[str]]:
    """Return title and subtitle of a picture: what it finds, or what it shows; and of what."""
    what = f"{name}: {chart.what}"
    return (chart.finding, [what, *chart.subtitle]) if chart.finding else (what, chart.subtitle)


def pathways_of(view: View) -> dict[str, str]:
    """Return the colour of each pathway of a plan."""
    return theme.pathway_colours(list(view.plan.summary["expected_gw_years"]))


def pools_of(view: View) -> dict[str, str]:
    """Return the grey of each pool of a plan."""
    return theme.pool_colours(view.plan.laid_out.data.pools)


def vendors_of(view: View) -> dict[str, str]:
    """Return the grey of each vendor of a plan, the one of whom most is bought first; blank: none is named."""
    names, data = view.plan.laid_out.contract_of, view.plan.laid_out.data
    years = (data.delivered * ~data.sold[:, None]) @ data.tree.probability
    vendor_of = {s.contract: s.vendor for s in view.suppliers.values()}
    size: dict[str, float] = {}
    for name, gw in zip(names, years.tolist(), strict=True):
        size[vendor_of[name]] = size.get(vendor_of[name], 0.0) + gw
    return theme.pool_colours(sorted(size, key=lambda vendor: -size[vendor]))


def sold_of(view: View) -> dict[str, str]:
    """Return the colour of each contract sold."""
    return theme.outcome_colours(view.sold.names)


def worth(view: View) -> str:
    """Return in words over what a plan's figures are expected, what it is worth, and whether it is proved best."""
    summary = view.plan.summary
    scenarios, worth = int(summary["scenarios"]), float(summary["objective_bn"])
    futures = f"expected over {scenarios} scenarios" if scenarios > 1 else "one scenario"
    status = str(summary["status"])
    proved = "optimal" if status == "optimal" else f"not proved best ({status.replace('_', ' ')})"
    words = [futures, f"worth {'-' if worth < 0 else ''}${abs(worth):,.1f}bn, {proved}", *edited(view)]
    return "; ".join(words)


def edited(view: View) -> list[str]:
    """Return in words how many edits were applied to the instance as written; nothing where there are none."""
    edits = len(view.instance.applied)
    return [f"{edits} edit{'s' if edits > 1 else ''} applied"] if edits else []


@dataclass(frozen=True)
class Times:
    """The periods along a time axis."""

    ends: Sequence[str]  # first day of every period, and of the one after the last: a period's figures hold to its end
    resolution: str  # what a period is

    @property
    def name(self) -> str:
        """What the column of the periods is called in a table."""
        return f"{self.resolution} from"

    def x(self, frame: Frame, *, axis: bool = True) -> Any:
        """Return the horizontal place of a time."""
        drawn = theme.time_axis(len(self.ends) - 1, self.resolution, frame.width) if axis else None
        return vega.by("time:T", title=None, scale={"type": "utc"}, axis=drawn)

    def steps(self, **columns: FloatArray) -> Any:
        """Return figures by period as data of a stepped mark, which ends where the last period does."""
        longer = {name: [*values.tolist(), float(values[-1])] for name, values in columns.items()}
        rows = [dict(zip(("time", *longer), row, strict=True)) for row in zip(self.ends, *longer.values(), strict=True)]
        return [row for row in rows if all(v == v for v in row.values())]

    def spots(self, frame: Frame) -> list[Any]:
        """Return the layer of periods to point at."""
        rows = [{"time": since, "until": until} for since, until in zip(self.ends[:-1], self.ends[1:], strict=True)]
        mark = vega.Marks(rows).draw("rect", fill="transparent")
        return [mark.encode(x=self.x(frame), x2="until:T", y=vega.value(0), y2=vega.value(frame.height))]

    def rules(self, frame: Frame, days: Sequence[str]) -> Any:
        """Return thin upright lines at those of some days that lie inside the periods."""
        rows = [{"time": day} for day in days if self.ends[0] < day < self.ends[-1]]
        mark = vega.Marks(rows).draw("rule", color=INK, strokeWidth=1, strokeDash=[2, 3], opacity=0.7)
        return mark.encode(x=self.x(frame))

    def whole(self, frame: Frame) -> Any:
        """Return an unseen mark that makes the axis reach from the first period to the end of the last."""
        data = [{"time": self.ends[0], "until": self.ends[-1]}]
        return vega.Marks(data).draw("rule", color="transparent").encode(x=self.x(frame), x2="until:T")


def periods(view: View) -> Times:
    """Return the periods of a plan."""
    return Times(view.dates, view.instance.resolution)


def amount(unit: str, most: float, least: float = 0.0) -> Any:
    """Return the vertical place of an amount, its axis labelled with the unit."""
    scale = {"domain": [least, most], "nice": False}
    return vega.by("top:Q", scale=scale, axis=theme.amount_axis(unit))


def areas(frame: Frame, times: Times, layers: Sequence[Layer], y: Any) -> list[Any]:
    """Return layers as stepped areas over time."""
    marks = []
    for layer in layers:
        data = times.steps(bottom=layer.bottom, top=layer.top)
        area = vega.Marks(data).draw("area", interpolate="step-after", color=layer.fill, **theme.edge(layer.fill))
        marks.append(area.encode(x=times.x(frame), y=y, y2="bottom:Q"))
    return marks


def line(frame: Frame, times: Times, values: FloatArray, y: Any, **style: Any) -> Any:
    """Return figures as a stepped line over time."""
    mark = vega.Marks(times.steps(top=values)).draw("line", interpolate="step-after", **style)
    return mark.encode(x=times.x(frame), y=y)


def bars(what: str, subtitle: Sequence[str], layers: Sequence[Layer], places: Sequence[str], unit: str) -> Drawing:
    """Return a stack as bars over named places, with their totals."""

    def marks(frame: Frame) -> list[Any]:
        return theme.bars(layers, places, unit, frame.width)

    def spots(frame: Frame) -> list[Any]:
        data = [{"place": place} for place in places]
        mark = vega.Marks(data).draw("rect", fill="transparent")
        return [mark.encode(x=vega.by("place:N", sort=None), y=vega.value(0), y2=vega.value(frame.height))]

    if not layers:
        raise NothingToShowError("no GW are delivered")
    amounts = [layer.top - layer.bottom for layer in layers]
    write = formatter([float(layers[-1].top.max(initial=0.0))])
    header = ["", *(f"{layer.name}, {unit}" for layer in layers), f"total, {unit}"]
    rows = [[place, *(write(row[i]) for row in amounts), write(layers[-1].top[i])] for i, place in enumerate(places)]
    key = [Entry(layer.name, layer.fill, (i,)) for i, layer in reversed(list(enumerate(layers)))]
    return Drawing(what, subtitle, marks, Figures(header, rows), key, spots)
