"""Offers, extensions, ways out and contracts sold, worked out by hand: years from 2027 on, without discount."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.oracle.by_hand import factor

HEAD = 'schema = 1\nname = "by hand"\n[calendar]\nstart = 2027-01-01\nresolution = "year"\n'
LATE = 'table = "deliveries"\nwhere = { contract = "own" }\ncolumn = "date"\nshift_months = 12'

_PRICED = 'table = "offer_prices"\ninsert = { contract = "new", from = 2028-01-01, cost_bn_per_gw_year = 4 }'


@dataclass(frozen=True)
class Example:
    """An instance with one pool and one pathway, and its optimum.

    Attributes
    ----------
    years : int
        Periods.
    contracts, deliveries : str
        Rows: ``contract,side,end,cost_bn_per_gw_year,late_credit_bn_per_gw_year`` and
        ``contract,date,after_days,gw,term_months``.
    value : str
        Rows ``from,width_gw,value_bn_per_gw_year``.
    optimum_bn : float
        Its worth.
    offers, prices, cancellations : str
        Rows ``contract,opens,closes,lead_days,signing_cost_bn_per_gw,max_share,least_share,min_share,indivisible,
        extends``; ``contract,from,cost_bn_per_gw_year``; ``contract,window,opens,closes,notice_days,fee_bn_per_gw,
        fee_share_of_rest,max_share``.
    terminal_value : str
        Of the pool, $bn per GW-year; blank: none.
    uncertainty : str
        In TOML.
    signed : dict of str to float
        Share of each offer that is signed in the end, expected.
    filed, delivered : str
        Columns that the rows of contracts, and of deliveries, have besides.
    discount_rate : float
        Per year.
    files : dict of str to str
        Files that stand in place of those above, or beside them.
    """

    years: int
    contracts: str
    deliveries: str
    value: str
    optimum_bn: float
    offers: str = ""
    prices: str = ""
    cancellations: str = ""
    terminal_value: str = ""
    uncertainty: str = ""
    signed: dict[str, float] = field(default_factory=dict)
    filed: str = ""
    delivered: str = ""
    discount_rate: float = 0.0
    files: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the instance and return its folder."""
        value = "".join(f"use,{row.split(',', 1)[0]},1,{row.split(',', 1)[1]}\n" for row in self.value.split())
        texts = {
            "instance.toml": f"{HEAD}periods = {self.years}\n[economics]\ndiscount_rate = {self.discount_rate}\n",
            "pools.csv": f"pool,terminal_value_bn_per_gw_year\ncloud,{self.terminal_value}\n",
            "contracts.csv": f"contract,side,end,cost_bn_per_gw_year,late_credit_bn_per_gw_year{self.filed},pool\n"
            + "".join(f"{row},cloud\n" for row in self.contracts.split()),
            "deliveries.csv": table(f"contract,date,after_days,gw,term_months{self.delivered}", self.deliveries),
            "pathways.csv": "pathway\nuse\n",
            "value.csv": f"pathway,from,tier,width_gw,value_bn_per_gw_year\n{value}",
            "offers.csv": table(
                "contract,opens,closes,lead_days,signing_cost_bn_per_gw,max_share,least_share,min_share,indivisible,extends",
                self.offers,
            ),
            "offer_prices.csv": table("contract,from,cost_bn_per_gw_year", self.prices),
            "cancellations.csv": table(
                "contract,window,opens,closes,notice_days,fee_bn_per_gw,fee_share_of_rest,max_share", self.cancellations
            ),
            "uncertainty.toml": self.uncertainty,
            **self.files,
        }
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            if text:
                (folder / name).write_text(text)
        return folder


def table(header: str, rows: str) -> str:
    """Return a CSV table of rows parted by blanks, nothing where there are none."""
    return "\n".join([header, *rows.split(), ""]) if rows else ""


