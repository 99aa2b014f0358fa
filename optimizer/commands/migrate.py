"""``gwplan migrate``."""

from __future__ import annotations

import click

from gwplan.commands.common import ends_with_code, warn


@click.command(short_help="Bring an instance to the current version of the format.")
@click.argument("source", metavar="INSTANCE")
@click.option("--out", metavar="TARGET", help="Write the new one here; INSTANCE stays as it is.")
@ends_with_code
def migrate(source: str, out: str | None) -> None:
    """Bring INSTANCE, a folder, from an older version of the format to the current one.

    Without --out it is replaced, and what was there is kept beside it as INSTANCE.version-N. A workbook of an older
    version becomes a folder first.
    """
    from gwplan.catalogue.tables import SCHEMA_VERSION
    from gwplan.storage.migrate import migrate as brought_up
    from gwplan.storage.migrate import replace
    from gwplan.storage.read import left_behind
    from gwplan.storage.write import is_workbook_name, write, write_texts

    migrated = brought_up(source)
    if migrated.version == SCHEMA_VERSION:
        click.echo(f"{source} is of version {SCHEMA_VERSION} already: nothing is written")
        return
    kept = ""
    if out is None:
        kept = f"; what was there is kept in {replace(migrated, source)}"
    elif is_workbook_name(out):
        write(migrated.instance, out)
    else:
        write_texts(migrated.texts, out)
    for change in migrated.changes:
        click.echo(f"changed {change}")
    behind = left_behind(source) if out is not None else []
    if behind:
        warn([f"{source}: {', '.join(behind)} not copied: no part of an instance"])
    click.echo(f"wrote {out or source}: version {migrated.version} is now {SCHEMA_VERSION}{kept}")
