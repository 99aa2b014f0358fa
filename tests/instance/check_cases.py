"""Instances that break a rule between cells, and instances that just do not: case by case."""
# ruff: noqa: E501

from __future__ import annotations

from typing import Final

from tests.instance.folders import OFFERED, SMALL

CALENDAR = SMALL["instance.toml"]
PATHWAYS = "pathway,notice_days,min_term_days,breach_cost_bn_per_gw,churn_per_year,signing_cost_bn_per_gw\nmsl,,,,,\nads,,,,,\n"
PAIRS = SMALL["eligibility.csv"].replace("deals,campus,,0.1\n", "")

OFFER: Final[dict[str, str | None]] = {
    table: OFFERED[f"{table}.csv"] for table in ("contracts", "deliveries", "offers", "offer_prices")
}
SALE: Final = f"{OFFERED['contracts.csv'].split(chr(10), 1)[0]},side,late_credit_bn_per_gw_year\n"
FILED: Final = f"{OFFERED['contracts.csv'].split(chr(10), 1)[0]},price_growth_per_year,prepaid_share\n"

CHANCES: Final = """
[[factor]]
name = "demand"
revealed = 2027-01-01
outcome = [{ name = "weak", probability = 0.5 }, { name = "strong", probability = 0.5 }]
[[factor]]
name = "market"
revealed = 2027-01-01
[[factor.outcome]]
name = "glut"
probability = 0.2
probability_given = [{ given = { demand = "weak" }, probability = 0.8 }]
[[factor.outcome]]
name = "none"
probability = 0.8
probability_given = [{ given = { demand = "weak" }, probability = 0.2 }]
"""

