"""Instances in which something decides nothing, and instances in which it just does: case by case."""
# ruff: noqa: E501

from __future__ import annotations

from typing import Final

from tests.instance.check_cases import OFFER, PAIRS, PATHWAYS
from tests.instance.folders import SMALL, UNCERTAINTY

WARNINGS: Final[list[tuple[str, dict[str, str | None], list[str]]]] = [
    ("the small instance", {}, []),
    (
        "a pathway without value or demand",
        {"pathways": SMALL["pathways.csv"] + "labs,,,,\n", "eligibility": SMALL["eligibility.csv"] + "labs,campus,,\n"},
        [
            "pathways.csv row 5, pathway: 'labs' has no value, no floor and no penalised target; "
            "it is never given capacity; give it tiers in value.csv or a demand in demand.csv, or delete it"
        ],
    ),
    (
        "pathways that want something",
        {
            "pathways": "pathway,shortfall_penalty_bn_per_gw_year\nmsl,1\nads,\ndeals,\n",
            "demand": "pathway,from,floor_gw,target_gw\nmsl,2026-07-01,,1\nads,2026-07-01,0.1,\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\ndeals,2026-07-01,1,1\n",
            "curves": None,
            "churn": None,
        },
        [],
    ),
    (
        "a target that nothing penalises, and worthless tiers",
        {
            "pathways": "pathway\nads\nmsl\ndeals\n",
            "demand": "pathway,from,target_gw\nmsl,2026-07-01,1\n",
            "value": "pathway,from,tier,value_bn_per_gw_year\ndeals,2026-07-01,1,0\n",
            "churn": None,
        },
        [
            "pathways.csv row 3, pathway: 'msl' has no value, no floor and no penalised target; it is never given capacity; "
            "give it tiers in value.csv or a demand in demand.csv, or delete it",
            "pathways.csv row 4, pathway: 'deals' has no value, no floor and no penalised target; it is never given "
            "capacity; give it tiers in value.csv or a demand in demand.csv, or delete it",
        ],
    ),
    (
        "a pool without contract and pathway",
        {"pools": SMALL["pools.csv"] + "attic,,\n"},
        [
            "pools.csv row 4, pool: no contract supplies 'attic'; the pool is always empty; add its contract, or delete the pool",
            "pools.csv row 4, pool: no pathway may use 'attic'; its capacity is always idle; add its pairs to eligibility.csv",
        ],
    ),
    (
        "a contract without deliveries",
        {"contracts": SMALL["contracts.csv"] + "idle,,cloud,,,,\n"},
        [
            "contracts.csv row 4, contract: 'idle' has no deliveries; the contract supplies and costs nothing; "
            "add them to deliveries.csv, or delete the contract"
        ],
    ),
    (
        "a pathway that may use no pool",
        {"eligibility": PAIRS},
        ["pathways.csv row 4, pathway: 'deals' may use no pool; it is never given capacity; add its pairs to eligibility.csv"],
    ),
    (
        "deliveries on and after the end of the plan, and just before it",
        {
            "deliveries": SMALL["deliveries.csv"]
            + "own,2028-06-02,1\nown,2028-06-01,1\nown,2028-07-01,1\nrent,2028-05-02,1\n"
        },
        [
            "deliveries.csv row 5, date: delivered on or after the end of the plan, 2028-07-01, or too late for its last "
            "period (also row 7); the delivery adds nothing; it counts only in what a cancellation fee is charged on; "
            "delete it, lengthen the plan, or give the contract an end and the pool a terminal value"
        ],
    ),
    (
        "deliveries when their contract has ended",
        {
            "contracts": "contract,pool,end,delay_months\nown,campus,,\nrent,cloud,2027-05-15,1\n",
            "deliveries": "contract,date,gw\nown,2026-01-01,1\nrent,2026-05-01,1\nrent,2027-04-15,1\nrent,2027-06-01,1\n"
            "rent,2027-03-31,1\n",
            "cancellations": None,
        },
        [
            "deliveries.csv row 4, date: delivered when 'rent' has ended on 2027-05-15, before or in the period in which it "
            "would count (also row 5); the delivery adds nothing; correct the date, the contract's delay or its end, "
            "or delete the delivery"
        ],
    ),
    (
        "windows without a period",
        {
            "cancellations": "contract,opens,closes\nrent,2027-01-02,2027-01-31\nown,2026-01-01,2026-06-30\n",
        },
        [
            "cancellations.csv row 2, opens: no period starts from 2027-01-02 to 2027-01-31; 'rent' can never be cancelled; "
            "move or widen the window, or delete the row",
            "cancellations.csv row 3, opens: no period starts from 2026-01-01 to 2026-06-30; 'own' can never be cancelled; "
            "move or widen the window, or delete the row",
        ],
    ),
    (
        "windows with one period",
        {"cancellations": "contract,opens,closes\nrent,2026-06-30,2026-07-01\nown,2028-06-01,2029-01-01\n"},
        [],
    ),
    (
        "a factor revealed after the last period has started",
        {"uncertainty.toml": UNCERTAINTY.replace("revealed = 2027-01-01", "revealed = 2028-06-02")},
        [
            "uncertainty.toml factor market: revealed 2028-06-02, after the last period has started; no decision of the plan "
            "can wait for it; reveal it earlier, lengthen the plan, or delete the factor"
        ],
    ),
    ("a factor revealed in the last period", {"uncertainty.toml": UNCERTAINTY.replace("revealed = 2027-01-01", "revealed = 2028-06-01")}, []),
    (
        "notice that costs nothing",
        {
            "pathways": "pathway,notice_days,min_term_days,signing_cost_bn_per_gw\nmsl,,,\nads,90,91,\ndeals,90,90,\n",
            "demand": "pathway,from,floor_gw\nmsl,2026-07-01,0.1\n",
        },
        [
            "pathways.csv row 4, notice_days: 90 days without a longer term or a signing cost on 'deals'; the notice costs "
            "nothing to go round: give it when a deal is signed, and sign the next one for nothing; "
            "give the deals a term or a signing cost"
        ],
    ),
    (
        "costs of deals where there are none",
        {"pathways": PATHWAYS.replace("ads,,,,,", "ads,,,1,,2") + "deals,90,,,,0.1\n"},
        [
            "pathways.csv row 3, signing_cost_bn_per_gw: 2; 'ads' has neither notice nor term, so that the cost is never paid; "
            "give it a notice or a term, or clear the cost",
            "pathways.csv row 3, breach_cost_bn_per_gw: 1; 'ads' has neither notice nor term, so that the cost is never paid; "
            "give it a notice or a term, or clear the cost",
        ],
    ),
    (
        "windows without a terminal value",
        {"pools": "pool\ncampus\ncloud\n"},
        [
            "pools.csv row 3, terminal_value_bn_per_gw_year: none for 'cloud', whose contracts may be cancelled and run beyond "
            "2028-07-01; what a cancellation saves after the end of the plan does not count, so that late ones are "
            "undervalued; give the pool a terminal value, and the contracts their end"
        ],
    ),
    (
        "windows of contracts that end with the plan",
        {"pools": "pool\ncampus\ncloud\n", "contracts": SMALL["contracts.csv"].replace("2031-01-01", "2028-07-01")},
        [],
    ),
    (
        "a face value far from GW x price x years",
        {
            "contracts": "contract,pool,end,cost_bn_per_gw_year,face_value_bn\n"
            "own,campus,2027-01-01,1,0.9\nrent,cloud,2031-05-01,1,2.1\n",
            "deliveries": "contract,date,gw\nown,2026-01-01,1\nrent,2026-05-01,0.5\n",
            "cancellations": None,
        },
        [
            "contracts.csv row 2, face_value_bn: 0.9 for 'own'; 0.999 GW-years at the plan's 1 $bn per GW-year come to "
            "0.999 $bn; correct GW, price, dates or face value, or say in a note why they differ",
            "contracts.csv row 3, face_value_bn: 2.1 for 'rent'; 2.5 GW-years at the plan's 1 $bn per GW-year come to "
            "2.5 $bn; correct GW, price, dates or face value, or say in a note why they differ",
        ],
    ),
    (
        "a face value of a price that rises",
        {
            "contracts": "contract,pool,end,cost_bn_per_gw_year,price_growth_per_year,price_from,face_value_bn\n"
            "own,campus,2029-01-01,1,0.1,,3.31\nrent,cloud,2029-01-01,1,0.1,2027-01-01,2.31\n"
            "dear,cloud,2029-01-01,1,0.1,,3\n",
            "deliveries": "contract,date,gw\nown,2026-01-01,1\nrent,2027-01-01,1\ndear,2026-01-01,1\n",
            "cancellations": None,
        },
        [
            "contracts.csv row 4, face_value_bn: 3 for 'dear'; 3 GW-years at the plan's 1 $bn per GW-year, 10 % more each "
            "year, come to 3.31 $bn; correct GW, price, dates or face value, or say in a note why they differ"
        ],
    ),
    (
        "dates of terms that are none, and a credit after the end",
        {
            "contracts": "contract,pool,end,cost_bn_per_gw_year,price_from,prepaid_share,prepaid_days,credit_after_months\n"
            "own,campus,2031-01-01,1,2026-01-01,,30,\nrent,cloud,2031-01-01,1,,0.2,90,60\n",
            "cancellations": None,
        },
        [
            "contracts.csv row 2, prepaid_days: 30 for 'own'; without a prepaid_share it says nothing; give one, or clear it",
            "contracts.csv row 2, price_from: 2026-01-01 for 'own'; without a price_growth_per_year it says nothing; "
            "give one, or clear it",
            "contracts.csv row 3, credit_after_months: 60 for 'rent', deliveries.csv row 4; its service is over by then: "
            "the prepayment is never set off; correct it, the term or the end",
        ],
    ),
    (
        "a face value near it",
        {
            "contracts": "contract,pool,end,cost_bn_per_gw_year,face_value_bn\n"
            "own,campus,2027-01-01,1,1\nrent,cloud,2031-05-01,1,2.3\n",
            "deliveries": "contract,date,gw\nown,2026-01-01,1\nrent,2026-05-01,0.5\n",
            "cancellations": None,
        },
        [],
    ),
    (
        "losses outside the plan",
        {"churn": "pathway,date,fraction\ndeals,2026-06-30,0.1\ndeals,2026-07-01,0.1\ndeals,2028-06-01,0.1\ndeals,2028-06-02,0.1\n"},
        [
            "churn.csv row 2, date: before the plan starts on 2026-07-01; the loss is taken off the initial deals in the first "
            "period; delete the row where initial_gw is already net of it",
            "churn.csv row 5, date: too late for the last period of the plan, which ends on 2028-07-01; "
            "the loss takes nothing; delete the row, or lengthen the plan",
        ],
    ),
    (
        "steps after the plan",
        {
            "demand": SMALL["demand.csv"] + "msl,2028-06-02,,1,\nmsl,2028-06-01,,1,\n",
            "value": SMALL["value.csv"] + "msl,2029-01-01,1,,1\n",
            "curves": SMALL["curves.csv"] + "ads,2029-01-01,log2,0.5,200,0.04,4,5\n",
        },
        [
            "demand.csv row 4, from: too late for the last period of the plan, which ends on 2028-07-01; the row never holds; "
            "delete it, or lengthen the plan",
            "value.csv row 5, from: too late for the last period of the plan, which ends on 2028-07-01; the row never holds; "
            "delete it, or lengthen the plan",
            "curves.csv row 3, from: too late for the last period of the plan, which ends on 2028-07-01; the row never holds; "
            "delete it, or lengthen the plan",
        ],
    ),
    (
        "locks in no period, and in one",
        {
            "locks": "pathway,pool,from,until\nads,,2020-01-01,2026-07-01\nads,,2028-06-02,\nads,,2027-01-02,2027-02-01\n"
            "msl,,2020-01-01,2026-07-02\nmsl,,2028-06-01,\n"
        },
        [
            f"locks.csv row {row}, from: in force in no period from 2026-07-01 to 2028-07-01; the lock decides nothing; "
            "correct its dates, or delete it"
            for row in (2, 3, 4)
        ],
    ),
    (
        "a tier behind an unlimited one",
        {"value": SMALL["value.csv"] + "msl,2026-07-01,3,1,0.5\n"},
        [
            "value.csv row 5, tier: tier 3 follows the unlimited tier 2 in row 3; it earns nothing; "
            "give the earlier tier a width_gw, or delete this one"
        ],
    ),
    (
        "more in use than a pool delivers",
        {"eligibility": SMALL["eligibility.csv"].replace("msl,campus,1,0.5", "msl,campus,1,0.9")},
        [
            "eligibility.csv row 2, initial_gw: 1.2 GW in use in 'campus' before the start (also rows 4, 6); it delivers "
            "1 GW in the first period: the rest has to end or move at once; correct initial_gw or the deliveries"
        ],
    ),
    (
        "a what-if that changes nothing",
        {"whatifs/late.toml": 'description = "nothing"\n'},
        ["whatifs/late.toml: no edit and no given; the what-if changes nothing; add [[edit]] or given = { ... }"],
    ),
    (
        "an offer that no period can sign",
        {**OFFER, "offers": "contract,opens,closes\nmore,2026-07-02,2026-07-31\n"},
        [
            "offers.csv row 2, opens: no period starts from 2026-07-02 to 2026-07-31; 'more' can never be signed; "
            "move or widen the window, or delete the offer"
        ],
    ),
    (
        "an offer whose deliveries come too late for it",
        {**OFFER, "offers": "contract,opens,closes,lead_days\nmore,2026-07-01,2026-12-31,2000\n"},
        [
            "offers.csv row 2, lead_days: 'more', signed on 2026-07-01 at the earliest; "
            "none of its deliveries can follow: they would come when it has ended; correct lead, window, deliveries or end"
        ],
    ),
]  # fmt: skip
