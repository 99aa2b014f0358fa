"""Pictures of a plan over time: GW by pathway against supply, idle GW by pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from optimizer.export import theme
from optimizer.export.theme import HEIGHT, INK, LINE_HEIGHT, PALE, WIDTH, Layer
from optimizer.instance.calendar import MONTHS, add_months
from optimizer.results.run import Run

if TYPE_CHECKING:
    from altair import LayerChart


def gw_over_time(run: Run) -> LayerChart:
    """Return the picture of a plan: expected GW by pathway, stacked over time, against supply.

    Parameters
    ----------
    run : Run
        What to show. Each period's figures are weighted by the probability of its nodes.

    Returns
    -------
    altair.LayerChart
        The stack of pathways and, hatched, idle GW; as a line the supply as signed. What lies between the two is
        cancelled. The labels give the GW of the last period.

    Raises
    ------
    InstanceError
        If Altair is not installed.
    """
    used, supply = expected_gw(run)
    fills: list[theme.Fill] = [*theme.pathway_colours(list(used)).values(), theme.hatching(200), PALE]
    heights = [gw.to_numpy() for gw in (*used.values(), *supply.values())]
    layers = theme.stacked(zip([*used, "idle", "cancelled"], heights, fills, strict=True))
    line = Layer("supply as signed", layers[-1].top, layers[-1].top, None)
    return _over_time(run, layers, line, "GW by pathway against supply", [worth(run)])


def idle_over_time(run: Run) -> LayerChart:
    """Return the picture of idle GW: expected by pool, stacked over time, and the most that any future has.

    Parameters
    ----------
    run : Run
        What to show.
    """
    supply = run.tables["supply"]
    pools = list(dict.fromkeys(supply["pool"]))
    starts = _starts(run)
    heights = [_expected(supply[supply["pool"] == pool], "idle_gw", starts).to_numpy() for pool in pools]
    layers = theme.stacked(zip(pools, heights, theme.shades(len(pools)), strict=True))
    by_node = supply.groupby(["start", "node"])["idle_gw"].sum()
    most = by_node.groupby(level="start").max().reindex(starts, fill_value=0.0).to_numpy()
    line = Layer("most in any future", most, most, None)
    years, cost = float(run.summary["idle_gw_years"]), float(run.summary["idle_cost_bn"])
    told = f"{years:.2f} expected GW-years stand idle, which cost ${cost:,.2f}bn in contract prices"
    return _over_time(run, layers, line, "idle GW by pool", [worth(run), told], peak=True)


def expected_gw(run: Run) -> tuple[dict[str, pd.Series], dict[str, pd.Series]]:
    """Return expected GW by period: of each pathway, and ``idle_gw`` and ``cancelled_gw``; together the supply."""
    allocation, supply = run.tables["allocation"], run.tables["supply"]
    starts = _starts(run)
    by_pathway = {p: allocation[allocation["pathway"] == p] for p in run.summary["expected_gw_years"]}
    used = {p: _expected(table, "gw", starts) for p, table in by_pathway.items()}
    return used, {column: _expected(supply, column, starts) for column in ("idle_gw", "cancelled_gw")}


def worth(run: Run) -> str:
    """Return in words over what a plan's figures are expected, what it is worth, and whether it is proved best."""
    scenarios, worth = int(run.summary["scenarios"]), float(run.summary["objective_bn"])
    futures = f"expected over {scenarios} scenarios" if scenarios > 1 else "one scenario"
    status = str(run.summary["status"])
    proved = "optimal" if status == "optimal" else f"not proved best ({status.replace('_', ' ')})"
    told = [futures, f"worth {'-' if worth < 0 else ''}${abs(worth):,.1f}bn, {proved}", *edited(run)]
    return "; ".join(told)


def edited(run: Run) -> list[str]:
    """Return in words how many edits were applied to the instance as written; nothing where there are none."""
    edits = len(run.manifest["edits"])
    return [f"{edits} edit{'s' if edits > 1 else ''} applied"] if edits else []


def titled(run: Run, what: str) -> str:
    """Return the title of a picture of a run."""
    return f"{run.manifest['instance']}: {what}"


