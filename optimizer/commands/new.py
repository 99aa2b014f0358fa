"""``gwplan new``."""

from __future__ import annotations

import click

from gwplan.commands.common import ends_with_code


@click.command(short_help="Write a commented starter instance.")
@click.argument("name", metavar="NAME")
@ends_with_code
def new(name: str) -> None:
    """Write a commented starter instance as NAME: a workbook where it ends in .xlsx, else a new folder."""
    from pathlib import Path

    from gwplan.storage.starter import starter, starter_instance
    from gwplan.storage.write import is_workbook_name, write, write_texts

    if is_workbook_name(name):
        write(starter_instance(Path(name).resolve().stem), name)
        click.echo(f"{name}: a starter instance; read its sheet 'about', then: gwplan solve {name}")
    else:
        write_texts(starter(Path(name).resolve().name), name, force=None)
        click.echo(f"{name}: a starter instance; read its README.md, then: gwplan solve {name}")
