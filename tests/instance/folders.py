"""A small instance folder that uses every table, and what the tests of reading do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gwplan.instance.instance import Instance
from gwplan.problems import InstanceError
from gwplan.storage.read import load

SMALL: Final[dict[str, str]] = {
    "instance.toml": """\
schema = 1
name = "small"
description = "every table once"

[calendar]
start = 2026-07-01
resolution = "month"
periods = 24

[economics]
discount_rate = 0.09

[risk]
aversion = 0.2
tail = 0.1
""",
    "pools.csv": "pool,terminal_value_bn_per_gw_year,note\ncampus,1.2,\ncloud,1,scattered\n",
    "contracts.csv": (
        "contract,vendor,pool,signed,end,cost_bn_per_gw_year,delay_months\n"
        "own,Meta,campus,,,0.5,\n"
        "rent,Vendor,cloud,2026-03-01,2031-01-01,1.2,1\n"
    ),
    "deliveries.csv": "contract,date,gw\nown,2026-01-01,1\nown,2027-01-01,0.5\nrent,2026-05-01,0.4\n",
    "cancellations.csv": "contract,opens,closes,notice_days,fee_bn_per_gw\nrent,2027-01-01,2027-12-31,180,0.4\n",
    "pathways.csv": (
        "pathway,shortfall_penalty_bn_per_gw_year,notice_days,min_term_days,signing_cost_bn_per_gw\n"
        "msl,1.5,,,\nads,,,,\ndeals,,90,180,0.1\n"
    ),
    "eligibility.csv": (
        "pathway,pool,effectiveness,initial_gw\n"
        "msl,campus,1,0.5\nmsl,cloud,0.75,\nads,campus,,0.2\nads,cloud,,0.1\ndeals,campus,,0.1\n"
    ),
    "demand.csv": "pathway,from,floor_gw,target_gw,cap_gw\nmsl,2026-07-01,0.1,0.5,1\nmsl,2027-01-01,,0.8,1\n",
    "value.csv": (
        "pathway,from,tier,width_gw,value_bn_per_gw_year\n"
        "msl,2026-07-01,1,0.5,2.5\nmsl,2026-07-01,2,,1\ndeals,2026-07-01,1,0.2,4\n"
    ),
    "curves.csv": (
        "pathway,from,kind,base_gw,base_value_bn_per_year,uplift_per_doubling,max_gw,segments\n"
        "ads,2026-07-01,log2,0.5,200,0.04,4,5\n"
    ),
    "churn.csv": "pathway,date,fraction\ndeals,2027-07-01,0.1\n",
    "running.csv": "pathway,kind,until,gw\ndeals,term,2026-10-01,0.05\n",
    "locks.csv": "pathway,pool,from,until,min_gw,max_gw\nads,cloud,2027-01-01,2027-07-01,0.05,0.4\n",
    "claims.csv": "claim,statement,quantity,reported,unit\ntwo,one and one are two,1 + 1,2,-\n",
}

OFFERED: Final = {
    **SMALL,
    "contracts.csv": f"{SMALL['contracts.csv']}more,Vendor,cloud,,2031-01-01,1,\n",
    "deliveries.csv": f"{SMALL['deliveries.csv']}more,2027-03-01,0.2\n",
    "offers.csv": "contract,opens,closes,lead_days,signing_cost_bn_per_gw\nmore,2026-07-01,2026-12-31,90,0.1\n",
    "offer_prices.csv": "contract,from,cost_bn_per_gw_year\nmore,2026-10-01,1.1\n",
    "effectiveness.csv": "pathway,pool,from,effectiveness\nmsl,campus,2027-01-01,0.9\n",
}
"""The small instance with an offer, its prices, and effectiveness by date."""

UNCERTAINTY: Final = """\
[[factor]]
name = "market"
revealed = 2027-01-01

[[factor.outcome]]
name = "tight"
probability = 0.6

[[factor.outcome]]
name = "glut"
probability = 0.4

[[factor.outcome.edit]]
table = "value"
where = { pathway = "deals" }
column = "value_bn_per_gw_year"
scale = 0.5
from = 2027-01-01
"""

WHATIF: Final = """\
description = "rented capacity is late"

[[edit]]
table = "deliveries"
where = { contract = "rent*" }
column = "date"
shift_months = 6
"""

WHOLE: Final = {**SMALL, "uncertainty.toml": UNCERTAINTY, "whatifs/late.toml": WHATIF}
"""The small instance with a factor and a what-if."""


PLAIN: Final[dict[str, str]] = {
    "instance.toml": 'schema = 1\nname = "plain"\n[calendar]\nstart = 2026-01-01\nresolution = "year"\nperiods = 2\n',
    "pools.csv": "pool\ncloud\n",
    "contracts.csv": "contract,vendor,kind,pool,cost_bn_per_gw_year,status\nown,v1,cloud,cloud,4,reported\n",
    "deliveries.csv": "contract,date,gw,status\nown,2026-01-01,1,reported\n",
    "pathways.csv": "pathway,status\nads,reported\n",
    "value.csv": "pathway,from,tier,value_bn_per_gw_year,status\nads,2026-01-01,1,10,reported\n",
}
"""One contract, one pool and one pathway for two years, 1 GW that costs 4 and earns 10 $bn a year: worth 12."""


def plain(folder: Path, periods: str = "year 2", **changed: str | None) -> Instance:
    """Load the plain instance with other tables, in so many periods (``quarter 6``)."""
    resolution, count = periods.split()
    text = PLAIN["instance.toml"].replace('"year"', f'"{resolution}"').replace("periods = 2", f"periods = {count}")
    return load(written(folder, {**PLAIN, "instance.toml": text}, **changed))


def written(folder: Path, files: dict[str, str] = SMALL, **changed: str | None) -> Path:
    """Write files into a folder; ``demand="..."`` replaces ``demand.csv``, None leaves it out."""
    folder.mkdir(exist_ok=True)
    for name, text in {**files, **{f"{table}.csv": text for table, text in changed.items()}}.items():
        if text is not None:
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
    return folder


def errors(folder: Path) -> list[str]:
    """Return what is said when a folder is loaded, one line a problem; nothing where it loads."""
    try:
        load(folder)
    except InstanceError as error:
        return [str(problem) for problem in error.problems]
    return []