_MORE = factor(
    "2028-01-01",
    ("same", 0.5, ""),
    ("more", 0.5, 'table = "value"\ncolumn = "width_gw"\nset = 2\nfrom = 2028-01-01'),
)
_WAITS = Example(
    2,
    "own,buy,,0, new,buy,2029-01-01,2,",
    "own,2027-01-01,,1, new,2028-01-01,,1,",
    "2027-01-01,1,3",
    6.0,
    "new,2027-01-01,2027-01-01,,,,,,,",
    uncertainty=_MORE,
    signed={"new": 0.0},
)
_EXTENDED = Example(
    2,
    "old,buy,2028-01-01,1, more,buy,2029-01-01,1.5,",
    "old,2027-01-01,,1,",
    "2027-01-01,,2",
    1.5,
    "more,2027-01-01,2027-12-31,,,,,,,old",
    signed={"more": 1.0},
)
_IDLE = Example(
    4,
    "old,buy,2031-01-01,1,",
    "old,2027-01-01,,1,",
    "2027-01-01,,0",
    -3.2,
    cancellations="old,,2028-01-01,2030-12-31,365,,0.6,",
)
_TEN_YEARS = Example(
    1,
    "new,buy,2037-01-01,2,",
    "new,2027-01-01,,1,",
    "2027-01-01,,3",
    0.0,
    "new,2027-01-01,2027-12-31,,,,,,,",
    terminal_value="1",
    signed={"new": 0.0},
)
_LATER = Example(
    3,
    "new,buy,,9,",
    "new,,365,1,24",
    "2027-01-01,,3",
    2.0,
    "new,2027-01-01,2028-12-31,,,,,,,",
    "new,2027-01-01,2 new,2028-01-01,1.4",
    terminal_value="0",
    signed={"new": 1.0},
)
_CUSTOMER = Example(
    3,
    "own,buy,,0, deal,sell,2030-01-01,3,",
    "own,2027-01-01,,1, deal,2028-01-01,,1,",
    "2027-01-01,,1",
    7.0,
    "deal,2027-01-01,2027-12-31,,,,,,,",
    signed={"deal": 1.0},
)
_LATE = replace(
    _CUSTOMER,
    contracts="own,buy,,0, deal,sell,2030-01-01,3,4",
    deliveries="own,2028-01-01,,1, deal,2028-01-01,,1,",
    optimum_bn=4.0,
    uncertainty=factor("2028-01-01", ("on time", 0.5, ""), ("late", 0.5, LATE)),
)
_RISING = Example(
    3,
    "own,buy,2030-01-01,1,,0.1,0.2,24",
    "own,2027-01-01,,1,",
    "2027-01-01,,0",
    -(1 + 1.1 + 1.21),
    filed=",price_growth_per_year,prepaid_share,credit_after_months",
)
_ON_TIME = Example(4, "own,buy,,1,0.4,", "own,2027-01-01,,1,24", "2027-01-01,,3", 4.0, filed=",delay_months")
_UPFRONT = Example(
    3,
    "new,buy,2030-01-01,0.5,",
    "new,2027-01-01,,1,,2",
    "2027-01-01,,1.5",
    1.0,
    "new,2027-01-01,2027-12-31,,,,,,,",
    signed={"new": 1.0},
    delivered=",upfront_bn_per_gw",
)
_SOLD_AHEAD = Example(
    3,
    "own,buy,,0,,,,,, deal,sell,2031-01-01,1,,0.1,2026-01-01,0.2,365,12",
    "own,2027-01-01,,1, deal,2028-01-01,,1,",
    "2027-01-01,,0.5",
    0.5 + 0.2 * (1.21 + 1.331 + 1.4641) + 1.21 + 1.331 - 0.2 * (1.21 + 1.331 + 1.4641) + 1.4641 - 1,
    "deal,2027-01-01,2027-12-31,,,,,,,",
    terminal_value="1",
    signed={"deal": 1.0},
    filed=",price_growth_per_year,price_from,prepaid_share,prepaid_days,credit_after_months",
)


