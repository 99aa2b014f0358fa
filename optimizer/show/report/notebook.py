"""What a notebook shows of instances, plans and studies, and what their methods draw and write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from gwplan.catalogue.tables import TABLES
from gwplan.instance.instance import Instance
from gwplan.kept.run import Run, keep, read_run
from gwplan.plan.plan import Plan
from gwplan.show.report.plan import first_cards, plan_report
from gwplan.show.report.report import HtmlPage, Report
from gwplan.show.text.brief import horizon, proof
from gwplan.show.view import View

if TYPE_CHECKING:
    from altair import TopLevelMixin

    from gwplan.studies.uncertainty import Uncertainty

STYLE: Final = (
    "<style>.gwplan table{border-collapse:collapse}.gwplan td,.gwplan th{padding:.15em .7em;text-align:left}"
    ".gwplan .r{text-align:right;font-variant-numeric:tabular-nums}.gwplan caption{text-align:left}"
    ".gwplan .cards{display:flex;flex-wrap:wrap;gap:1em}.gwplan .big{font-size:1.6em;margin:0}"
    ".gwplan .card{flex:1 1 20em;border:1px solid #8888;border-radius:6px;padding:.4em 1em}"
    ".gwplan svg{max-width:26em;fill:currentColor}.gwplan circle{fill-opacity:.4}.gwplan path{stroke:currentColor}"
    ".gwplan svg text{font-size:11px}</style>"
)


def fragment(*parts: Callable[[HtmlPage], None]) -> str:
    """Return printed parts as HTML to stand inside another page."""
    page = HtmlPage(prefix="gwplan")
    for part in parts:
        part(page)
    return f'<div class="gwplan">{STYLE}{"".join(page.html)}</div>'


def plan_html(plan: Plan) -> str:
    """Return the first screen of a plan: what to do now, what comes next, what it is worth, on what it rests."""
    view = View(plan)
    report = Report(plan.instance.name)
    report.section(plan.instance.name)
    first_cards(report, view)
    title = f"<h3>{escape(plan.instance.name)}</h3><p>{escape(f'{horizon(view)}: {proof(view)}.')}</p>"
    return f'<div class="gwplan">{STYLE}{title}{report.fragment()}</div>'


def instance_html(instance: Instance) -> str:
    """Return what an instance is and what each of its tables holds."""
    rows = [
        [name, f"{len(frame)}", TABLES[name].about]
        for name, frame in instance.tables.items()
        if len(frame) and not TABLES[name].section
    ]

    def part(page: HtmlPage) -> None:
        page.heading(repr(instance)[1:-1])
        page.note(instance.description)
        page.table(["table", "rows", "a row is"], rows, "nrn")
        for factor in instance.factors:
            page.note(f"- uncertain: {factor.name}, {', '.join(outcome.name for outcome in factor.outcomes)}")
        if instance.whatifs:
            page.note(f"- what-ifs: {', '.join(instance.whatifs)}")

    return fragment(part)


def uncertainty_html(result: Uncertainty) -> str:
    """Return what uncertainty costs, and which contracts are signed or ended when, in short."""
    from gwplan.show.text.uncertainty import in_short, money_of, peak_gw_of

    return fragment(lambda page: in_short(page, result, money_of(result), peak_gw_of(result)))


class Charts:
    """The pictures of a plan as Altair charts, by the names of their files: ``plan.charts.gw``."""

    def __init__(self, plan: Plan) -> None:
        self._view = View(plan)

    def __dir__(self) -> list[str]:
        from gwplan.show.charts.pictures import PICTURES

        return list(PICTURES)

    def __getattr__(self, name: str) -> TopLevelMixin:
        from gwplan.show.charts.pictures import PICTURES
        from gwplan.show.vega import as_altair

        if name not in PICTURES:
            raise AttributeError(f"there is no chart '{name}'; there are {', '.join(PICTURES)}")
        picture: TopLevelMixin = as_altair(PICTURES[name](self._view).picture(self._view))
        return picture

    def __repr__(self) -> str:
        return f"<charts: {', '.join(dir(self))}>"


def save(plan: Plan, folder: str | Path, *, force: bool) -> Path:
    """Keep a plan as ``gwplan solve --out`` does."""
    return keep(plan, folder, command=("gwplan.Plan.save",), options={}, force=force)


@contextmanager
def as_run(plan: Plan | str | Path) -> Iterator[Run]:
    """Yield a plan as the run that it is, or would be if it were kept."""
    if not isinstance(plan, Plan):
        yield read_run(plan)
        return
    with TemporaryDirectory() as folder:
        yield read_run(save(plan, Path(folder) / plan.instance.name, force=False))


def to_html(plan: Plan, path: str | Path, *, force: bool) -> Path:
    """Write the report of a plan."""
    with as_run(plan) as run:
        return plan_report(run).save(path, force=force)


def to_excel(plan: Plan, path: str | Path, *, force: bool) -> Path:
    """Write the workbook of a plan."""
    from gwplan.show.workbook.book import to_xlsx

    with as_run(plan) as run:
        to_xlsx(run, path, force=force)
    return Path(path)


def sweep_html(results: Any, tables: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return what the cases of a sweep, tornado or Monte Carlo come to, as their commands print it."""
    from gwplan.show.text import sweep as text
    from gwplan.show.text.backtest import backtest

    parts: dict[str, Callable[[HtmlPage], None]] = {
        "sweep": lambda page: text.sweep(page, results, settings["axes"], settings["of"]),
        "tornado": lambda page: text.tornado(page, results, tables["tornado"], settings["of"], settings["by"]),
        "montecarlo": lambda page: text.montecarlo(page, results.described(), tables),
        "backtest": lambda page: backtest(page, results.described(), {"cases": results.table, **tables}),
    }
    return fragment(parts[results.study.kind])
