"""The page of the docs on the instance format, made from the catalogue."""

from __future__ import annotations

from typing import Final

from gwplan.catalogue.tables import (
    ANNOTATIONS,
    EDITABLE_ONLY_BY_WHATIF,
    LEVERS,
    SCHEMA_VERSION,
    SHEETS,
    TABLES,
    VALUE_FACTORS,
    Table,
)
from gwplan.files import LARGEST
from gwplan.instance.cells import LARGEST_NUMBER
from gwplan.language.quantities import FIGURES
from gwplan.storage.starter import default_words, rule_words, type_words

_FACTORS: Final = " and ".join(f"`{name}`" for name in VALUE_FACTORS)

_HEAD: Final = f"""# The instance format

<!-- made by: python -m tests.docs -->
<!-- blocks run by: tests/instance/test_format_page.py -->

An instance is a folder: one `instance.toml`, a handful of CSV tables, and, where something is uncertain or worth
asking, `uncertainty.toml`, `levers.toml` and `whatifs/*.toml`. This page describes version {SCHEMA_VERSION}; of an
older one nothing is read until `gwplan migrate FOLDER` has brought it up to date. `gwplan new NAME` writes a small
instance to begin with, `gwplan check FOLDER` names everything that is wrong with one, each with file, row, column,
value, rule and what to do.

## Files

* Text is UTF-8, with or without a byte order mark. Cells are separated by commas; a cell that holds a comma, a quote
  or a line break stands in double quotes, and a quote inside it is written twice.
* Row 1 names the columns, in any order. Rows whose cells are all blank are passed over. Row numbers in messages count
  row 1 in, as a spreadsheet does.
* Numbers are written with digits and a decimal point. Every number's unit is given below; most are part of the
  column's name. Capacity is in GW, money in billions of US dollars, and none above {LARGEST_NUMBER:,} but in `claims`.
* Dates are written year-month-day: `2027-01-31`. A flag is `true` or `false`.
* A blank cell means the column's default. "None" is a default too: no limit, no date, no value. In `instance.toml` a
  key that is left out is blank.
* Names of pools, pathways, contracts and claims neither begin nor end with a blank and hold no control characters.
  Upper and lower case differ.
* Every file ending in `.csv` or `.toml` must be one of those below; others, such as a `README.md`, are not looked at.
  Only regular files inside the folder are read, each of at most {LARGEST // 10**6} MB.

## When a date takes effect

A plan is made of periods: months, quarters or years from the start. Whatever is dated takes effect in the first
period that starts on or after its date; what is dated before the start is in effect from the first period on. A
cancellation window holds the periods that start from its first day to its last, both included. Numbers of days are
rounded up to whole periods: 90 days are three months or one quarter.

"""

_SECTIONS: Final = ", ".join(f"`{name}`" for name in EDITABLE_ONLY_BY_WHATIF)

_FIGURES: Final = ", ".join(f"`{name}`" for name, key in FIGURES.items() if not key)
_KEYED: Final = ", ".join(f"`{name}` by {key}" for name, key in FIGURES.items() if key)

_SHEETS: Final = "\n".join(
    [
        "| sheet | a row is | columns |",
        "|---|---|---|",
        *(
            f"| `{name}` | {table.about[0].lower()}{table.about[1:].rstrip('.')} | "
            f"{', '.join(f'`{column.name}`' for column in table.columns)} |"
            for name, table in SHEETS.items()
        ),
    ]
)

_LEVERS: Final = "\n".join(
    [
        "| key | is |",
        "|---|---|",
        *(f"| `{c.name}` | {c.about} |" for c in LEVERS.columns if c.name not in ("least", "most")),
        "| `range` | How far down and up its value goes: two numbers, the lower first. |",
    ]
)

