"""Charts of what is decided on the way: cancellations in their windows, deals signed and ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from gwplan.files import printable
from gwplan.models.tree import FloatArray
from gwplan.show import theme, vega
from gwplan.show.charts import drawing
from gwplan.show.charts.drawing import Drawing, Entry, Figures, Frame, Panels, Times, worth
from gwplan.show.charts.over_time import expected
from gwplan.show.page import cut, percent
from gwplan.show.text.decisions import Notices, notices
from gwplan.show.theme import FAINT, GREY, INK, Layer, NothingToShowError
from gwplan.show.view import View

MOST_CONTRACTS: Final = 24
MOST_PATHWAYS: Final = 4
_NOTICE: Final = theme.Stroke(GREY, 2)
_SIGNED, _RETURNED = INK, theme.MARK


@dataclass(frozen=True)
class _Window:
    """When a contract can be cancelled, as written."""

    contract: str
    opens: str
    closes: str


@dataclass(frozen=True)
class _Given:
    """Notices for a contract on one day, over all futures in which they are given."""

    contract: str
    day: str
    ends: str
    gw: float
    probability: float
    fee_bn: float


def cancellations(view: View) -> Drawing:
    """Return the chart of cancellations: windows of contracts, when notice is given and when the capacity ends.

    GW are expected over the futures.
    """
    windows, given = _windows(view), _given(view, notices(view))
    if not windows:
        raise NothingToShowError("no contract can be cancelled")
    weight = {w.contract: sum(g.gw for g in given if g.contract == w.contract) for w in windows}
    names = sorted(weight, key=lambda name: -weight[name])[:MOST_CONTRACTS]
    shown = [g for g in given if g.contract in names]
    rows = [[g.contract, g.day, g.ends, view.gw(g.gw), percent(g.probability), view.money(g.fee_bn)] for g in shown]
    rows += [
        [
            w.contract,
            f"never; it could be from {w.opens} to {w.closes}",
            "",
            view.gw(0.0),
            percent(0.0),
            view.money(0.0),
        ]
        for w in windows
        if not weight[w.contract]
    ]
    header = ["contract", "notice given", "capacity ends", "expected GW", "chance of it", "expected fee, $bn"]
    left_out = len(windows) - len(names)
    more = [f"{left_out} more contracts with less to cancel are left out"] if left_out else []
    reveals = [view.dates[view.reveals[f]] for f in view.branching]
    subtitle = [
        worth(view),
        "GW expected over the futures; upright dots: dates on which an outcome becomes known",
        *more,
    ]
    key = [
        Entry("window in which notice may be given", FAINT, (0,)),
        Entry("notice given (the larger, the more GW)", theme.Stroke(_SIGNED, 6), (3,)),
        Entry("notice runs, then the capacity ends", _NOTICE, (1,)),
    ]
    some = [w for w in windows if w.contract in names]

    def marks(frame: Frame) -> list[Any]:
        times = drawing.periods(view)
        bar, rule, points = _timeline(frame, times, some, shown, names)
        return [bar, rule, times.rules(frame, reveals), points, times.whole(frame)]

    def spots(frame: Frame) -> list[Any]:
        return [_points(frame, drawing.periods(view), shown, names, "transparent", extra=12)] if shown else []

    what, figures = "cancellations: windows and notices", Figures(header, rows)
    return Drawing(what, subtitle, marks, figures, key, spots, height=30 * len(names), finding=_ended(view, weight))


def _ended(view: View, weight: dict[str, float]) -> str:
    """Say how many GW the plan expects to cancel, and of which contract most."""
    gw = sum(weight.values())
    if gw < view.least_gw:
        return "The plan cancels nothing"
    most = max(weight, key=weight.__getitem__)
    return f"The plan expects to cancel {view.gw(gw)} GW; most of {most}, {view.gw(weight[most])} GW"


def _windows(view: View) -> list[_Window]:
    table = view.instance.filled("cancellations")
    columns = (table[name] for name in ("contract", "opens", "closes"))
    return [
        _Window(str(contract), str(pd.Timestamp(opens).date()), str(pd.Timestamp(closes).date()))
        for contract, opens, closes in zip(*columns, strict=True)
    ]


def _given(view: View, given: Notices) -> list[_Given]:
    """Return notices added up by contract and day, the first days first."""
    probability = view.tree.probability[given.node]
    table = pd.DataFrame(
        {
            "contract": [view.suppliers[name].contract for name in given.contract],
            "period": view.tree.period[given.node],
            "ends": given.effective.astype("datetime64[D]"),
            "gw": given.gw * probability,
            "probability": probability,
            "fee": given.fee_bn * probability,
        }
    )
    rows = table.groupby(["period", "contract"], sort=True, as_index=False).agg(
        {"ends": "min", "gw": "sum", "probability": "sum", "fee": "sum"}
    )
    return [
        _Given(
            str(row["contract"]),
            view.dates[int(row["period"])],
            str(row["ends"])[:10],
            float(row["gw"]),
            float(row["probability"]),
            float(row["fee"]),
        )
        for row in rows.to_dict("records")
    ]


def _place(frame: Frame, names: list[str]) -> Any:
    axis = {"domain": False, "ticks": False, "labelLimit": 200, "labelPadding": 8, "grid": True}
    return vega.by("contract:N", sort=names, title=None, axis=axis, scale={"domain": names})


def _short(names: list[str], frame: Frame) -> dict[str, str]:
    """Return names as they are written beside a chart: printable, and cut in the middle where they stay different."""
    whole = {name: printable(name) for name in names}
    if frame.width >= theme.NARROW:
        return whole
    shortened = {name: cut(text, 17) for name, text in whole.items()}
    return shortened if len(set(shortened.values())) == len(names) else whole


def _timeline(frame: Frame, times: Times, windows: list[_Window], given: list[_Given], names: list[str]) -> list[Any]:
    first, last = times.ends[0], times.ends[-1]

    def inside(since: str, until: str) -> dict[str, str]:
        return {"time": max(since, first), "until": min(until, last)}

    short = _short(names, frame)
    y = _place(frame, list(short.values()))
    x = times.x(frame)
    open_ = [{"contract": short[w.contract], **inside(w.opens, w.closes)} for w in windows if w.opens < last]
    running = [{"contract": short[g.contract], **inside(g.day, g.ends)} for g in given]
    bar = vega.Marks(open_).draw("bar", fill=FAINT, height=14, **theme.edge(FAINT))
    rule = vega.Marks(running).draw("rule", **_NOTICE.mark)
    points = _points(frame, times, given, names, _SIGNED)
    return [bar.encode(x=x, x2="until:T", y=y), rule.encode(x=x, x2="until:T", y=y), points]


def _points(frame: Frame, times: Times, given: list[_Given], names: list[str], fill: str, extra: float = 0.0) -> Any:
    """Return a dot for each notice whose area tells its GW."""
    most = max((g.gw for g in given), default=1.0) or 1.0
    short = _short(names, frame)
    rows = [{"contract": short[g.contract], "time": g.day, "size": 30 + 270 * g.gw / most + 40 * extra} for g in given]
    dot = vega.Marks(rows).draw(
        "point", shape="circle", fill=fill, stroke="transparent" if extra else "white", strokeWidth=1, opacity=1
    )
    size = vega.by("size:Q", scale=None, legend=None)
    return dot.encode(x=times.x(frame), y=_place(frame, list(short.values())), size=size)


def deals(view: View) -> Panels:
    """Return the chart of deals: GW in force, signed, given notice for and come back, by pathway over time.

    GW are expected over the futures.
    """
    force = view.deals("in_force_gw")
    if not force.names:
        raise NothingToShowError("no pathway is let in deals")
    names = sorted(force.names, key=lambda name: -float(force.of(name) @ view.tree.probability))[:MOST_PATHWAYS]
    left_out = len(force.names) - len(names)
    subtitle = [
        worth(view),
        "GW expected over the futures; above the line what is signed, below it what ends, in the period",
        *([f"{left_out} smaller pathways are left out"] if left_out else []),
    ]
    colours = drawing.pathways_of(view)
    key = [
        *(Entry(f"{name} in force", colours[name], (0,)) for name in names),
        Entry("signed", _SIGNED, (1,)),
        Entry("notice given", GREY, (2,)),
        Entry("comes back, its notice over", _RETURNED, (3,)),
    ]
    drawings = [_deals(view, name) for name in names]
    peaks = {name: float((force.of(name) @ expected(view)).max()) for name in names}
    peak = max(peaks, key=peaks.__getitem__)
    finding = f"Deals reach {view.gw(peaks[peak])} GW of {peak}, expected"
    return Panels("deals over time", subtitle, drawings, key, columns=1, finding=finding)


def _deals(view: View, name: str) -> Drawing:
    times, weights = drawing.periods(view), expected(view)
    columns = ("in_force_gw", "signed_gw", "notice_given_gw", "returned_gw", "lost_gw", "breached_gw")
    force, signed, notice, returned, lost, breached = (view.deals(column).of(name) @ weights for column in columns)
    most = max(float(force.max()), float(signed.max())) * 1.08 or 1.0
    least = -max(float(notice.max()), float(returned.max())) * 1.3
    days = float(view.pathway("notice_days").get(name) or 0.0)
    words = f"{name}: {days:g} days' notice" if days > 0 else name
    colour = drawing.pathways_of(view)[name]

    def marks(frame: Frame) -> list[Any]:
        y = drawing.amount("GW", most, least)
        zero = np.zeros(len(force))
        area = drawing.areas(frame, times, [Layer("in force", zero, force, colour)], y)
        bars = [
            _bars(frame, times, signed, (0.0, 1.0), _SIGNED, y),
            _bars(frame, times, -notice, (0.0, 0.5), GREY, y),
            _bars(frame, times, -returned, (0.5, 1.0), _RETURNED, y),
        ]
        axis = drawing.line(frame, times, zero, y, color=INK, strokeWidth=1)
        return [*area, *bars, axis]

    shown = (force, signed, notice, returned, lost, breached)
    rows = [[since, *(view.gw(float(c[t])) for c in shown)] for t, since in enumerate(times.ends[:-1])]
    header = [times.name, *(f"{what}, GW" for what in (
        "in force", "signed", "notice given", "come back", "lost by churn", "broken off"
    ))]  # fmt: skip
    return Drawing(words, [], marks, Figures(header, rows), (), times.spots, height=150)


def _bars(frame: Frame, times: Times, values: FloatArray, part: tuple[float, float], fill: str, y: Any) -> Any:
    """Return amounts as bars over a part of each period, from 0."""
    ends = np.array(times.ends, dtype="datetime64[D]").astype("datetime64[h]")
    length = np.diff(ends)
    since, until = (ends[:-1] + (share * length.astype(float)).astype("timedelta64[h]") for share in part)
    rows = [
        {"time": str(a), "until": str(b), "bottom": 0.0, "top": float(v)}
        for a, b, v in zip(since, until, values, strict=True)
        if v
    ]
    data = [{**row, "time": f"{row['time']}:00Z", "until": f"{row['until']}:00Z"} for row in rows]
    mark = vega.Marks(data).draw("rect", fill=fill, strokeWidth=0)
    return mark.encode(x=times.x(frame), x2="until:T", y=y, y2="bottom:Q")
