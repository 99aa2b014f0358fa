"""``gwplan whatif``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import click

from gwplan.commands.common import (
    NO_PLAN,
    Case,
    ends_with_code,
    pairs,
    progress,
    refuse_report,
    show,
    stays_near,
    stop,
    warn,
)

if TYPE_CHECKING:
    from gwplan.session import Session
    from gwplan.studies.whatif import Attribution, Comparison, Stack


@click.command(short_help="Compare an instance with what-ifs of it.")
@click.argument("source", metavar="INSTANCE")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--set", "edits", metavar="EDIT", multiple=True, help="One more case: these edits, in their order.")
@click.option("--with", "whatifs", metavar="WHATIF", multiple=True, help="Apply a what-if to the base.")
@click.option("--given", metavar="FACTOR=OUTCOME", multiple=True, callback=pairs, help="Take an outcome as known.")
@click.option("--deterministic", is_flag=True, help="Ignore uncertainty.")
@stays_near
@click.option("--attribute", is_flag=True, help="Of each stack, say how much of the difference each part makes.")
@click.option("--out", metavar="DIR", help="Keep the comparison and every run in this new folder.")
@click.option("--html", metavar="FILE", help="Write a report too: one page, nothing else needed.")
@click.option("--force", is_flag=True, help="Let --out and --html replace earlier ones.")
@click.option("--full", is_flag=True, help="Print use, contracts given back and signed, and prices of every case too.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@ends_with_code
def whatif(
    source: str,
    names: tuple[str, ...],
    edits: tuple[str, ...],
    whatifs: tuple[str, ...],
    given: Mapping[str, str],
    deterministic: bool,
    earlier: str | None,
    move_cost: float | None,
    attribute: bool,
    out: str | None,
    html: str | None,
    force: bool,
    full: bool,
    as_json: bool,
) -> None:
    """Compare INSTANCE with what-ifs of it: NAMEs joined by + stack; all that it ships with when none is named."""
    from gwplan.kept.run import COMPARISON, keep_comparison
    from gwplan.studies.whatif import stacks

    if out is not None:
        COMPARISON.refuse(out, force=force)
    refuse_report(html, force=force)
    case = Case(source, whatifs, (), given, deterministic, (), earlier, move_cost)
    base = case.load()
    asked = stacks(base, names, edits)

    from gwplan.session import Session
    from gwplan.studies.whatif import compare, compared_as_json

    with progress() as tell:
        session = Session(base)
        compared = compare(session, asked, tell)
        shares = _attributed(session, asked, compared) if attribute else {}
    if out is not None:
        runs = {each.name: each.plan for each in compared.all if each.plan is not None}
        record, command = compared_as_json(compared, shares), ["gwplan", *sys.argv[1:]]
        keep_comparison(runs, compared.table(), record, out, command=command, options=case.asked(), force=force)
    _warn(compared)
    if as_json:
        click.echo(compared_as_json(compared, shares))
    else:
        from gwplan.show.text.comparison import attribution, comparison, in_short

        attributed = [case for case in compared.cases if case.name in shares]
        show(
            lambda page: (comparison if full else in_short)(page, compared),
            *(partial(attribution, compared=compared, case=case, shares=shares[case.name]) for case in attributed),
        )
    if html is not None:
        from gwplan.show.report.cases import whatif_report

        whatif_report(compared, shares).save(html, force=force)
    failed = [f"{case.name}: {case.failure}" for case in compared.cases if case.failure]
    if failed:
        stop(NO_PLAN, *failed)


def _attributed(session: Session, asked: list[Stack], compared: Comparison) -> dict[str, Attribution]:
    from gwplan.studies.whatif import attribute

    solved = {case.name for case in compared.cases if case.plan}
    return {s.name: attribute(session, s) for s in asked if len(s.parts) > 1 and s.name in solved}


def _warn(compared: Comparison) -> None:
    """Say how many warnings the base has, and the first that each case adds."""
    base = compared.base.plan.warnings if compared.base.plan else ()
    if base:
        warn([f"{len(base)} on the base; `gwplan check` shows them"])
    for case in compared.cases:
        added = [line for line in (case.plan.warnings if case.plan else ()) if line not in base]
        more = f" (and {len(added) - 1} more)" if len(added) > 1 else ""
        warn(f"{case.name}: {line}{more}" for line in added[:1])