_AFTER_TABLES: Final = f"""## Step functions

`demand`, `value` and `curves` are step functions of time: a row holds from its `from` date until the pathway's next
`from` date in the same table. Before the first of them the pathway has no demand, no tiers or no curve. A later row
replaces the earlier one wholly, so that a blank in it means the default and not "as before". Of `value`, all rows of
the latest `from` hold together: they are the pathway's tiers, and the second tier earns only what is left when the
first is full.

Tiers must not rise in value from tier to tier: with a rise the best plan would have to skip a tier to reach a better
one, which a linear program cannot be told to refuse. A tier without a width is unlimited.

## Curves

A row of `curves` stands for diminishing returns without tiers written out. With `log2`, g effective GW earn

    base_value_bn_per_year * uplift_per_doubling * log2(1 + g / base_gw)

$bn a year, up to `max_gw`: each doubling of what is there adds the same share of the base value. The model uses
straight chords between points on the curve, `segments` of them, on equal steps of the logarithm:

    base_gw * ((1 + max_gw / base_gw) ** (i / segments) - 1)        for i = 0, 1, ..., segments

so that the plan never earns more than the curve gives. A pathway may have tiers and a curve at once; their pieces are
used from the best to the least. Both are multiplied by {_FACTORS}.

## Deals

A pathway with notice or a minimum term is a deal pathway: capacity given to it is signed for, comes back only after
notice (`notice_days` later), stays at least for the term, and may be lost to churn. A term shorter than the notice
counts as the notice. Notice alone binds little where signing is free, because it can be given on the day of
signature: `gwplan check` says so.

## Edits

What-ifs, outcomes and `--set` change cells in one and the same way. In TOML an edit names a table and does one thing:

    [[edit]]
    table = "deliveries"
    where = {{ contract = "neocloud_*" }}
    column = "date"
    shift_months = 3
    from = 2027-01-01
    until = 2027-07-01

| key | meaning |
|---|---|
| `table` | the table, or a section of `instance.toml`; {_SECTIONS} not in an outcome |
| `where` | a value for each column, text with `*`, `?`, `[...]`; all must match, case counts; left out: every row |
| `column` | the column that changes |
| `set` | the new value; `""` clears the cell |
| `scale`, `add` | multiplies the value, or adds to it; a blank cell counts as its default, "none" stays none |
| `shift_months` | moves a date by months; the 31st becomes the last day of a shorter month |
| `insert` | a table of cells: a new row, in place of `where` and `column` |
| `drop` | `true`: the rows go, and with a pool, pathway or contract every row that names it |
| `from`, `until` | only what is dated from the one day until the day before the other |

An edit that matches no row is an error: a misspelt name would otherwise change nothing and say nothing.

On a step function `from` and `until` cut the steps: the rows in force on these two days are first repeated with the
day as their `from`, and then whatever starts in between is changed. On `deliveries` and `churn` they select rows by
date, before any shift. Other tables have no dates to select by, and `from` is an error there.

On the command line the same edits are written on one line:

    --set 'value[pathway=deals, tier=1].value_bn_per_gw_year *= 0.9 @ 2027-07-01'
    --set 'deliveries[contract=neocloud_*].date += 3 months'
    --set 'demand[pathway=msl].cap_gw = 1.5 @ 2027-01-01..2027-07-01'
    --set 'insert churn[pathway=deals, date=2027-06-01, fraction=0.5]'
    --set 'drop contracts[contract=neocloud_2026_e]'
    --set 'risk.aversion = 0.3'
    --set 'uncertainty[factor=market, outcome=glut].probability = 0.6'

Values with blanks or commas stand in double quotes. `contract=="azure*"` is the contract of that very name, with its
asterisk; `row=7` is the row of that number in its file, where nothing else tells rows apart. Behind `@` stand the first
day and, after two dots, the first day that is no longer meant; either may be missing: `@ 2027-01-01` runs to the end,
`@ ..2028-01-01` from the beginning. When a probability is set, the factor's other outcomes are scaled so that all
still sum to 1. Where they hang on earlier factors (below), the edit names the row of probabilities that it changes:
`uncertainty[factor=market, outcome=glut, given="demand=weak"].probability = 0.7`; `given=""` is that of none.

Edits are applied in the order given: what-ifs, then `--set`, then the outcomes in the order of their factors. Each
sees what those before it left.

## Uncertainty

`uncertainty.toml` holds factors. Each has a `name`, a date on which it is `revealed`, and outcomes with a `name`, a
`probability` and any number of edits:

    [[factor]]
    name = "msl_progress"
    revealed = 2027-01-01

    [[factor.outcome]]
    name = "holds"
    probability = 0.7

    [[factor.outcome]]
    name = "lags"
    probability = 0.3

    [[factor.outcome.edit]]
    table = "demand"
    where = {{ pathway = "msl" }}
    column = "target_gw"
    scale = 0.5
    from = 2027-01-01

A scenario is one outcome of every factor. Until the first period that starts on or after `revealed` the plan cannot
know the outcome, and does the same in all of them. Probabilities are above 0 and sum to 1 for each factor. Names are
unlike one another and hold neither `=` nor a comma.

Chances that hang together are written below an outcome: its probability where factors that stand earlier in the file
came out as named. Of the rows that hold the last counts, `probability` where none does; for each combination of earlier
outcomes a factor's probabilities sum to 1, so a row has its like below every outcome of the factor:

    [[factor]]
    name = "demand"
    revealed = 2028-01-01
    outcome = [{{ name = "weak", probability = 0.5 }}, {{ name = "strong", probability = 0.5 }}]

    [[factor]]
    name = "market"
    revealed = 2027-07-01

    [[factor.outcome]]
    name = "glut"
    probability = 0.2
    [[factor.outcome.probability_given]]
    given = {{ demand = "weak" }}
    probability = 0.8

    [[factor.outcome]]
    name = "tight"
    probability = 0.8
    [[factor.outcome.probability_given]]
    given = {{ demand = "weak" }}
    probability = 0.2

What is learnt about such a factor tells of the earlier ones: with `--given market=glut`, or a what-if that takes it as
known, weak demand becomes as likely as it is in a glut, and the change is named.

An outcome may not change the past: what its edits do to the periods before its reveal is an error that names the row.
Date the edit on or after the reveal.

## What-ifs

A file `whatifs/NAME.toml` holds a what-if: a `description` and edits, written `[[edit]]`. It may also, or only, take
outcomes as known:

    description = "It is known from the start that MSL lags"
    given = {{ msl_progress = "lags" }}

That outcome then has probability 1, and the factor's others are left out. A what-if always starts from the instance
as written, never from another what-if. `gwplan check` applies each of them once, alone, to see that it still fits.

## Levers

`levers.toml` says what [`gwplan ui`](how-to/whatif-page.md) lets a planner move, in the order in which it is shown:

    [[lever]]
    label = "Value of short deals"
    edit = "value[pathway=deals].value_bn_per_gw_year *= 1"
    range = [0.5, 1.5]
    step = 0.05
    unit = "x as written"
    group = "Demand"

{_LEVERS}

Several edits in a list, `edit = ["...", "..."]`, take the same value together. `gwplan check` applies each lever at
both ends of its range, alone; `gwplan tornado --levers N` writes the file from what moves the plan most. No lever
changes the instance: a plan is made as if the file were not there.

## Claims

`gwplan claims` sets each published figure in `claims.csv` beside what the instance's data, and where it asks for it the
plan, give. `relation` says how that figure should stand to the reported one: `about` (within `tolerance` of it),
`at_least` or `at_most` (not short of it, or beyond it, by more than that). A `quantity` is written with numbers,
`+ - * /`, parentheses and:

| written | is |
|---|---|
| `contracts[contract=nebius_2025].face_value_bn` | the cell of the one row that meets every condition |
| `sum(deliveries[contract=own_*].gw)` | the sum over all rows that meet them; text takes `*`, `?`, `[...]` |
| `sum(deliveries[contract.kind=cloud].gw * contract.cost_bn_per_gw_year)` | products, summed over the rows |
| `sum(deliveries[contract.signed=2026-01-01..2026-07-01].gw)` | dates or numbers from one end to before the other |
| `count(pathways)` | how many rows |
| `plan.npv_bn` | a figure of the plan: {_FIGURES} |
| `plan.expected_gw_years[pathway=ads]`, `sum(plan.value_bn)` | likewise {_KEYED} |

A column that names a row of another table reaches that row's columns: `contract.kind` of a delivery is the `kind` of
its contract. A blank cell counts as its default; "none" has no value and is an error. Either end of a range may be
missing.

What cannot be read, and names that nothing has, are errors with claim and place. A quantity that finds no row is a
warning of `gwplan check`, since a what-if may drop the row, and an error of `gwplan claims`.

## Workbooks

An instance may also be one workbook (`.xlsx`, `.xlsm`): one sheet for each table, called after it, its columns named in
row 1 in any order, with the same cells. Dates are dates of the workbook or text. Rows that are blank are passed over.
Formulas count with the value that they had when the workbook was saved, if it cannot be out of date
([workbooks](workbooks.md#an-instance-as-a-workbook)); merged cells are refused. Sheets of other names are not read,
but a name that is nearly a table's is an error. `about` explains the columns. What a folder keeps in TOML stands in
these sheets; an edit is written as `--set` takes it, one a row, applied in the order of the rows:

{_SHEETS}

Row numbers and cells in messages are the sheet's: `demand!C7`.

## What is refused, and what is only said

Refused are: cells that break the rules of the tables above; names that no table defines; a key that occurs twice; a
start that is not the first of a month; a window that closes before it opens; tiers that rise; a floor above what the
cap allows on the most effective pool, or on a pathway that may use no pool; churn on a pathway that has no deals;
initial deals that need notice and exceed the supply of their pools at the start; a lock with its least above its most,
an end before its beginning, or on a pair that may not be used; probabilities that do not sum to 1; a claim whose
quantity cannot be read; a lever that changes something where it stands, or fits nothing at an end of its range; an edit
or a condition that fits nothing; an outcome that changes the past.

Said as warnings, because they are allowed but decide nothing or perhaps not what was meant: a pathway without value
or demand; a pool without a contract, or that no pathway may use; a contract without deliveries; a delivery that comes
when its contract or the plan has ended; a window in which no period starts; a step, a loss, a lock or a factor too
late for the plan; a loss before the start; a tier behind an unlimited one; costs of signing or breach without deals;
notice that costs nothing to go round; pools without a terminal value whose contracts may be cancelled and outlive the
plan; more in use in a pool before the start than it delivers; a face value more than a tenth off GW times price times
years; a what-if that changes nothing. A warning is left out where an outcome makes the row count.
"""


