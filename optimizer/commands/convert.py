"""``gwplan convert``."""

from __future__ import annotations

import click

from gwplan.commands.common import ends_with_code, warn


@click.command(short_help="Write a folder as a workbook, a workbook as a folder.")
@click.argument("source", metavar="INSTANCE")
@click.argument("target", metavar="TARGET")
@click.option("--force", is_flag=True, help="Replace an instance that is there.")
@ends_with_code
def convert(source: str, target: str, force: bool) -> None:
    """Write INSTANCE, a folder or a workbook, as TARGET: a workbook where it ends in .xlsx, else a folder."""
    from gwplan.storage.read import left_behind, load
    from gwplan.storage.write import write

    instance = load(source)
    write(instance, target, force=force)
    behind = left_behind(source)
    if behind:
        warn([f"{source}: {', '.join(behind)} not copied: no part of an instance"])
    click.echo(f"wrote {target}")