ERRORS: Final[list[tuple[str, dict[str, str | None], list[str]]]] = [
    (
        "a start within a month",
        {"instance.toml": CALENDAR.replace("2026-07-01", "2026-07-15")},
        [
            "instance.toml [calendar] start: 2026-07-15; must be the first day of a month; "
            "write 2026-07-01, or the first of the next month"
        ],
    ),
    (
        "a horizon beyond the calendar",
        {"instance.toml": CALENDAR.replace("2026-07-01", "9999-07-01")},
        [
            "instance.toml [calendar] periods: 24 periods from 9999-07-01; the last period must end by 9999-12-31; "
            "correct the start or the number of periods"
        ],
    ),
    (
        "a window that closes before it opens",
        {"cancellations": "contract,opens,closes\nrent,2027-02-01,2027-01-31\n"},
        [
            "cancellations.csv row 2, closes: 2027-01-31; the window opens on 2027-02-01, after it closes; "
            "correct one of the two dates"
        ],
    ),
    (
        "probabilities that do not sum to 1 after an earlier outcome",
        {"uncertainty.toml": CHANCES.replace("0.8 }", "0.7 }")},
        [
            "uncertainty.toml factor market: given demand=weak probabilities glut 0.7 + none 0.2 = 0.9; for each combination "
            "of earlier outcomes a factor's probabilities sum to 1; correct the probabilities, or write a row for every outcome"
        ],
    ),
    ("probabilities that hang together", {"uncertainty.toml": CHANCES}, []),
    (
        "effectiveness of a pair that may not be used",
        {
            "eligibility": "pathway,pool\nmsl,campus\nads,cloud\n",
            "effectiveness": "pathway,pool,from,effectiveness\nmsl,cloud,2027-01-01,0.5\nads,cloud,2027-01-01,0.5\n",
        },
        [
            "effectiveness.csv row 2, pool: 'cloud'; eligibility.csv does not let 'msl' use it; "
            "add the pair there, or delete the row"
        ],
    ),
    ("a window of one day", {"cancellations": "contract,opens,closes\nrent,2027-02-01,2027-02-01\n"}, []),
    (
        "claims that cannot be read",
        {
            "claims": "claim,statement,quantity,reported,unit\n"
            "half,x,1 +,1,-\ntable,x,sum(delivery.gw),1,-\nfigure,x,plan.npv,1,-\nfine,x,1 / (2 - 1),1,-\n"
        },
        [
            "claims.csv row 2, quantity: claim half: the end at character 4; expected a number, '(', a table, sum, count or plan; "
            "write numbers, + - * /, parentheses, TABLE[column=value, ...].column, sum(TABLE[...].column), count(TABLE[...]) "
            "or plan.FIGURE",
            "claims.csv row 3, quantity: claim table: 'delivery' at character 5; there is no such table; did you mean 'deliveries'?",
            "claims.csv row 4, quantity: claim figure: 'npv' at character 6; the plan has no such figure; did you mean 'npv_bn'?",
        ],
    ),
    (
        "rising tiers, not in the order of the rows",
        {
            "value": "pathway,from,tier,width_gw,value_bn_per_gw_year\n"
            "msl,2027-07-01,3,,2.5\nmsl,2026-07-01,1,1,1\nmsl,2027-07-01,2,1,2\nmsl,2027-07-01,1,1,2\n"
        },
        [
            "value.csv row 2, value_bn_per_gw_year: 2.5 in tier 3; more than the 2 of tier 2 in row 4; "
            "tiers must not rise in value: order them from the best to the least"
        ],
    ),
    (
        "tiers of other dates and pathways",
        {
            "value": "pathway,from,tier,width_gw,value_bn_per_gw_year\n"
            "msl,2026-07-01,1,1,1\nmsl,2027-07-01,2,1,2\nads,2026-07-01,2,1,3\nads,2026-07-01,1,1,3\n"
        },
        [],
    ),
    (
        "a floor above its cap times the best effectiveness",
        {
            "demand": "pathway,from,floor_gw,cap_gw\nmsl,2026-07-01,0.9,1\nads,2026-07-01,1,1\n",
            "eligibility": "pathway,pool,effectiveness\nmsl,campus,0.8\nmsl,cloud,0.75\nads,cloud,\n",
            "locks": None,
        },
        [
            "demand.csv row 2, floor_gw: 0.9; above the 0.8 effective GW that cap_gw 1 gives at effectiveness 0.8; "
            "lower the floor or raise the cap"
        ],
    ),
    (
        "a floor that just fits, and floors without a cap",
        {
            "demand": "pathway,from,floor_gw,cap_gw\nmsl,2026-07-01,0.3,0.1\nads,2026-07-01,9,\n",
            "eligibility": "pathway,pool,effectiveness\nmsl,campus,3\nads,cloud,0.1\n",
        },
        [],
    ),
    (
        "a floor of a pathway that may use no pool",
        {"eligibility": "pathway,pool\nads,cloud\n"},
        [
            "demand.csv row 2, floor_gw: 0.1; pathway 'msl' may use no pool, so that no floor can be met; "
            "add a row for it to eligibility.csv"
        ],
    ),
    ("floors without a table of pairs", {"eligibility": None, "locks": None}, []),
    (
        "yearly churn on a pathway without deals",
        {"pathways": PATHWAYS + "deals,,,,0.1,\n", "churn": None},
        [
            "pathways.csv row 4, churn_per_year: 0.1; pathway 'deals' is no deal pathway: it has neither notice_days "
            "nor min_term_days; give the pathway a notice or a term, or clear its churn"
        ],
    ),
    (
        "a one-off loss on a pathway without deals",
        {"pathways": PATHWAYS + "deals,0,,,,\n"},
        [
            "churn.csv row 2, fraction: 0.1; pathway 'deals' is no deal pathway: it has neither notice_days "
            "nor min_term_days; give the pathway a notice or a term in pathways.csv, or delete the row"
        ],
    ),
    ("churn on a pathway with a term alone", {"pathways": PATHWAYS + "deals,,30,,0.1,\n"}, []),
    ("churn of nothing", {"pathways": PATHWAYS + "deals,,,,0,\n", "churn": "pathway,date,fraction\ndeals,2027-07-01,0\n"}, []),
    (
        "initial deals above the supply of their pools",
        {"eligibility": PAIRS + "deals,cloud,,0.5\ndeals,campus,,1\n"},
        [
            "eligibility.csv row 6, initial_gw: 1.5 GW of deals of 'deals' that need notice (also row 7); "
            "its pools deliver 1.4 GW at the start; "
            "lower initial_gw, correct the deliveries, or give the pathway a breach cost"
        ],
    ),
    ("initial deals that just fit", {"eligibility": PAIRS + "deals,cloud,,0.4\ndeals,campus,,1\n"}, []),
    (
        "initial deals that churn to what is there",
        {
            "eligibility": PAIRS + "deals,cloud,,0.8\n",
            "churn": "pathway,date,fraction\ndeals,2026-07-01,0.4\ndeals,2026-06-30,0.2\n",
        },
        [],
    ),
    ("initial deals with a breach cost", {"eligibility": PAIRS + "deals,cloud,,2\n", "pathways": PATHWAYS + "deals,90,,1,,\n"}, []),
    ("initial deals without notice", {"eligibility": PAIRS + "deals,cloud,,2\n", "pathways": PATHWAYS + "deals,,90,,,\n"}, []),
    (
        "initial deals of two pathways above all supply",
        {
            "pathways": PATHWAYS.replace("ads,,", "ads,30,") + "deals,90,,,,\n",
            "eligibility": PAIRS.replace("ads,campus,,0.2", "ads,campus,,1") + "deals,campus,,0.5\n",
        },
        [
            "eligibility.csv row 4, initial_gw: 1.6 GW of deals of all pathways that need notice (also rows 5, 6); "
            "all pools deliver 1.4 GW at the start; "
            "lower initial_gw, correct the deliveries, or give the pathway a breach cost"
        ],
    ),
    (
        "initial deals on deliveries that come late",
        {
            "contracts": SMALL["contracts.csv"].replace("1.2,1", "1.2,3"),
            "eligibility": PAIRS + "deals,cloud,,0.1\n",
        },
        [
            "eligibility.csv row 6, initial_gw: 0.1 GW of deals of 'deals' that need notice; "
            "its pools deliver 0 GW at the start; "
            "lower initial_gw, correct the deliveries, or give the pathway a breach cost"
        ],
    ),
    (
        "terms that run on without deals, and notice for less than nothing",
        {"running": "pathway,kind,until,gw\nads,term,2027-01-01,0.2\ndeals,notice,2027-01-01,-0.1\n"},
        [
            "running.csv row 2, gw: 0.2; pathway 'ads' is no deal pathway: it has neither notice_days nor min_term_days; "
            "give the pathway a notice or a term in pathways.csv, or delete the row",
            "running.csv row 3, gw: -0.1; notice is given for 0 GW or more; correct it",
        ],
    ),
    (
        "a lock with its least above its most",
        {"locks": "pathway,pool,from,min_gw,max_gw\nads,,2027-01-01,0.3,0.2\n"},
        ["locks.csv row 2, min_gw: 0.3; above max_gw 0.2; correct one of the two"],
    ),
    (
        "a lock that ends as it begins",
        {"locks": "pathway,pool,from,until\nads,,2027-01-01,2027-01-01\n"},
        ["locks.csv row 2, until: 2027-01-01; must be after the lock's from, 2027-01-01; correct one of the two dates"],
    ),
    (
        "a lock on a pair that may not be used",
        {"locks": "pathway,pool,from\ndeals,cloud,2027-01-01\ndeals,,2027-01-01\n"},
        [
            "locks.csv row 2, pool: 'cloud'; eligibility.csv does not let 'deals' use it; "
            "add the pair to eligibility.csv, or delete the lock"
        ],
    ),
    (
        "a name unknown in several rows",
        {"deliveries": SMALL["deliveries.csv"] + "".join(f"onw,2027-0{m}-01,1\n" for m in range(1, 9))},
        [
            "deliveries.csv row 5, contract: 'onw' (also rows 6, 7, 8, 9, 10, 2 more); contracts.csv has no such contract; "
            "did you mean 'own'?"
        ],
    ),
    (
        "keys that occur three times",
        {"pools": SMALL["pools.csv"] + "campus,1,\ncampus,2,\n"},
        [
            "pools.csv row 4, pool: pool campus again; row 2 has the same pool; delete or correct one of the two rows",
            "pools.csv row 5, pool: pool campus again; row 2 has the same pool; delete or correct one of the two rows",
        ],
    ),
    ("locks on the pathway and on each of its pools", {"locks": "pathway,pool,from\nads,,2027-01-01\nads,cloud,2027-01-01\n"}, []),
    (
        "deliveries without a time, with two, and from the signature of a firm contract",
        {**OFFER, "deliveries": "contract,date,after_days,gw\nown,2026-01-01,,1\nrent,,,1\nmore,2027-01-01,30,1\nown,,30,1\n"},
        [
            "deliveries.csv row 3, date: blank; a delivery has a date, or after_days; give it one",
            "deliveries.csv row 4, after_days: 30 beside a date; a delivery has one of them; clear one of the two",
            "deliveries.csv row 5, after_days: 30; 'own' is no offer: it has no signature; give it a date, or add it to offers.csv",
        ],
    ),
    (
        "an offer that closed before the start",
        {**OFFER, "offers": "contract,opens,closes\nmore,2026-01-01,2026-06-30\n"},
        [
            "offers.csv row 2, closes: 2026-06-30; the plan starts on 2026-07-01: it can no longer be signed; "
            "delete the offer, or where it was signed its row here alone, so that it is a firm contract"
        ],
    ),
    (
        "an offer that closes before it opens",
        {**OFFER, "offers": "contract,opens,closes\nmore,2027-01-01,2026-12-31\n"},
        ["offers.csv row 2, closes: 2026-12-31; the offer opens on 2027-01-01, after it closes; correct one of the two dates"],
    ),
    ("an offer of the first day alone", {**OFFER, "offers": "contract,opens,closes\nmore,2026-01-01,2026-07-01\n"}, []),
    (
        "shares that do not go together",
        {**OFFER, "offers": "contract,opens,closes,max_share,least_share,min_share,indivisible\nmore,2026-07-01,2026-12-31,0.5,0.6,0.7,true\n"},
        [
            "offers.csv row 2, least_share: 0.6; above max_share 0.5; lower it, or raise max_share",
            "offers.csv row 2, min_share: 0.7; above max_share 0.5; lower it, or raise max_share",
            "offers.csv row 2, max_share: 0.5; it is indivisible: signed whole or not at all; clear one of the two",
        ],
    ),
    (
        "an offer without an end",
        {**OFFER, "contracts": OFFERED["contracts.csv"].replace("more,Vendor,cloud,,2031-01-01", "more,Vendor,cloud,,")},
        [
            "offers.csv row 2, contract: 'more' has no end; "
            "an offer has an end in contracts.csv, or a term_months on each of its deliveries; give it one"
        ],
    ),
    (
        "an offer that outlives the plan where that is worth nothing that is said",
        {**OFFER, "pools": "pool,terminal_value_bn_per_gw_year\ncampus,1.2\ncloud,\n", "cancellations": None},
        [
            "offers.csv row 2, contract: 'more' runs beyond the plan's end, 2028-07-01; pool 'cloud' has no terminal value: "
            "it would be judged by its first years alone; "
            "give the pool a terminal_value_bn_per_gw_year, or the offer an end within the plan"
        ],
    ),
    (
        "an offer whose term is over within the plan, however late it is signed",
        {
            **OFFER,
            "pools": "pool,terminal_value_bn_per_gw_year\ncampus,1.2\ncloud,\n",
            "cancellations": None,
            "contracts": OFFERED["contracts.csv"].replace("more,Vendor,cloud,,2031-01-01", "more,Vendor,cloud,,"),
            "deliveries": "contract,date,after_days,gw,term_months\nown,2026-01-01,,1,\nrent,2026-05-01,,0.4,\nmore,,0,0.2,16\n",
        },
        [],
    ),
    (
        "an offer whose term would be over within the plan if it were signed earlier",
        {
            **OFFER,
            "pools": "pool,terminal_value_bn_per_gw_year\ncampus,1.2\ncloud,\n",
            "cancellations": None,
            "contracts": OFFERED["contracts.csv"].replace("more,Vendor,cloud,,2031-01-01", "more,Vendor,cloud,,"),
            "deliveries": "contract,date,after_days,gw,term_months\nown,2026-01-01,,1,\nrent,2026-05-01,,0.4,\nmore,,0,0.2,17\n",
        },
        [
            "offers.csv row 2, contract: 'more' runs beyond the plan's end, 2028-07-01; pool 'cloud' has no terminal value: "
            "it would be judged by its first years alone; "
            "give the pool a terminal_value_bn_per_gw_year, or the offer an end within the plan"
        ],
    ),
    (
        "a way out of an offer at prices by date, and of one that counts from its signature",
        {
            **OFFER,
            "contracts": OFFERED["contracts.csv"] + "next,Vendor,cloud,,2031-01-01,1,\n",
            "deliveries": "contract,date,after_days,gw\nown,2026-01-01,,1\nrent,2026-05-01,,0.4\nmore,2027-03-01,,0.2\nnext,,30,0.1\n",
            "offers": OFFERED["offers.csv"] + "next,2026-07-01,2026-12-31,,\n",
            "cancellations": "contract,opens,closes\nmore,2027-06-01,2027-12-31\nnext,2027-06-01,2027-12-31\n",
        },
        [
            "cancellations.csv row 2, contract: 'more', whose price depends; "
            "on the date of signature: what a share given back saves would not be known; "
            "delete the way out, or enter an offer for each date, with dates and a price of its own",
            "cancellations.csv row 3, contract: 'next', whose deliveries depend; "
            "on the date of signature: what a share given back saves would not be known; "
            "delete the way out, or enter an offer for each date, with dates and a price of its own",
        ],
    ),
    (
        "an extension of what has no end, of another pool, with deliveries of its own",
        {**OFFER, "offers": "contract,opens,closes,extends\nmore,2026-07-01,2026-12-31,own\n"},
        [
            "offers.csv row 2, extends: 'own' has no end to go on from; "
            "an extension goes on with a dated contract of its pool and side from its end; correct it, or one of the two contracts",
            "offers.csv row 2, extends: 'own' is in another pool; "
            "an extension goes on with a dated contract of its pool and side from its end; correct it, or one of the two contracts",
            "deliveries.csv row 5, contract: 'more' has deliveries of its own; "
            "it extends 'own' and goes on with what that delivers last; delete them, or clear extends",
        ],
    ),
    (
        "prices by date of signature of a firm contract",
        {**OFFER, "offer_prices": "contract,from,cost_bn_per_gw_year\nrent,2026-10-01,1.1\n"},
        ["offer_prices.csv row 2, contract: 'rent' is no offer; it has no date of signature; add it to offers.csv"],
    ),
    (
        "a share of bills without an end",
        {"cancellations": "contract,opens,closes,fee_share_of_rest\nown,2027-01-01,2027-12-31,0.5\n"},
        ["cancellations.csv row 2, fee_share_of_rest: 0.5; 'own' has no end, so that its bills have none; give it an end"],
    ),
    (
        "a credit for what a vendor delivers late",
        {"contracts": SALE + "own,Meta,campus,,,0.5,,,2\nrent,Vendor,cloud,,2031-01-01,1.2,1,,\n"},
        [],
    ),
    (
        "a price that rises for ever",
        {"contracts": FILED + "own,Meta,campus,,,0.5,,0.03,\nrent,Vendor,cloud,,9999-12-31,1.2,1,0.03,\n"},
        [
            "contracts.csv row 3, price_growth_per_year: 0.03 for 'rent', which runs for more than a century; "
            "a price rises for 100 years at most; correct its dates, or clear it"
        ],
    ),
    (
        "a prepayment of bills without an end",
        {"contracts": FILED + "own,Meta,campus,,,0.5,,,0.2\nrent,Vendor,cloud,,2031-01-01,1.2,1,,0.2\n"},
        [
            "contracts.csv row 2, prepaid_share: 0.2; 'own' has no end, so that its bills have none; "
            "give it an end, or each of its deliveries a term_months"
        ],
    ),
    (
        "an offer with a way out that is paid by its signature",
        {
            **OFFER,
            "contracts": FILED + "own,Meta,campus,,,0.5,,,\nrent,Vendor,cloud,,2031-01-01,1.2,1,,\n"
            "more,Vendor,cloud,,2031-01-01,1,,0.03,0.1\n",
            "deliveries": "contract,date,gw,upfront_bn_per_gw,credit_bn\nown,2026-01-01,1,,\nown,2027-01-01,0.5,,\n"
            "rent,2026-05-01,0.4,,\nmore,2027-03-01,0.2,0.5,0.1\n",
            "offer_prices": None,
            "cancellations": "contract,opens,closes\nmore,2027-05-01,2027-06-01\n",
        },
        [
            "deliveries.csv row 5, credit_bn: 0.1; 'more' is an offer: nothing of it is paid before it is signed; clear it",
            "contracts.csv row 4, price_growth_per_year: 'more' is an offer with a way out; what it is paid counts from "
            "the date of signature: what a share given back saves would not be known; give it a price_from, or delete "
            "the way out",
            "contracts.csv row 4, prepaid_share: 'more' is an offer with a way out; what it is paid counts from the date "
            "of signature: what a share given back saves would not be known; delete the way out, or the term",
            "contracts.csv row 4, contract: 'more' is an offer with a way out; what it is paid counts from the date of "
            "signature: what a share given back saves would not be known; delete the way out, or the term",
        ],
    ),
    (
        "a contract sold that may be missed",
        {"contracts": SALE + "own,Meta,campus,,,0.5,,,\nrent,Vendor,cloud,,2031-01-01,1.2,1,sell,2\n"},
        [],
    ),
]  # fmt: skip