def format_page() -> str:
    """Return the page on the instance format as Markdown."""
    sections = [table for table in TABLES.values() if table.section]
    tables = [table for table in TABLES.values() if not table.section]
    lines = ["## instance.toml", ""]
    for table in sections:
        heading = "At the top of the file" if table.name == "instance" else f"`[{table.name}]`"
        needed = "required" if table.required else "may be left out"
        lines += [f"{heading} ({needed}): {_lower(table.about)}", "", *_columns(table), ""]
    lines += ["## Tables", "", *_overview(tables), ""]
    for table in tables:
        lines += [f"### {table.file}", "", f"{table.about} {_key(table)}".strip(), "", *_columns(table), ""]
    lines += ["### On every table", "", "Carried along and never read by the model:", ""]
    lines += _rows([(column.name, type_words(column), "", "blank", "", column.about) for column in ANNOTATIONS])
    return _HEAD + "\n".join(lines) + "\n\n" + _AFTER_TABLES


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _overview(tables: list[Table]) -> list[str]:
    lines = ["| table | a row is | needed |", "|---|---|---|"]
    for table in tables:
        needed = "yes" if table.required else "no; without it every pair" if table.name == "eligibility" else "no"
        lines.append(f"| [`{table.file}`](#{table.name}csv) | {_lower(table.about).rstrip('.')} | {needed} |")
    return lines


def _key(table: Table) -> str:
    return f"Key: {', '.join(f'`{name}`' for name in table.key)}; it occurs once." if table.key else ""


def _columns(table: Table) -> list[str]:
    return _rows(
        [(c.name, type_words(c), c.unit, default_words(c), rule_words(c), c.about) for c in table.columns],
    )


def _rows(cells: list[tuple[str, str, str, str, str, str]]) -> list[str]:
    lines = ["| column | type | unit | default | rule | meaning |", "|---|---|---|---|---|---|"]
    return lines + [f"| `{name}` | " + " | ".join(others) + " |" for name, *others in cells]
