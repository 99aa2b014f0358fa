"""Words under test: what is printed of tiny instances whose answers are worked out by hand, sentence by sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import INSTANCES, in_process

ADS, DEALS = "value[pathway=ads].value_bn_per_gw_year", "value[pathway=deals].value_bn_per_gw_year"
LATE = {
    name: (
        f"insert contracts[contract={name}, pool={pool}, end={end}, cost_bn_per_gw_year=1]",
        f"insert deliveries[contract={name}, date=2026-01-01, gw=0.001]",
        f"insert cancellations[contract={name}, opens=2026-04-01, closes=2026-04-01]",
    )
    for name, pool, end in (
        ("long", "cloud", "2029-01-01"),
        ("short", "cloud", "2026-10-01"),
        ("counted", "hall", "2029-01-01"),
    )
}
"""Contracts that end after the plan, within it, and after it in a pool whose later years count."""

MORE = (
    "insert contracts[contract=extra, pool=cloud, vendor=acme, cost_bn_per_gw_year=5]",
    "insert deliveries[contract=extra, date=2026-01-01, gw=0.3]",
    "insert cancellations[contract=extra, opens=2026-04-01, closes=2026-04-01, fee_bn_per_gw=0.1]",
)
"""A contract of which nothing is needed, to be cancelled in the second quarter at once."""

OFFERED = (
    "insert contracts[contract=more, pool=cluster, vendor=acme, end=2030-01-01, cost_bn_per_gw_year=2]",
    "insert deliveries[contract=more, date=2028-01-01, gw=0.4]",
    "insert offers[contract=more, opens=2027-01-01, closes=2027-12-31]",
)
"""0.4 GW on offer for the two years in which own use earns least, to be signed in the first."""

WANTED = (
    "value[pathway=inference, from=2028-01-01].width_gw = 1.2",
    "value[pathway=inference, from=2028-01-01].value_bn_per_gw_year = 2.5",
)
"""Own use of 1.2 GW in those years, of which the run leaves 1: 0.2 GW of the offer bring 0.5 each in two years."""

PAGES: dict[str, tuple[list[str], str]] = {
    # The README of each instance has its answer worked out; what an edit changes stands above the page.
    "plan-cancellation": (
        ["solve", "tiny-cancellation"],
        """
        PLAN OF tiny-cancellation, from 2026-01-01 until 2027-01-01
        Proved optimal: it keeps every limit and no plan is worth more (gap < 1e-12).
        1 GW moved for a year may lose next to nothing (less training in 2026).
        4 quarters, one future (no uncertainty). $bn = billions of US dollars.
        Worth 3.75 $bn what the plan maximises: not discounted
        Cash (NPV) 3.75 $bn the part of worth that is cash within these dates
        In use 100% of the GW kept, not cancelled
        Warnings 1 on the instance: read them first, at the end
        GW BY YEAR: mean of the year 2026
        training 0.75 ########## = in use 0.75 + idle 0.00 + cancelled 0.25 = delivered 1.00 in use % 100
        WORTH BY PART: $bn, not discounted; the sums add up to the worth Value of use Costs
        training 7.00 contracts -3.00 cancellation fees -0.25 sum 7.00 sum -3.25
        Cash (NPV) = value + costs. DO NOW
        GW in the quarter from 2026-01-01 (in brackets: change from before) cloud training 1.00 (+1.00)
        CANCELLATIONS TO TAKE, first decisions first notice, contract (vendor) pool GW % of it ends fee
        On 2026-04-01: lease cloud 0.50 50 2026-07 0.25
        % of it: cancelled by then. fee: $bn. Cancelled as far as the price saved, also after 2027-01-01, outweighs
        the fee and what the GW would earn. Undervalued: what lease would cost and earn after 2027-01-01 is not
        counted (no terminal value or no end), so cancellations near that date are undervalued.
        WHAT THE NEXT MW ARE WORTH > or < price, $bn per GW-year, mean of the year 2026 cloud 1.00 < 4.00
        Left: what the next few MW all year add, per GW, before their cost. Right: the pool's average contract price.
        > pays at that price, < does not; more adds less.
        holds for any GW more and 0.1 GW less; in 50% of cases one more and one less differ.
        1 WARNING on the instance; `gwplan check` shows all in full
        """,
    ),
    # Beyond the end of the plan count neither what no end bounds nor a pool without a terminal value.
    "plan-undervalued": (
        ["solve", "tiny-cancellation", "insert pools[pool=hall, terminal_value_bn_per_gw_year=1]"]
        + [edit for edits in LATE.values() for edit in edits],
        "Undervalued: what lease and long would cost and earn after 2027-01-01 is not counted",
    ),
    # What is given notice of on one day stands together, the larger first.
    "plan-extra": (
        ["solve", "tiny-cancellation", *MORE],
        "On 2026-04-01: 0.80 GW lease cloud 0.50 50 2026-07 0.25 extra (acme) cloud 0.30 100 2026-04 0.03 % of it",
    ),
    # A fee of 50 for each GW outweighs all that the lease costs.
    "plan-kept": (
        ["solve", "tiny-cancellation", "cancellations.fee_bn_per_gw = 50"],
        "None: to keep every contract is worth more than what cancelling would save. Undervalued: what lease would",
    ),
    # Cancelled whole or not at all: 1 GW gone saves 4 and loses 2.5 and 1 and 1.
    "plan-whole": (
        ["solve", "tiny-cancellation", "cancellations.indivisible = true", "cancellations.max_share = 1"],
        """
        Optimal with whole offers, cancellations and blocks: it keeps every limit, and by the solver's search no plan is
        worth more than 3 $bn (MIP gap < 1e-12).
        Changed from the instance as written: cancellations.indivisible = true; cancellations.max_share = 1
        cloud 0.00 < 4.00
        With the plan's whole offers and cancellations and the blocks in use as they are (integers fixed).
        holds for any GW more and 0.6 GW less; in 50% of cases one more and one less differ.
        """,
    ),
    # The run starts when own use earns least. What it adds: 5 less 1 in each of two years.
    "plan-offers": (
        ["solve", "tiny-training", "--offers"],
        """
        + sold: run 0.00 1.00 1.00 0.00
        inference 14.00 sold to customers 5.00 sum 19.00
        inference 2.00 (+2.00) OFFERS TO SIGN
        offer (vendor, to: customer) pool GW % of it by adds cost
        On 2028-01-01: run (to: ourselves) cluster 1.00 100 2028-01-01 3.000 0.00 % of it
        With none of them the plan is worth 16.000 $bn, 3.000 less.
        """,
    ),
    "plan-declined": (
        ["solve", "tiny-training", *OFFERED],
        """
        For that: decline more (can be signed no later).
        To decline, signed in no future: more. What each adds, and what the plan is worth with none of them: gwplan
        """,
    ),
    "plan-hint": (
        ["solve", "tiny-training", *OFFERED, *WANTED, "--offers"],
        """
        For that: sign 0.20 GW of more (see below).
        On 2027-01-01: more (acme) cluster 0.20 50 2027-12-31 0.200 0.00 On 2028-01-01: run (to: ourselves) cluster
        A share of an offer that comes whole in life is a hint of size, not a term sheet: mark it `indivisible`
        With none of them the plan is worth 18.000 $bn, 4.200 less.
        """,
    ),
    # Half of the contract goes on for a year at 1, where own use earns 2.5 up to 1.2 GW: 0.2 of it are taken.
    "plan-extension": (
        ["solve", "tiny-training", *OFFERED, *WANTED, "drop contracts[contract=run]",
         "contracts[contract=more].end = 2029-01-01", "contracts[contract=own].end = 2029-01-01",
         "insert contracts[contract=longer, pool=cluster, end=2031-01-01, cost_bn_per_gw_year=1]",
         "insert offers[contract=longer, opens=2028-01-01, closes=2028-12-31, extends=own]"],
        "Extensions: longer of own.",
    ),
    "plan-terminal": (
        ["solve", "tiny-terminal"],
        """
        Worth 2.86 $bn what the plan maximises: discounted 21% a year
        Value of use Costs Not cash training 11.62 contracts -10.28 terminal line 2.27
        cancellation fees -0.75 sum 11.62 sum -11.03 sum 2.27
        Cash (NPV) = value + costs. Planning weights, not cash: the terminal line: contracts that run on after
        2028-01-01, at value less price.
        On 2027-01-01: dear cloud 1.00 100 2027-01 1.00
        """,
    ),
    # Training needs 1 GW of 0.8, 0.7 and then all of 1 GW; ads take the rest where a lock gives it to them.
    "plan-locks": (
        ["solve", "tiny-locks", "--marginal-values"],
        """
        loses at least $2,000m (less training in 2026) or at least $4,000m (less ads in 2026); in the first year at
        least $2,000m.
        3 years, one future
        training 0.80 ######## 0.70 ####### 1.00 ########## ads 0.20 ## 0.30 ### 0.00 = in use
        WORTH BY PART: $bn, not discounted; the sums add up to the worth Value of use training 15.00 ads 2.00 sum 17.00
        Cash (NPV) = value + costs. DO NOW
        GW in the year from 2026-01-01 (in brackets: change from before) cluster training 0.80 (+0.80) ads 0.20 (+0.20)
        2026 2027 2028 cluster 4.00 > 0.00 6.00 > 0.00 6.00 > 0.00
        Small changes only: in the median case a year's value holds for any GW more and 0.7 GW less.
        LIMITS THAT COST MOST: what a planner may ask for binds worth while it binds ~$m gain
        ads min: looser lock 33% 2.00 $bn per GW-year 2.0
        binds: share of the time. ~$m gain: what 0.001 GW more in every year add at most.
        WHAT EACH LOCK COSTS: worth without it, the others held, less worth with it, $bn
        training[cluster] <= 0.8 @ 2026-01-01..2027-01-01 0.400 ads >= 0.3 @ 2027-01-01..2028-01-01 0.600
        MARGINAL VALUES (shadow prices), each where it matters most, and how far they hold
        - in 2027 one more GW of cluster adds 6 $bn a year, however many; one less costs 6, for up to 0.7 GW
        - in 2027 a lock on ads lower by a GW adds 2 $bn a year, for up to 0.3 GW; a higher one costs 2, for up to 0.7
        GW - in 2026 a lock on training[cluster] higher by a GW adds 2 $bn a year, for up to 0.2 GW; a lower one costs
        2, for up to 0.8 GW Gross of contract cost, for that period alone. The range runs from the allowable decrease
        to the allowable increase of the limit. A kept run has all of them, in marginal_values.csv.
        ALLOWABLE CHANGES of values and costs: by how much each alone may change before the plan does
        - value[pathway=training, from=2026-01-01, tier=1].value_bn_per_gw_year: 6, may fall by 2 and rise by any amount
        - value[pathway=ads, from=2026-01-01, tier=1].value_bn_per_gw_year: 4, may fall by 4 and rise by 2
        Those that may change least, relative to their size. 0 may not change at all: another plan is, or may be,
        worth as much. On 0 the plan does not depend. At a degenerate optimum the plan may stay best farther.
        """,
    ),
    # Capacity that comes in 2027 has no price in 2026; six years share three columns.
    "plan-later": (
        ["solve", "tiny-locks", "insert pools[pool=hall]",
         "insert contracts[contract=new, pool=hall, cost_bn_per_gw_year=2]",
         "insert deliveries[contract=new, date=2027-01-01, gw=1]"],
        """
        cluster hall all pools training 0.80 (+0.80) 0.00 0.80 (+0.80) ads 0.20 (+0.20) 0.00 0.20 (+0.20)
        cluster 4.00 > 0.00 6.00 > 0.00 6.00 > 0.00 hall 6.00 - 6.00 > 2.00 6.00 > 2.00
        """,
    ),
    "plan-years": (
        ["solve", "tiny-locks", "calendar.periods = 6"],
        "2026-27 2028-29 2030-31 cluster 5.00 > 0.00 6.00 > 0.00 6.00 > 0.00",
    ),
    # 100% of 0.1 GW idle in a quarter of four waits for the ramp; a GW a month more is three in each of four quarters.
    "plan-ramp": (
        ["solve", "tiny-ramp", "pools.idle_penalty_bn_per_gw_year = 4"],
        """
        Worth 17.00 $bn what the plan maximises: not discounted Cash (NPV) 17.10 $bn
        In use 98% of GW kept; 0.025 idle GW-years cost 0.00 $bn in prices
        Value of use Not cash training 16.50 idle penalty -0.10 ads 0.60 sum 17.10 sum -0.10
        Cash (NPV) = value + costs. Penalties are planning weights, not cash.
        training: grow faster than 0.1 GW/month 50% 7.00 $bn per GW 14.0 ads: higher cap 25% 8.00 $bn per GW-year 2.0
        ~$m gain: what 0.001 GW more in every quarter add at most. 100% of idle GW wait while one binds.
        """,
    ),
    # Broken off at once: 0.3 GW of the 0.4 for 0.03, then 0.8 for 0.08; a GW short of 1.2 costs 1 a year.
    "plan-deals": (
        ["solve", "tiny-deals", "pathways[pathway=deals].breach_cost_bn_per_gw = 0.1",
         "pathways[pathway=deals].notice_days = 180", "eligibility[pathway=deals].operating_cost_bn_per_gw_year = 0.5",
         "insert demand[pathway=training, from=2026-07-01, target_gw=1.2]",
         "pathways[pathway=training].shortfall_penalty_bn_per_gw_year = 1",
         "insert demand[pathway=deals, from=2026-01-01, floor_gw=0.1]"],
        """
        notice_days = 180; eligibility[pathway=deals].operating_cost_bn_per_gw_year = 0.5; insert
        demand[pathway=training, from=2026-07-01, target_gw=1.2]; 2 more
        short of target 0.38 0.30
        training 14.40 operation -0.18 shortfall penalty -0.45 deals 2.80 signing deals -0.45
        breaking deals -0.11 sum 17.20 sum -0.73 sum -0.45
        training 0.90 (+0.30) deals 0.10 (-0.30) For that: break off 0.30 GW of deals.
        DEALS: GW to sign / to give notice for, sum of the year 2026 2027 Jan-Mar deals 0.90/0.10 0.00/0.00
        deals: 180 days' notice, at least 180 days, 0.5 $bn per GW to sign, break off 1.10 GW.
        deals: lower floor 80% 8.20 $bn per GW-year 8.2 training: lower target 60% 1.00 $bn per GW-year 0.8
        """,
    ),
    "plan-churn": (
        ["solve", "tiny-churn"],
        """
        sign 1.00 GW of service. DEALS
        service 1.00/0.00 0.50/0.00 0.00/0.00
        service: at least 730 days, 6.5 $bn per GW to sign, churn takes 1.25 GW.
        """,
    ),
    "plan-migration": (
        ["solve", "tiny-migration"], "ads 10.60 moving GW -1.20 training 3.60 sum 14.20 sum -1.20"
    ),
    "plan-notice": (["solve", "tiny-deals"], "For that: give notice for 0.40 GW of deals. DEALS"),
    "plan-risk": (
        ["solve", "tiny-risk"],
        """
        2 years, 2 futures (combinations of outcomes).
        Objective 12.88 $bn what the plan maximises: 0.4 x expected worth + 0.6 x 11.60, the mean worth of the worst
        50% of futures Worth 14.80 $bn expected, not discounted
        Worst case 10.00 $bn market=bad (40%) Best case 18.00 $bn market=good (60%)
        GW BY YEAR: mean of the year, expected over all futures
        Until 2027-01-01 the plan is the same in all futures; then it depends on market (good 60% or bad 40%).
        if market 2026 2027 deals = good 0.00/0.00 1.00/0.00 = bad 0.00/0.00 0.00/0.00
        WHAT DIFFERS BETWEEN THE FUTURES: worth, $bn, and mean GW once it is known
        chance worth steady deals idle cancelled market, known from 2027-01-01:
        good 60% 18.00 0.00 1.00 0.00 0.00 bad 40% 10.00 1.00 0.00 0.00 0.00
        """,
    ),
    # Below 7 a GW in Q3 stays in training; above 12 deals are kept in Q5, too. Per unit: GW-years in deals.
    "breakeven": (
        ["breakeven", "tiny-deals", DEALS, "--until-plan-changes"],
        """
        BREAKEVEN of tiny-deals: where the plan changes value[pathway=deals].value_bn_per_gw_year, $bn per GW-year
        Now 8 plan.objective_bn is 15.3 Searched 0 to 200 every value re-optimised
        DOWN: at 7 Worth there 14.7 $bn Its slope 0.6 | 0.1 per unit of the cells, on the side of now | beyond
        mean GW now before at once beyond training 2026 0.400 0.400 0.900 deals 2026 0.600 0.600 0.100
        Exact: parametric steps of the basis (2 bases).
        UP: at 12 Worth there 17.7 $bn Its slope 0.6 | 0.85
        """,
    ),
    # 15.3 falls by 0.6 for each unit less.
    "breakeven-threshold": (
        ["breakeven", "tiny-deals", DEALS, "--threshold", "15", "--between", "0", "9"],
        """
        BREAKEVEN of tiny-deals: where plan.objective_bn becomes 15
        Searched 0 to 9 every value re-optimised
        DOWN: at 7.5 Worth there 15 $bn
        By year each pathway uses what it uses now, and the same notices are given: what moves, if anything, moves
        among pools, periods or futures. Exact: parametric steps of the basis (1 basis).
        UP: none as far as 9
        """,
    ),
    # At 6 both are worth as much: training leaves for ads.
    "breakeven-figure": (
        ["breakeven", "tiny-locks", ADS, "--until-plan-changes", "--between", "3", "9", "--figure",
         "plan.expected_gw_years[pathway=training]"],
        """
        Now 4 plan.expected_gw_years[pathway=training] is 2.5
        DOWN: none as far as 3
        UP: at 6 Worth there 18 $bn Figure there 2.5 | 0 plan.expected_gw_years[pathway=training]
        """,
    ),
    # At 10 a quarter's lease costs what training earns: half of it goes a quarter earlier, as at 1 it never goes.
    "breakeven-cancelled": (
        ["breakeven", "tiny-cancellation", "contracts[contract=lease].cost_bn_per_gw_year", "--until-plan-changes"],
        """
        DOWN: at 1 Worth there 6 $bn Its slope -0.75 | -1
        lease cancelled 0.50 0.50 0.00 training 2026 0.75 0.75 1.00
        UP: at 10 Worth there -0.75 $bn Its slope -0.75 | -0.625
        training 2026 0.750 0.750 0.625
        """,
    ),
    # Ads at 9 take all: 27; without the lock on ads training has 0.8, 1 and 1.
    "whatif": (
        ["whatif", "tiny-locks", "--set", f"{ADS} = 9", "--set", "locks[pathway=ads].min_gw = 0"],
        """
        WHAT-IFS of tiny-locks: worth and use (in brackets: difference to the base)
        worth cash (NPV) idle in use $bn $bn GW-years base 17.00 17.00 0.00 100%
        set 27.00 (+10.00) 27.00 (+10.00) 0.00 (=) 100%
        GW-YEARS BY PATHWAY, expected (difference to the base) training ads base 2.50 0.50
        set 0.00 (-2.50) 3.00 (+2.50)
        CANCELLED: nothing in any case
        WHAT THE NEXT GW IS WORTH, mean, $bn per GW-year (difference to the base) cluster base 5.33 set 9.00 (+3.67)
        """,
    ),
    "whatif-cancelled": (
        ["whatif", "tiny-cancellation", "--set", "cancellations.fee_bn_per_gw = 9"],
        """
        base 3.75 3.75 0.00 100% set 3.00 (-0.75) 3.00 (-0.75) 0.00 (=) 100%
        CANCELLED by the end, GW by contract, expected (difference to the base) lease base 0.500 set 0.000 (-0.500)
        """,
    ),
    # 0.2 GW of training and 0.7 of ads leave 0.1 idle: 4 in place of 5.6.
    "evaluate": (
        ["evaluate", "tiny-locks", "--plan", "2026-01-01,training,cluster,0.2 2026-01-01,ads,cluster,0.7"],
        """
        GIVEN ALLOCATION of tiny-locks: it keeps every limit; what was not given is chosen best
        Worth 15.40 $bn of the given allocation Best plan 17.00 $bn of the plan that gwplan would choose
        Gap 1.60 $bn best plan less the given allocation Cash (NPV) 15.40 $bn against 17.00 $bn of the best plan
        WHERE THE GAP ARISES: best plan less the given one, $bn, expected and discounted 2026 2027 2028 all
        ads -2.00 0.00 0.00 -2.00 training 3.60 0.00 0.00 3.60 all 1.60 0.00 0.00 1.60
        """,
    ),
    # 1.2 GW where 1 is delivered, 0.1 where 0.3 is locked, 1 where 0.8 is.
    "evaluate-broken": (
        ["evaluate", "tiny-locks", "--plan",
         "2026-01-01,training,cluster,1 2027-01-01,ads,cluster,0.1 2027-01-01,training,cluster,1.1"],
        """
        NOT POSSIBLE: the given allocation of tiny-locks breaks 3 limits
        - more of cluster is used than is delivered and not cancelled: by 0.200 GW, at 2027-01-01
        - ads has less than its lock: by 0.200 GW, at 2027-01-01
        - training[cluster] has more than its lock: by 0.200 GW, at 2026-01-01
        WORTH as if those limits were lifted that far: what was not given is chosen best
        Worth 19.00 $bn of the given allocation
        """,
    ),
    # Nothing of an offer is as signed, and no customer is owed anything: 0.2 GW at 2 for two years, after the plan.
    "exposure-offers": (
        ["exposure", "tiny-training", *(word for edit in (*OFFERED, *WANTED) for word in ("--set", edit)),
         "--part", "obligations"],
        """
        acme 0.00 0.00 0% 0.80 100% 0.80 0.80
        As signed, and after what the plan cancels and signs of offers: expected over all futures, without fees.
        After the plan, most is owed to acme, 100%.
        OWED BY CONTRACT, $bn as signed after plan least most own 0.00 0.00 0.00 0.00 more 0.00 0.80 0.80 0.80 OWED BY
        """,
    ),
    # 1 GW at 4 a year; a fifth off realisation or value costs 1.4 of 7, a fifth off a tier's width less.
    "exposure": (
        ["exposure", "tiny-cancellation"],
        """
        EXPOSURE OF tiny-cancellation
        OWED TO EACH VENDOR, $bn undiscounted, from the start to each contract's end
        GW at as share after share least most most signed plan no vendor named 1.00 4.00 100% 3.00 100% 3.00 3.00
        all 4.00 3.00 3.00 3.00
        As signed, most is owed to no vendor named, 100%. After the plan, most is owed to no vendor named, 100%.
        OWED BY CONTRACT, $bn as signed after plan least most lease 4.00 3.00 3.00 3.00
        OWED BY YEAR, $bn as signed after plan largest vendor, its share 2026 4.00 3.00 no vendor named, 100%
        The instance has no what-ifs.
        WORTH AT RISK BY VENDOR, $bn of the plan's worth GW open a quarter late fails no vendor named 0.00 0 no plan
        no vendor named: no plan: contracts.csv: no rows
        WHAT RESTS ON UNVERIFIED CELLS, each swung 20% down and up, $bn of the plan's worth
        GW by GW by cells largest losses contract delivery loss added assumption 1.00 1.00 10 1.40 5.25
        pathways.realisation [training] assumption 1 -1.40 0
        value.value_bn_per_gw_year [training] assumption 2 -1.40 +1.40
        contracts.cost_bn_per_gw_year [cloud] assumption 1 +0.60 -0.60
        1 smaller swing is left out.
        """,
    ),
    "sweep": (
        ["sweep", "tiny-locks", "--grid", f"{ADS} = 4, 9"],
        """
        SWEEP of tiny-locks: 2 cases, objective_bn, $bn; base 17.00 A = value[pathway=ads].value_bn_per_gw_year
        case A worth against cash (NPV) idle $bn base $bn GW-years
        1 4 17.00 +0.00 17.00 0.00 2 9 27.00 +10.00 27.00 0.00
        """,
    ),
    "sweep-grid": (
        ["sweep", "tiny-locks", "--grid", f"{ADS} = 4, 9", "--grid", "locks[pathway=ads].min_gw = 0.3, 2"],
        """
        B = locks[pathway=ads].min_gw A \\ B 0.3 2 4 17.00 none 9 27.00 none
        none: no plan; `--out` keeps the reason of each case.
        """,
    ),
    # A tenth of a GW: 0.4 of ads in 2026, 0.6 of training after; a tenth of 15 and of 2.
    "tornado": (
        ["tornado", "tiny-locks"],
        """
        TORNADO of tiny-locks: objective_bn, $bn; base 17.00
        Each input by 10% down and up, or over its own range; what objective_bn changes by.
        input status down up swing moves GW deliveries.gw assumption -1.60 +1.60 ######## 0.100
        pathways.realisation = val..r [training] assumption -1.50 +1.50 ########
        pathways.realisation = val..w_year [ads] assumption -0.20 +0.20 #
        Half of all swings together is that of the first 2 of 3 inputs. First moves change with deliveries.gw.
        """,
    ),
    # Ads at 8 take all: 24.
    "montecarlo": (
        ["montecarlo", "tiny-locks", "--draw", f"{ADS} *~ discrete(1: 0.5, 2: 0.5)", "--samples", "4"],
        """
        MONTE CARLO of tiny-locks: 4 draws, seed 0 Every one of the 4 draws has a plan.
        QUANTILES of 4 draws, with 95% intervals of the quantiles 5 % 25 % 50 % 75 % 95 %
        objective, $bn 17.00 17.00 20.50 24.00 24.00 - - - 17.00 24.00 17.00 24.00 - - -
        utilisation, share 1.00 1.00 1.00 1.00 1.00
        training, GW-years 0.00 0.00 1.25 2.50 2.50
        Worth: mean 20.50 $bn, standard deviation 4.04; with the inputs as written 17.00.
        Below each quantile the lower and the upper end of its interval; -: too few draws for one.
        DRAWS IN WHICH A PATHWAY GETS CAPACITY pathway draws share 95% interval
        training 2 50% 15% to 85% ads 4 100% 51% to 100%
        DRAWN INPUTS, and the rank correlation of each with worth cell drawn from mean sd worth
        value[pathway=ads].value.._gw_year *= discrete(1: 0.5, 2: 0.5) 1.50 0.58 1.00
        """,
    ),
    "uncertainty": (
        ["uncertainty", "tiny-tree", "--frontier", "2"],
        """
        4 futures (combinations of outcomes); they differ from 2026-02-01 on.
        All figures in $bn (billions of US dollars): expected worth, discounted, penalties included.
        RP 8.375 the plan: every decision is the best that what is known by then allows
        WS 8.875 each future planned alone, as if it were known from the start
        EVPI 0.500 WS - RP: the most that any forecast could add
        EEV 8.375 the plan of the instance as written, without outcomes, kept until 2026-02-01; the best plan after
        VSS 0.000 RP - EEV: what planning for all futures adds to planning as written
        rigid 7.250 the best plan with one split of the capacity per period for all futures
        reallocation 1.125 RP - rigid: what it is worth to split anew as futures unfold
        dedicated 7.000 the best plan in which each pathway owns a fixed part of each pool
        fungibility 1.375 RP - dedicated: what it is worth that GW can change their use
        In short: foresight would add 6% of the plan's worth, splitting anew as futures unfold is 13% of it and
        fungible GW are 16% of it.
        WORTH BY FUTURE, the worst first market / progress chance worth with regret foresight
        down / slow 38% 4.000 5.000 1.000 down / fast 12% 9.000 10.000 1.000
        up / slow 38% 11.000 11.000 0.000 up / fast 12% 13.000 13.000 0.000
        regret: what the plan misses in a future against the plan made for that future alone.
        Expected 8.375; mean of the worst 10% (CVaR) 4.000. Worth is at most, with a chance of 5%: 4.000, 25%: 4.000,
        50%: 9.000, 75%: 11.000, 95%: 13.000.
        if revealed at the start not on adds market 2026-02-01 0.500 progress 2026-03-01 0.000
        One at a time; their sum is 0.500, knowing all at once adds 0.500.
        WHAT EACH OPTION ADDS, taken away alone and all else planned anew adds RP without
        the right to end a pathway's deals by notice deals 0.250 8.125
        a contract, with all it delivers and costs own 8.375 0.000
        Negative: the plan would be worth more without it.
        aversion expected worst training deals idle cancel 10% GW-years GW-years GW-years GW
        0* 8.375 4.000 0.5 8.125 5.000 +0.11 -0.11 0.00 0.00
        Change of the plan against aversion 0, expected; * the instance's own aversion.
        FIRST MOVES, the same in every future: 2026-01-01 until 2026-02-01 decision GW from
        sign deals: deals 1.00 2026-01-01 new capacity into deals 1.00 2026-01-01
        WHAT IS DECIDED ON EACH BRANCH, until the next reveal or for a year, in GW
        in every future until 2026-02-01: as above if market=up in 2026-02 (50%): little changes
        if progress=slow in 2026-03 (38%): give notice on deals: deals 1.00; sign deals: deals 1.00
        if market=down in 2026-02 (50%): little changes
        GW, net of the dates shown, all pools together; below 0.01 GW, and what follows ..., in --json.
        """,
    ),
    "uncertainty-averse": (
        ["uncertainty", "tiny-risk"],
        """
        All figures in $bn (billions of US dollars): 0.4 x expected worth + 0.6 x the mean worth of the worst 50% of
        futures, discounted, penalties included.
        In short: foresight would add 8% of the plan's worth, splitting anew as futures unfold is 2% of it and fungible
        GW are 2% of it.
        bad 40% 10.000 10.000 0.000 good 60% 18.000 21.000 3.000
        Expected 14.800; mean of the worst 50% (CVaR) 11.600.
        """,
    ),
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_what_is_said_is_what_was_worked_out_by_hand(page: str, tmp_path: Path) -> None:
    """Protects the reader from a wrong word beside a right figure: each of these stands on the page, in this order."""
    (command, name, *rest), said = PAGES[page]
    if command in ("solve", "whatif", "uncertainty"):
        rest = ["--full", *rest]
    if command == "solve":
        rest = [word for edit in rest for word in (["--set", edit] if " = " in edit or " " in edit else [edit])]
    if command == "evaluate":
        (tmp_path / "plan.csv").write_text("start,pathway,pool,gw\n" + rest[1].replace(" ", "\n") + "\n")
        rest[1] = str(tmp_path / "plan.csv")
    done = in_process([command, str(INSTANCES / name), *rest])
    assert done.exit_code == (3 if page == "evaluate-broken" else 0), done.stderr
    told, at = " ".join("".join(c for c in done.stdout if c not in "│├└─").split()), 0
    for words in map(str.strip, said.strip().splitlines()):
        assert words in told[at:], f"{words!r} is not in: ... {told[at : at + 400]}"
        at = told.index(words, at) + len(words)
