"""``docs/commands.md``, from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from gwplan.cli import COMMANDS, main
from gwplan.commands.common import Case, takes_case

_HEAD = """# Commands

<!-- made by: python -m tests.docs -->

`gwplan COMMAND --help` says the same in the terminal. INSTANCE is a folder or a workbook in
[the format](instance-format.md), RUN a folder that `gwplan solve --out` kept (`export` takes one of `sweep`,
`tornado`, `montecarlo` or `backtest`, too). Whatever is wrong with what a command is
given is told at once, a line each, with what to do.

| exit code | means |
|--:|---|
| 0 | solved to optimality, or done |
| 1 | bad input: each problem is a line on stderr |
| 2 | wrong usage |
| 3 | infeasible or unbounded: why, and what would help, are on stderr |
| 4 | stopped by a limit or Ctrl-C; the best plan, where there is one, is kept and labelled |
| 5 | the answer failed its own check and is not shown |

"""

_CASE = """## The case that a command looks at

Commands that take INSTANCE with what-ifs and edits share these options. They are applied in this order: what-ifs,
edits, locks, outcomes taken as known. [Edits](instance-format.md#edits) are spelt as the format says.

"""


def page() -> str:
    """Return the page on the commands as Markdown."""
    context = click.Context(main, info_name="gwplan")
    commands = {name: _command(name, context) for name in COMMANDS}
    shared = _shared()
    lines = ["| command | does |", "|---|---|"]
    lines += [f"| [`gwplan {name}`](#gwplan-{name}) | {_first(command)} |" for name, command in commands.items()]
    lines += ["", _CASE + "\n".join(_options(shared)), ""]
    for name, command in commands.items():
        lines += [f"## gwplan {name}", "", *_section(name, command, context, {option.name for option in shared}), ""]
    return re.sub(r"\n{3,}", "\n\n", _HEAD + "\n".join(lines)).rstrip() + "\n"


def _command(name: str, context: click.Context) -> click.Command:
    command = main.get_command(context, name)
    assert command is not None
    return command


def _shared() -> list[click.Option]:
    """Return the options that `takes_case` gives to a command."""

    def nothing(case: Case) -> None: ...

    parameters = click.command()(takes_case(nothing)).params
    return [parameter for parameter in parameters if isinstance(parameter, click.Option)]


def _first(command: click.Command) -> str:
    return " ".join((command.help or "").split("\n\n")[0].split())


def _section(name: str, command: click.Command, above: click.Context, shared: set[str | None]) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above)
    yield from ("`" + " ".join(command.get_usage(context).removeprefix("Usage: ").split()) + "`", "")
    for paragraph in (command.help or "").split("\n\n"):
        yield from (" ".join(paragraph.split()), "")
    options = [each for each in command.params if isinstance(each, click.Option)]
    own = [each for each in options if each.name not in shared]
    if len(own) < len(options):
        yield from ("And the options of [the case](#the-case-that-a-command-looks-at).", "")
    if own:
        yield from _options(own)


def _options(options: list[click.Option]) -> Iterator[str]:
    yield from ("| option | does |", "|---|---|")
    for option in options:
        cells = option.get_help_record(click.Context(main)) or ("", "")
        names, about = (" ".join(cell.replace("|", r"\|").split()) for cell in cells)
        yield f"| `{names}` | {about} |"
