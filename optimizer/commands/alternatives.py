"""``gwplan alternatives``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gwplan.catalogue.tolerances import THREE_DECIMALS
from gwplan.commands.common import Case, ends_with_code, progress, share, takes_case, tell_json

if TYPE_CHECKING:
    from gwplan.plan.firmness import Alternatives


@click.command(short_help="Show how firm the plan is.")
@takes_case
@click.option(
    "--within", metavar="SHARE", default="1%", show_default=True, callback=share, help="Worth that a plan may lack."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@ends_with_code
def alternatives(case: Case, within: float, as_json: bool) -> None:
    """Show how firm the plan of INSTANCE is: least and most GW by pathway and year among nearly best plans."""
    from gwplan.planning import alternatives_of

    instance = case.load()
    with progress() as tell:
        firmness = alternatives_of(instance, within, progress=tell)
    if as_json:
        figures = {name: getattr(firmness, name) for name in ("within", "best_bn", "least_bn")}
        tables = {name: getattr(firmness, name).to_dict("records") for name in ("ranges", "plans")}
        tell_json({**figures, **tables})
    else:
        _print(firmness)


def _print(firmness: Alternatives) -> None:
    click.echo(
        f"Plans worth at least {firmness.least_bn:.4g} $bn, {100 * firmness.within:g}% less than the best "
        f"({firmness.best_bn:.4g} $bn): mean GW of the year, least < best < most"
    )
    ranges = firmness.ranges
    width = max(len(name) for name in ranges["pathway"])
    for row in ranges.to_dict("records"):
        firm = "firm" if row["most_gw"] - row["least_gw"] < THREE_DECIMALS else ""
        click.echo(
            f"  {row['pathway']:<{width}}  {row['year']}  {row['least_gw']:7.3f} < {row['best_gw']:7.3f} "
            f"< {row['most_gw']:7.3f}  {firm}".rstrip()
        )
    plans: dict[str, list[float]] = {}
    for name, gw in zip(firmness.plans["plan"], firmness.plans["gw"].tolist(), strict=True):
        plans.setdefault(name, []).append(gw)
    names = list(plans)
    if len(names) > 1:
        click.echo("Nearly best plans that differ most from the best and from each other, mean GW of the year:")
        for number, name in enumerate(names[1:], 1):
            click.echo(f"  plan {number}: {name}")
        click.echo(f"  {'':<{width}}  {'':4}  {'best':>7}" + "".join(f"  plan {i}" for i in range(1, len(names))))
        for i, row in enumerate(ranges.to_dict("records")):
            cells = "".join(f"  {plans[name][i]:6.3f}" for name in names[1:])
            click.echo(f"  {row['pathway']:<{width}}  {row['year']}  {plans['best'][i]:7.3f}{cells}")
