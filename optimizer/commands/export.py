"""``gwplan export``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gwplan.commands.common import ends_with_code, warn

if TYPE_CHECKING:
    from gwplan.show.report.report import Report


@click.command(short_help="Make reports, workbooks, tables and pictures of what was kept.")
@click.argument("run", metavar="RUN")
@click.option("--xlsx", metavar="FILE", help="Workbook whose worth follows when its cells are overtyped.")
@click.option("--into", metavar="WORKBOOK", help="Refresh gwplan's sheets in a workbook of yours.")
@click.option("--sheet-prefix", "prefix", metavar="TEXT", default="gw_", help="Begins their names; default gw_.")
@click.option("--backup", is_flag=True, help="Keep the workbook as it was beside it.")
@click.option("--html", metavar="FILE", help="A report to look at and pass around: one page, nothing else needed.")
@click.option("--csv", metavar="DIR", help="Tables as CSV.")
@click.option("--parquet", metavar="DIR", help="Tables as Parquet, with units and the manifest in their metadata.")
@click.option("--png", metavar="FILE|DIR", help="FILE.png: GW by pathway against supply. DIR: every picture.")
@click.option("--svg", metavar="FILE|DIR", help="The same as SVG.")
@click.option("--lp", metavar="FILE", help="The linear program with readable names, as an LP file.")
@click.option("--mps", metavar="FILE", help="The same as a free-format MPS file.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@ends_with_code
def export(run: str, prefix: str, backup: bool, force: bool, **wanted: str | None) -> None:
    """Export a kept RUN as a report, workbook, tables, pictures or a file for another solver.

    A kept sweep, tornado, Monte Carlo or backtest is exported as a report or a picture.
    """
    from gwplan.kept.run import read_run
    from gwplan.kept.sweep import KIND as SWEEP

    if not any(wanted.values()):
        raise click.UsageError(f"name at least one of {', '.join(f'--{kind}' for kind in wanted)}")
    if SWEEP.made(Path(run)):
        _export_sweep(run, {kind: target for kind, target in wanted.items() if target}, force)
        return
    kept = read_run(run)
    for kind, target in wanted.items():
        if target and kind == "into":
            into(kept, target, prefix=prefix, backup=backup)
        elif target:
            _export(kept, kind, target, force)
            click.echo(f"wrote {target}")


def _export_sweep(folder: str, wanted: dict[str, str], force: bool) -> None:
    """Write the report or the picture of a kept sweep; its tables stand in its folder already."""
    from gwplan.commands.sweeping import draw
    from gwplan.kept.sweep import read_sweep

    if set(wanted) - {"html", "png", "svg"}:
        forms = "--html FILE, --png FILE or --svg FILE"
        raise click.UsageError(f"a kept sweep is exported as {forms}; its tables are in its folder")
    kept = read_sweep(folder)
    if html := wanted.pop("html", None):
        from gwplan.show.report.cases import sweep_report

        _write(partial(sweep_report, kept), html, force)
        click.echo(f"wrote {html}")
    if wanted:
        draw(str(kept.manifest["kind"]), kept.tables, kept.manifest, wanted.values(), force)


def into(run: Any, workbook: str, *, prefix: str = "gw_", backup: bool = False) -> None:
    """Refresh gwplan's sheets in a workbook and say so."""
    from gwplan.show.workbook.into import refresh

    done = refresh(run, workbook, prefix=prefix, backup=backup)
    warn(map(str, done.warnings))
    click.echo(f"refreshed {workbook}" + (f"; as it was: {done.backup}" if done.backup else ""))


def _export(kept: Any, kind: str, target: str, force: bool) -> None:
    if kind in ("csv", "parquet"):
        from gwplan.show import tables

        (tables.to_csv if kind == "csv" else tables.to_parquet)(kept, target, force=force)
    elif kind == "xlsx":
        from gwplan.show.workbook.book import to_xlsx

        to_xlsx(kept, target, force=force)
    elif kind == "html":
        from gwplan.show.report.plan import plan_report

        _write(partial(plan_report, kept), target, force)
    elif kind in ("lp", "mps"):
        from gwplan.solver.model_files import write_model

        write_model(kept.instance, target, "lp" if kind == "lp" else "mps", force=force)
    else:
        _draw(kept, kind, target, force)


def _write(make: Callable[[], Report], target: str, force: bool) -> None:
    """Write a report, and say which charts it lacks."""
    from gwplan.show.report.report import refuse

    refuse(target, force=force)
    report = make()
    report.save(target, force=force)
    warn(f"the chart of {name} is left out: {reason}" for name, reason in report.left_out.items())


def _draw(kept: Any, kind: str, target: str, force: bool) -> None:
    """Write the one picture of a plan to a file, or all of them into a folder: the ending says which."""
    from gwplan.show.charts import over_time as charts
    from gwplan.show.charts import pictures
    from gwplan.show.view import View

    suffix = Path(target).suffix.lower()
    if suffix == f".{kind}":
        view = View(kept.plan)
        pictures.save(charts.gw_over_time(view).picture(view), target, force=force)
    elif suffix in pictures.OTHER_ENDINGS:
        raise click.UsageError(f"--{kind} takes a file that ends in .{kind}, or a folder: '{target}' is neither")
    else:
        left_out = pictures.save_all(kept, target, f".{kind}", force=force)
        warn(f"{name}.{kind} is left out: {reason}" for name, reason in left_out.items())
