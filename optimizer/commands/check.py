"""``gwplan check``."""

from __future__ import annotations

import click

from gwplan.commands.common import ends_with_code, warn


@click.command(short_help="Tell everything that is wrong with an instance, at once.")
@click.argument("instance", metavar="INSTANCE")
@ends_with_code
def check(instance: str) -> None:
    """Validate INSTANCE: all its problems at once.

    Each line says where the problem is, the rule and what to do. Warnings alone leave the exit code 0.
    """
    from gwplan.files import printable
    from gwplan.planning import lay_out
    from gwplan.storage.read import left_behind, load

    laid_out, warnings = lay_out(load(instance))
    warn([str(warning) for warning in warnings])
    tree = laid_out.data.tree
    counted = f"{len(warnings)} warning{'s' if len(warnings) != 1 else ''}"
    click.echo(
        f"{laid_out.instance.name}: valid, {counted}; {len(laid_out.data.contracts)} contracts, "
        f"{len(laid_out.data.pathways)} pathways, {len(laid_out.data.pools)} pools, {tree.periods} periods, "
        f"{len(tree.node_of)} scenarios, {tree.size} nodes"
    )
    if unread := [name for name in left_behind(instance) if name != "README.md"]:
        click.echo(f"not read: {', '.join(map(printable, unread))}")
