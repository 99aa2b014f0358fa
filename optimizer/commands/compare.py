"""``gwplan compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gwplan.commands.common import ends_with_code, refuse_report, reports, show, tell_json

if TYPE_CHECKING:
    from gwplan.kept.run import Run


@click.command(short_help="Compare kept runs: inputs, figures, allocations.")
@click.argument("folders", metavar="RUN RUN...", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Show what is the same too.")
@reports
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@ends_with_code
def compare(folders: tuple[str, ...], everything: bool, html: str | None, force: bool, as_json: bool) -> None:
    """Compare kept RUNs with the first: inputs cell by cell, figures, allocations."""
    from gwplan.kept.run import read_run
    from gwplan.studies.compare import refuse_unlike

    if len(folders) < 2:
        raise click.UsageError("name two runs or more")
    refuse_report(html, force=force)
    runs = [read_run(folder) for folder in folders]
    refuse_unlike(runs)
    if as_json:
        tell_json(_record(runs, everything))
    else:
        from gwplan.show.text.comparison import differences

        show(lambda page: differences(page, runs, everything=everything))
    if html is not None:
        from gwplan.show.report.cases import runs_report

        runs_report(runs, everything=everything).save(html, force=force)


def _record(runs: list[Run], everything: bool) -> dict[str, Any]:
    """Return the differences as plain data; a figure that a run does not have is null."""
    from dataclasses import asdict

    from gwplan.studies.compare import allocations, caveats, figure_differences, inputs

    return {
        "runs": [str(run.folder) for run in runs],
        "notes": caveats(runs),
        "inputs": [[asdict(d) for d in inputs(runs[0].instance, run.instance)] for run in runs[1:]],
        "figures": [
            {"figure": f.group, "name": f.name, "unit": f.unit, "values": [v if v == v else None for v in values]}
            for f, values in figure_differences(runs, everything=everything)
        ],
        "allocation_gw": [
            {"pathway": p, "pool": q, "year": year, "values": values}
            for p, q, year, *values in allocations(runs, everything=everything).itertuples(index=False)
        ],
    }
