"""``gwplan ui``."""

from __future__ import annotations

from contextlib import suppress

import click

from gwplan.commands.common import PULSE, ends_with_code


@click.command(short_help="Move levers in a browser and see the plan re-made.")
@click.argument("source", metavar="INSTANCE|RUN")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="Port; default: one that is free.")
@click.option("--no-open", is_flag=True, help="Print the link only; open no browser.")
@ends_with_code
def ui(source: str, port: int, no_open: bool) -> None:
    """Serve the what-if page of INSTANCE, or of a kept RUN, on this machine alone, until Ctrl-C."""
    import asyncio

    from gwplan.ui.desk import desk_of
    from gwplan.ui.server import serve

    desk = desk_of(source)

    def tell(link: str) -> None:
        click.echo(f"{desk.instance.name}: {link}\nThe link is for you alone. Ctrl-C ends it.")
        if not no_open:
            import webbrowser

            webbrowser.open(link)

    with PULSE.still(), suppress(KeyboardInterrupt):
        asyncio.run(serve(desk, port, tell))
    click.echo("Ended.")