def _weak_and_glut(weak: float, strong: float) -> str:
    """Return weak or strong demand, and a glut with a probability after each."""
    edit = 'table = "value"\nwhere = {{ pathway = "{}" }}\ncolumn = "value_bn_per_gw_year"\nset = 1'
    outcomes = (("weak", 0.5, edit.format("own")), ("strong", 0.5, ""))
    text = factor("2027-01-01", *outcomes).replace('"f"', '"demand"')
    text += '[[factor]]\nname = "market"\nrevealed = 2027-01-01\n'
    for outcome, chances in (("glut", (weak, strong)), ("none", (1 - weak, 1 - strong))):
        text += f'[[factor.outcome]]\nname = "{outcome}"\nprobability = 0.5\n'
        for given, chance in zip(("weak", "strong"), chances, strict=True):
            row = f'given = {{ demand = "{given}" }}\nprobability = {chance:g}\n'
            text += f"[[factor.outcome.probability_given]]\n{row}"
        text += f"[[factor.outcome.edit]]\n{edit.format('deals')}\n" if outcome == "glut" else ""
    return text


_TOGETHER = Example(
    1,
    "cloud,buy,,0,",
    "cloud,2027-01-01,,2,",
    "",
    3.25,
    uncertainty=_weak_and_glut(0.8, 0.2),
    files={
        "instance.toml": f"{HEAD}periods = 1\n[risk]\naversion = 0.5\ntail = 0.4\n",
        "pathways.csv": "pathway\nown\ndeals\n",
        "value.csv": "pathway,from,tier,width_gw,value_bn_per_gw_year\nown,2027-01-01,1,1,3\ndeals,2027-01-01,1,1,4\n",
    },
)

_AGEING = Example(
    2,
    "",
    "old,2027-01-01,,1, new,2028-01-01,,1,",
    "2027-01-01,1,4",
    7.1,
    "new,2027-01-01,2028-01-01,,,,,,,",
    signed={"new": 0.5},
    files={
        "pools.csv": "pool\ncloud\nnew\n",
        "contracts.csv": "contract,pool,end,cost_bn_per_gw_year\nold,cloud,,0\nnew,new,2029-01-01,1.8\n",
        "effectiveness.csv": "pathway,pool,from,effectiveness\nuse,cloud,2028-01-01,0.5\n",
    },
)

