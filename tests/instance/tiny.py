"""A tiny instance for the tests of edits, and the questions that they ask of it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable

import pandas as pd
import pytest

from gwplan.catalogue.tables import TABLES
from gwplan.instance.cells import empty
from gwplan.instance.edit import REFERRERS
from gwplan.instance.instance import Instance
from gwplan.language.edits import Factor, Outcome, edit
from gwplan.problems import InstanceError
from tests.instance.typed import to_typed

TEXTS = {
    "instance": "schema,name\n1,tiny",
    "calendar": "start,resolution,periods\n2026-07-01,month,24",
    "economics": "discount_rate\n0.09",
    "risk": "aversion,tail\n,0.1",
    "pools": "pool,terminal_value_bn_per_gw_year\ncampus,1.2\ncloud,",
    "contracts": (
        "contract,pool,end,cost_bn_per_gw_year,delay_months\nown,campus,,0.5,\nrent_a,cloud,2031-01-01,1.2,3\n"
        "rent_b,cloud,2032-01-01,1.3,0\nrent[1],campus,2032-01-01,1,"
    ),
    "deliveries": (
        "contract,date,gw,status\nown,2026-08-31,0.5,reported\nown,2027-08-31,0.5,\nrent_a,2026-07-01,0.25,\n"
        "rent_a,2027-01-31,0.25,\nrent_b,2027-01-31,0.1,\nrent_b,2027-01-31,0.1,"
    ),
    "cancellations": (
        "contract,opens,closes,indivisible\nrent_a,2027-01-01,2027-12-31,true\nrent_b,2027-01-01,2027-06-30,"
    ),
    "pathways": "pathway,ramp_gw_per_month,notice_days\nmsl,0.2,\ndeals,,90\nads,,",
    "eligibility": "pathway,pool,initial_gw\nmsl,campus,0.5\nmsl,cloud,\ndeals,campus,\nads,campus,\nads,cloud,",
    "demand": (
        "pathway,from,target_gw,cap_gw\nmsl,2026-07-01,1,1.5\ndeals,2026-10-01,,1\nmsl,2027-07-01,2,\n"
        "msl,2028-01-01,3,4"
    ),
    "value": (
        "pathway,from,tier,width_gw,value_bn_per_gw_year\nmsl,2026-07-01,1,1,2.5\nmsl,2026-07-01,2,,1\n"
        "deals,2026-10-01,1,0.2,4\ndeals,2026-10-01,2,0.4,3\ndeals,2026-10-01,3,0.6,1\ndeals,2027-04-01,1,0.2,3\n"
        "deals,2027-04-01,2,0.4,2\nmsl,2027-07-01,1,2,2.5"
    ),
    "curves": (
        "pathway,from,kind,base_gw,base_value_bn_per_year,uplift_per_doubling,max_gw,segments\n"
        "ads,2026-07-01,log2,0.5,200,0.04,4,8"
    ),
    "churn": "pathway,date,fraction\ndeals,2027-01-01,0.1\ndeals,2027-07-01,0.2",
    "locks": "pathway,pool,from,min_gw\nmsl,campus,2026-07-01,0.5\nmsl,,2027-01-01,0.6",
    "claims": "claim,statement,quantity,reported,unit\nown_gw,Own capacity,1,1,GW",
}
FACTORS = (
    Factor(
        "market",
        dt.date(2027, 1, 1),
        (
            Outcome("tight", 0.5),
            Outcome("flat", 0.3, (edit("value[pathway=deals].value_bn_per_gw_year *= 0.8 @ 2027-01-01"),)),
            Outcome(
                "glut",
                0.2,
                (
                    edit("insert deliveries[contract=rent_b, date=2027-10-01, gw=0.1]"),
                    edit("deliveries[contract=rent*].date += 3 months @ 2027-01-01"),
                ),
            ),
        ),
    ),
    Factor("slip", dt.date(2027, 1, 1), (Outcome("no", 0.6), Outcome("yes", 0.4))),
)


def made(texts: dict[str, str] | None = None, **changed: str) -> Instance:
    """Return an instance of the texts above, some of them changed; a blank text leaves the table out."""
    present = {name: text for name, text in ((texts or TEXTS) | changed).items() if text}
    tables = {}
    for name, table in TABLES.items():
        rows = list(csv.reader(io.StringIO(present.get(name, ""))))
        if not rows:
            tables[name] = empty(table)
            continue
        index = range(1, 2) if table.section else range(2, len(rows) + 1)
        frame = pd.DataFrame(rows[1:], columns=rows[0], index=index, dtype=object)
        tables[name], problems = to_typed(table, frame)
        assert not problems
    return Instance(tables, frozenset(present), FACTORS)


TINY = made()
GLUT = "uncertainty[factor=market, outcome=glut]"


def rows(instance: Instance, table: str, *columns: str) -> list[tuple[object, ...]]:
    """Return cells as plain values: dates as ISO text, blanks as None (text: "")."""
    frame = instance.filled(table)[list(columns)]
    plain = []
    for cells in frame.itertuples(index=False):
        shown = [str(cell.date()) if isinstance(cell, pd.Timestamp) else cell for cell in cells]
        plain.append(tuple(None if pd.isna(cell) else cell for cell in shown))
    return plain


def problem_of(action: Callable[[], object]) -> str:
    """Return the one problem that an action is refused with."""
    with pytest.raises(InstanceError) as caught:
        action()
    (problem,) = caught.value.problems
    return str(problem)


def dangling(instance: Instance) -> list[tuple[str, str]]:
    """Return the references that lead nowhere."""
    lost = []
    for name, referrers in REFERRERS.items():
        known = set(instance.tables[name][TABLES[name].key[0]]) if referrers else set()
        lost += [(t, c) for t, c in referrers if set(instance.tables[t][c]) - known - {""}]
    return lost
