"""``gwplan new``."""

from __future__ import annotations

import click

from optimizer.commands.common import ends_with_code


@click.command()
@click.argument("name", metavar="NAME")
@ends_with_code
def new(name: str) -> None:
    """Write a commented starter instance into the new folder NAME."""
    from pathlib import Path

    from optimizer.instance.starter import starter
    from optimizer.instance.write import write_texts

    write_texts(starter(Path(name).resolve().name), name, force=None)
    click.echo(f"{name}: a starter instance; read its README.md, then: gwplan solve {name}")