EXAMPLES: dict[str, Example] = {
    # 1 GW earns 3 a year; a second one in 2028 with probability 1/2: 3 - 2 or -2, so that it does not pay unseen.
    "waits": _WAITS,
    "signs when it knows": replace(
        _WAITS, offers="new,2027-01-01,2028-01-01,,,,,,,", optimum_bn=6.5, signed={"new": 0.5}
    ),
    "signs with a way out": replace(
        _WAITS,
        cancellations="new,,2028-01-01,2028-01-01,,0.3,,",
        optimum_bn=6.35,
        signed={"new": 1.0},
    ),
    "must sign": replace(_WAITS, offers="new,2027-01-01,2027-01-01,,,,1,,,", optimum_bn=5.5, signed={"new": 1.0}),
    # What is not yet in service saves nothing: a way out in 2027 is one from 2028 on.
    "leaves before it is there": replace(
        _WAITS,
        offers="new,2027-01-01,2027-01-01,365,,,1,,,",
        cancellations="new,,2027-01-01,2027-01-01,,0.3,,",
        optimum_bn=6.0 - 0.3,
        signed={"new": 1.0},
    ),
    # 2 - 1, then 2 - 1.5.
    "extends": _EXTENDED,
    # Worth 0.5 then 3: whoever gives the contract back cannot extend it, -0.5 + 1.5.
    "extends what it keeps": replace(
        _EXTENDED,
        value="2027-01-01,,0.5 2028-01-01,,3",
        cancellations="old,,2027-01-01,2027-12-31,,,,",
        optimum_bn=1.0,
    ),
    # Notice in 2028 ends it in 2029: 2 paid, 60 % of the other 2.
    "fee of the rest": _IDLE,
    "two ways out": replace(
        _IDLE, cancellations=f"{_IDLE.cancellations} old,half,2027-01-01,2027-12-31,,,,0.5", optimum_bn=-1.6
    ),
    # One year at 3 - 2, nine at 1 - 2 or at 1.95 - 2.
    "ten years": _TEN_YEARS,
    "ten years worth their price": replace(_TEN_YEARS, terminal_value="1.95", optimum_bn=0.55, signed={"new": 1.0}),
    # Two years from a year after the signature: 2 * (3 - 2) within the plan; signed in 2028 3 - 1.4 and -1.4 after it.
    "from the signature": _LATER,
    "from a later signature": replace(_LATER, prices="new,2027-01-01,2.9 new,2028-01-01,0.4", optimum_bn=2.2),
    # A price told in 2028, of what is signed in 2029 and would have been there all along: 3 - 2, or 3 - 4 if it rises.
    "priced before it can be signed": Example(
        3,
        "new,buy,2030-01-01,2,",
        "new,2027-01-01,,1,",
        "2027-01-01,,3",
        0.5,
        "new,2028-06-01,2029-01-01,,,,,,,",
        uncertainty=factor("2028-01-01", ("same", 0.5, ""), ("dearer", 0.5, _PRICED)),
        signed={"new": 0.5},
    ),
    # Worth 2.2, then 3. Signed at once at 2: 0.2 + 1; a year later at 2, or at 1: 1.5.
    "priced while it can be signed": Example(
        2,
        "new,buy,2029-01-01,2,",
        "new,2027-01-01,,1,",
        "2027-01-01,,2.2 2028-01-01,,3",
        1.5,
        "new,2027-01-01,2028-01-01,,,,,,,",
        uncertainty=factor("2028-01-01", ("same", 0.5, ""), ("cheaper", 0.5, _PRICED.replace("4", "1"))),
        signed={"new": 1.0},
    ),
    # A share of 0.4 is the largest: nothing, or it, for a cost of signing of 0.5 a GW.
    "a share": replace(
        _CUSTOMER,
        offers="deal,2027-01-01,2027-12-31,,0.5,0.4,,0.3,,",
        optimum_bn=1 + 2 * (0.6 + 1.2) - 0.2,
        signed={"deal": 0.4},
    ),
    "no share so large": replace(
        _CUSTOMER,
        contracts="own,buy,,0, deal,sell,2030-01-01,1.2,",
        deliveries="own,2027-01-01,,0.5, deal,2028-01-01,,1,",
        offers="deal,2027-01-01,2027-12-31,,,,,0.6,,",
        optimum_bn=1.5,
        signed={"deal": 0.0},
    ),
    # Own use earns 1, the customer pays 3 in two of three years, or 0.9.
    "customer": _CUSTOMER,
    "customer who pays less": replace(
        _CUSTOMER, contracts="own,buy,,0, deal,sell,2030-01-01,0.9,", optimum_bn=3.0, signed={"deal": 0.0}
    ),
    # The GW comes a year late with probability 1/2: 6 or 6 - 4.
    "customer who waits": _LATE,
    "customer who must not wait": replace(_LATE, contracts="own,buy,,0, deal,sell,2030-01-01,3,6", optimum_bn=3.0),
    "customer who decides late": replace(
        _LATE,
        contracts="own,buy,,0, deal,sell,2030-01-01,3,6",
        offers="deal,2027-01-01,2028-01-01,,,,,,,",
        optimum_bn=3.5,
        signed={"deal": 0.5},
    ),
    # A sold GW forgoes what capacity is worth after the plan: in the year beyond, 2 are received and 3 forgone.
    "sold beyond the plan": replace(
        _CUSTOMER,
        years=2,
        contracts="own,buy,2029-01-01,0, deal,sell,2030-01-01,2,",
        value="2027-01-01,,1.5",
        optimum_bn=3.0,
        terminal_value="3",
        signed={"deal": 0.0},
    ),
    # A run of two years, worth 5, takes the years in which own use earns least: 6 + 1 + 1 + 6 + 5.
    "a run of training": Example(
        4,
        "own,buy,,0, run,sell,,2.5,",
        "own,2027-01-01,,2, run,,0,1,24",
        "2027-01-01,,3 2028-01-01,,1 2030-01-01,,3",
        19.0,
        "run,2027-01-01,2028-12-31,,,,,,true,",
        terminal_value="0",
        signed={"run": 1.0},
    ),
    # 4, then 2 of old GW and 0.5 new ones at 4 - 1.8: the width is 1.
    "hardware that ages": _AGEING,
    # Own use and deals of 1 GW each, 7, 4, 5 or 2 in all: 0.4 * 7 + 0.1 * 4 + 0.1 * 5 + 0.4 * 2 = 4.5, and 2 in the
    # worst 0.4 of the futures, half and half. Independent it is 4.5 and (0.25 * 2 + 0.15 * 4) / 0.4.
    "chances that hang together": _TOGETHER,
    "independent chances": replace(_TOGETHER, uncertainty=_weak_and_glut(0.5, 0.5), optimum_bn=3.625),
    # 1 GW until the end of 2028, of which 1 more arrives in 2028, after the plan: worth 1 - 0.5 each, 1 in the plan.
    "a tranche after the plan": Example(
        1,
        "old,buy,2029-01-01,0.5,",
        "old,2027-01-01,,1, old,2028-01-01,,1,",
        "2027-01-01,,1",
        1.5,
        cancellations="old,,2027-01-01,2027-12-31,,,,",
        terminal_value="1",
    ),
    # 1, 1.1 and 1.21 are billed; a fifth of that is paid ahead and set off in the third year.
    "a price that rises and is prepaid": _RISING,
    # Discounted to the middle of each year the prepayment costs more than what it saves two years later.
    "a prepayment has its price": replace(
        _RISING,
        discount_rate=0.09,
        optimum_bn=-sum(bn / 1.09 ** (year + 0.5) for year, bn in enumerate((1 + 0.2 * 3.31, 1.1, 1.21 - 0.2 * 3.31))),
    ),
    # A way out at the end of the first year, free: what was prepaid is lost, 1 + 0.662.
    "a prepayment is lost": replace(_RISING, cancellations="own,,2028-01-01,2028-01-01,,,,", optimum_bn=-1 - 0.662),
    # A customer from 2028 to 2030 at a price that rises from 2026 on: a fifth of it comes in 2027, of which all is set
    # off in 2029; after the plan 1.4641 are received and capacity worth 1 is forgone.
    "a customer who prepays": _SOLD_AHEAD,
    # Two years of 3 - 1; a year late the term moves, and 0.4 is received; with a fixed end a year is lost.
    "on time": _ON_TIME,
    "a year late": replace(_ON_TIME, contracts="own,buy,,1,0.4,12", optimum_bn=4.4),
    "a year late to a fixed end": replace(_ON_TIME, contracts="own,buy,2029-01-01,1,0.4,12", optimum_bn=2.4),
    # Three years of 1.5 - 0.5 for 2 upfront, or for 4.
    "upfront": _UPFRONT,
    "too much upfront": replace(_UPFRONT, deliveries="new,2027-01-01,,1,,4", optimum_bn=0.0, signed={"new": 0.0}),
    # In force for two years of five and paid a fifth ahead, of which 0.1 is left at the start: 1 - 0.1 + 1 + 1.
    "a credit from before": Example(
        3,
        "own,buy,2030-01-01,1,,0.2",
        "own,2025-01-01,,1,,0.1",
        "2027-01-01,,0",
        -2.9,
        filed=",prepaid_share",
        delivered=",credit_bn",
    ),
    # The same without a word on what is left: 1 was paid ahead, which covered the first year, before the start.
    "a credit used up before": Example(
        3, "own,buy,2030-01-01,1,,0.2", "own,2025-01-01,,1,", "2027-01-01,,0", -3.0, filed=",prepaid_share"
    ),
}
"""Every example, by what it shows."""
