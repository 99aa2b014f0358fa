"""``gwplan price``."""

from __future__ import annotations

from pathlib import Path

import click

from gwplan.commands.common import BAD_INPUT, Case, ends_with_code, progress, show, stop, takes_case, tell_json


@click.command(short_help="Say the most to pay for an offer, and what its clauses and waiting are worth.")
@takes_case
@click.argument("offer", metavar="OFFER")
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON.")
@click.option("--csv", "csv", metavar="FILE", help="Write every figure as FILE.csv, a row each.")
@click.option("--png", metavar="FILE", help="Draw prices by date and size as FILE.png.")
@click.option("--svg", metavar="FILE", help="The same as SVG.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@ends_with_code
def price(
    case: Case, offer: str, as_json: bool, csv: str | None, png: str | None, svg: str | None, force: bool
) -> None:
    """Say the most to pay per GW-year for OFFER of INSTANCE, of a customer the least to take, re-optimised.

    By date of signature, for the first 0.1 GW, the first GW and the whole, at aversion 0 and 0.5; what each clause of
    it is worth, and what it is to wait until something is known; each with how it moves with the terminal value.
    """
    pictures = []
    for kind, path in (("png", png), ("svg", svg), ("csv", csv)):
        if path and not path.lower().endswith(f".{kind}"):
            raise click.UsageError(f"--{kind} takes a file that ends in .{kind}, not '{path}'")
        pictures += [path] if path and kind != "csv" else []
    from gwplan.files import refuse_occupied, whole_file

    for path in (*pictures, *([csv] if csv else [])):
        refuse_occupied(Path(path), force=force, replaceable=Path.is_file, kind="a file")
    instance = case.load()

    from gwplan.studies.price import price as priced

    with progress() as tell:
        result = priced(instance, offer, progress=tell)
    if as_json:
        tell_json(result.as_dict())
    else:
        from gwplan.show.text.price import price as part

        show(lambda page: part(page, result))
    if csv is not None:
        with whole_file(Path(csv)) as new:
            result.table().to_csv(new, index=False)
        click.echo(f"wrote {csv}", err=True)
    if pictures:
        from gwplan.show.charts.money import offer_prices
        from gwplan.show.charts.pictures import save
        from gwplan.show.theme import NothingToShowError

        try:
            picture = offer_prices(result).picture_of(instance.name)
        except NothingToShowError as reason:
            stop(BAD_INPUT, f"no picture: {reason}")
        for path in pictures:
            save(picture, path, force=force)
            click.echo(f"wrote {path}", err=True)