def _starts(run: Run) -> pd.Index[Any]:
    starts: pd.Index[Any] = pd.Index(np.unique(run.tables["nodes"]["start"].to_numpy()), name="start")
    return starts


def _expected(table: pd.DataFrame, column: str, starts: pd.Index[Any]) -> pd.Series:
    by_period = (table[column] * table["probability"]).groupby(table["start"]).sum()
    return by_period.reindex(starts, fill_value=0.0)


def _over_time(
    run: Run, layers: Sequence[Layer], line: Layer, what: str, subtitle: Sequence[str], *, peak: bool = False
) -> LayerChart:
    """Return layers as stepped areas over the periods, with a line, and labels beside their ends or in a key."""
    alt = theme.installed("altair", "Altair")
    times = period_ends(run)
    labels = [*layers, line]
    height = max(HEIGHT, LINE_HEIGHT * (len(labels) + 2))
    highest = max(float(layers[-1].top.max()), float(line.top.max())) * 1.04 or 1.0
    axis = theme.time_axis(alt, len(times) - 1, run.instance.resolution)
    x = alt.X("time:T", title=None, scale=alt.Scale(type="utc"), axis=axis)
    y = alt.Y("top:Q", scale=alt.Scale(domain=[0, highest], nice=False), axis=theme.amount_axis(alt, "GW"))
    marks: list[Any] = []
    for layer in layers:
        area = alt.Chart(_steps(alt, times, layer)).mark_area(
            interpolate="step-after", color=layer.fill, stroke="white", strokeWidth=0.6
        )
        marks.append(area.encode(x=x, y=y, y2="bottom:Q"))
    drawn = alt.Chart(_steps(alt, times, line)).mark_line(interpolate="step-after", color=INK, strokeWidth=1.8)
    marks.append(drawn.encode(x=x, y=y))
    marks += _peaks(alt, labels) if peak else _labels(alt, labels, highest, height)
    chart: LayerChart = theme.picture(alt, marks, titled(run, what), subtitle, height)
    return chart


def period_ends(run: Run) -> list[str]:
    """Return the first day of every period and of the one after the last: a period's figures hold to its end."""
    starts = _starts(run).to_numpy().astype("datetime64[D]")
    return [str(time) for time in (*starts, *add_months(starts[-1:], np.array([MONTHS[run.instance.resolution]])))]


def _steps(alt: Any, times: Sequence[str], layer: Layer) -> Any:
    """Return a layer as data of a stepped mark, which ends where the horizon does."""
    bottom, top = ([*values.tolist(), float(values[-1])] for values in (layer.bottom, layer.top))
    rows = zip(times, bottom, top, strict=True)
    return alt.InlineData(values=[{"time": time, "bottom": low, "top": high} for time, low, high in rows])


def _peaks(alt: Any, layers: Sequence[Layer]) -> list[Any]:
    """Return swatch, name and the most GW of each layer in a key, the uppermost layer first."""
    entries = []
    for layer in reversed(layers):
        most = (layer.top - (layer.bottom if layer.fill is not None else 0.0)).max()
        entries.append((f"{layer.name} {most:.2f}", layer.fill))
    return [*theme.key(alt, entries), theme.beside(alt, "GW at the most", WIDTH + 13, -0.5 * LINE_HEIGHT, theme.GREY)]


def _labels(alt: Any, layers: Sequence[Layer], highest: float, height: int) -> list[Any]:
    """Return swatch, name and GW of the last period beside the end of each layer, kept from overlapping."""
    middle = [float(layer.bottom[-1] + layer.top[-1]) / 2 * height / highest for layer in layers]
    order = sorted(range(len(layers)), key=middle.__getitem__)
    places = dict(zip(order, theme.apart([middle[i] for i in order], LINE_HEIGHT, height), strict=True))
    entries = []
    for i, layer in enumerate(layers):
        gw = layer.top[-1] - (layer.bottom[-1] if layer.fill is not None else 0.0)
        entries.append((f"{layer.name} {gw:.2f}", layer.fill, height - places[i]))
    above = height - max(places.values()) - LINE_HEIGHT
    return [*theme.swatches(alt, entries), theme.beside(alt, "GW at the end", WIDTH + 13, above, theme.GREY)]
