"""The printed claims: each published figure beside what the data give, and in words those that fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, log10

from gwplan.instance.instance import Instance
from gwplan.plan.claims import HOLDS, Claim
from gwplan.show.page import Page, printed

HEADER = ("claim", "reported", "data", "ratio", "verdict", "grade", "rests on")
SIGN = {"about": "", "at_least": ">=", "at_most": "<="}


def print_claims(instance: Instance, claims: Sequence[Claim]) -> None:
    """Print the claims of an instance, judged."""
    with printed() as page:
        page.heading("Claims of", f" {instance.name} against its data")
        if instance.applied:
            page.note(f"Changed from the instance as written: {'; '.join(instance.applied)}")
        judged(page, claims)


def judged(page: Page, claims: Sequence[Claim]) -> None:
    """Show each claim beside what the data give, and say in words what does not hold."""
    failing = [claim for claim in claims if claim.verdict != HOLDS]
    if not claims:
        page.note("There are none: write them into claims.csv.")
    else:
        page.note(f"{len(claims)} claims: {len(claims) - len(failing)} hold, {len(failing)} do not.")
        page.table(HEADER, list(_rows(claims)), "nrrrlll")
        page.note(
            "Ratio: data by reported. >= and <=: the data should give at least, or at most, the reported figure. "
            "Grade: how sure the claim is. Rests on: the least sure of the rows that the data's figure is read from."
        )
    if failing:
        page.heading("What does not hold", "")
    for claim in failing:
        page.note(f"- {claim.claim}: {claim.statement}. The data give {figure(claim.figure)}{_unit(claim)}.")


def _rows(claims: Iterable[Claim]) -> Iterable[Sequence[str]]:
    for claim in claims:
        reported = f"{SIGN[claim.relation]} {figure(claim.reported)}".strip()
        ratio = "-" if claim.ratio is None else figure(claim.ratio, 2)
        yield [claim.claim, reported, figure(claim.figure), ratio, claim.verdict, claim.grade or "-", claim.rests_on]


def _unit(claim: Claim) -> str:
    plain = "" if claim.unit in ("ratio", "share", "-") else f" {claim.unit}"
    return (
        plain
        if claim.ratio is None
        else f"{plain}, {figure(claim.ratio, 2)} times the {figure(claim.reported)} reported"
    )


def figure(value: float, digits: int = 3) -> str:
    """Return a figure with about so many digits that count, whole ones in full."""
    if value == 0:
        return "0"
    places = max(digits - 1 - floor(log10(abs(value))), 0)
    if places > 6:
        return f"{value:.{digits}g}"
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
