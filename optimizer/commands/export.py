"""``gwplan export``."""

from __future__ import annotations

from typing import Any

import click

from optimizer.commands.common import ends_with_code, warn


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--csv", metavar="DIR", help="Tables as CSV.")
@click.option("--parquet", metavar="DIR", help="Tables as Parquet, with units and the manifest in their metadata.")
@click.option("--png", metavar="FILE|DIR", help="FILE.png: GW by pathway against supply. DIR: every picture.")
@click.option("--svg", metavar="FILE|DIR", help="The same as SVG.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@ends_with_code
def export(run: str, csv: str | None, parquet: str | None, png: str | None, svg: str | None, force: bool) -> None:
    """Export a kept RUN as tables or pictures."""
    from optimizer.results.run import read_run

    wanted = {"csv": csv, "parquet": parquet, "png": png, "svg": svg}
    if not any(wanted.values()):
        raise click.UsageError("name at least one of --csv, --parquet, --png, --svg")
    kept = read_run(run)
    for kind, target in wanted.items():
        if target:
            _export(kept, kind, target, force)
            click.echo(f"wrote {target}")


def _export(kept: Any, kind: str, target: str, force: bool) -> None:
    if kind in ("csv", "parquet"):
        from optimizer.export import tables

        (tables.to_csv if kind == "csv" else tables.to_parquet)(kept, target, force=force)
    else:
        _draw(kept, kind, target, force)


def _draw(kept: Any, kind: str, target: str, force: bool) -> None:
    """Write the one picture of a plan to a file, or all of them into a folder: the ending says which."""
    from pathlib import Path

    from optimizer.export import charts, pictures

    suffix = Path(target).suffix.lower()
    if suffix == f".{kind}":
        pictures.save(charts.gw_over_time(kept), target, force=force)
    elif suffix in pictures.OTHER_ENDINGS:
        raise click.UsageError(f"--{kind} takes a file that ends in .{kind}, or a folder: '{target}' is neither")
    else:
        left_out = pictures.save_all(kept, target, f".{kind}", force=force)
        warn(f"{name}.{kind} is left out: {reason}" for name, reason in left_out.items())
