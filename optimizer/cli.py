"""The command ``gwplan``: a list of commands, each imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = (
    "solve",
    "check",
    "explain",
    "whatif",
    "ui",
    "compare",
    "evaluate",
    "alternatives",
    "roll",
    "uncertainty",
    "price",
    "claims",
    "exposure",
    "sweep",
    "tornado",
    "montecarlo",
    "backtest",
    "breakeven",
    "new",
    "convert",
    "migrate",
    "export",
)
"""In the order in which ``--help`` lists them; each is the function of its name in ``gwplan.commands``."""


class _Commands(click.Group):
    """Imports a command only when it is called or described, so that none waits for the others' imports."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from gwplan.problems import nearest

            context.fail(f"no such command '{args[0]}'; {nearest(args[0], COMMANDS)}")
        return super().resolve_command(context, args)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"gwplan.commands.{name}"), name)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 solved to optimality; 1 bad input; 2 wrong usage; 3 infeasible or unbounded; "
    "4 stopped by a limit, best plan kept and labelled; 5 the answer failed its own check.",
)
@click.version_option(package_name="gwplan")
def main() -> None:
    """Split gigawatts of compute among their uses over time and over a tree of futures.

    Begin with: gwplan new mine; gwplan solve mine
    """


if __name__ == "__main__":
    main()
