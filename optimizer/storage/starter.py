"""A small instance to begin with, explained column by column from the catalogue."""

from __future__ import annotations

from textwrap import dedent
from typing import Final

from gwplan.catalogue.tables import ANNOTATIONS, LEVERS, SCHEMA_VERSION, TABLES, Column
from gwplan.instance.cells import name_fault, range_rule, shown
from gwplan.instance.instance import Instance
from gwplan.problems import InstanceError, Problem
from gwplan.storage.read import Sources, read_sources
from gwplan.storage.toml import toml_text


def type_words(column: Column) -> str:
    """Return what the cells of a column are."""
    kinds = {"text": "text", "number": "number", "integer": "whole number", "date": "date", "flag": "true or false"}
    return "one of " + ", ".join(f"`{choice}`" for choice in column.choices) if column.choices else kinds[column.kind]


def default_words(column: Column) -> str:
    """Return what a blank cell of a column stands for."""
    if column.required:
        return "required"
    if column.default is None:
        return "none"
    return "blank" if column.default == "" else shown(column.default)


def rule_words(column: Column) -> str:
    """Return the rules on a column beside its type, blank where there are none."""
    rules = [range_rule(column)] if range_rule(column) else []
    if column.refers_to:
        rules.append(f"a name in `{column.refers_to}.csv`")
    return "; ".join(rules)


def one_line(column: Column) -> str:
    """Return unit, default and rule of a column as the comment that stands beside it."""
    parts = [column.unit, type_words(column).replace("`", ""), f"default {default_words(column)}", rule_words(column)]
    if column.required:
        parts[2] = "required"
    return "; ".join(part for part in parts if part)


_SECTIONS: Final = {
    "calendar": {"start": "2027-01-01", "resolution": '"month"', "periods": "24"},
    "economics": {"discount_rate": "0.09"},
    "risk": {"aversion": "0", "tail": "0.1"},
}

_TABLES: Final = {
    "pools.csv": """
        pool,description,idle_penalty_bn_per_gw_year,terminal_value_bn_per_gw_year
        campus,own campus fit for training,0.05,1
        rented,rented capacity spread over sites,0.05,1
        """,
    "contracts.csv": """
        contract,vendor,kind,pool,end,cost_bn_per_gw_year
        own_campus,own,self_build,campus,2037-01-01,0.5
        lease_a,Vendor A,colocation,rented,2032-01-01,0.7
        cloud_b,Vendor B,cloud,rented,2030-01-01,1.2
        """,
    "deliveries.csv": """
        contract,date,gw
        own_campus,2026-06-01,0.6
        own_campus,2027-09-01,0.4
        lease_a,2026-10-01,0.3
        cloud_b,2027-04-01,0.3
        cloud_b,2027-10-01,0.3
        """,
    "cancellations.csv": """
        contract,opens,closes,notice_days,fee_bn_per_gw,max_share
        cloud_b,2027-07-01,2028-06-30,180,0.3,1
        """,
    "pathways.csv": """
        pathway,description,shortfall_penalty_bn_per_gw_year,ramp_gw_per_month,notice_days,min_term_days,signing_cost_bn_per_gw
        training,training of frontier models,2,0.1,,,
        ads,ranking of ads,,0.05,,,
        deals,short deals with other firms,,0.1,90,180,0.1
        """,
    "eligibility.csv": """
        pathway,pool,effectiveness,initial_gw
        training,campus,1,0.4
        training,rented,0.8,0
        ads,campus,1,0.1
        ads,rented,1,0.2
        deals,campus,1,0
        deals,rented,1,0
        """,
    "demand.csv": """
        pathway,from,target_gw,cap_gw
        training,2027-01-01,0.5,1
        training,2028-01-01,0.8,1.2
        deals,2027-01-01,,0.5
        """,
    "value.csv": """
        pathway,from,tier,width_gw,value_bn_per_gw_year
        training,2027-01-01,1,0.5,2.5
        training,2027-01-01,2,0.2,1
        training,2028-01-01,1,0.8,2.5
        training,2028-01-01,2,0.3,1
        deals,2027-01-01,1,0.2,4
        deals,2027-01-01,2,0.3,2
        deals,2028-01-01,1,0.2,3
        deals,2028-01-01,2,0.3,1.5
        """,
    "curves.csv": """
        pathway,from,kind,base_gw,base_value_bn_per_year,uplift_per_doubling,max_gw,segments
        ads,2027-01-01,log2,0.3,50,0.04,2,6
        """,
}

_UNCERTAINTY: Final = """
    # What is not known yet. A scenario is one outcome of each factor; plans agree until a factor is revealed.
    # The probabilities of a factor's outcomes sum to 1. An edit may change nothing before the reveal.
    # One that hangs on an earlier factor: [[factor.outcome.probability_given]], given = { factor = "outcome" }.

    [[factor]]
    name = "market"
    revealed = 2027-07-01

    [[factor.outcome]]
    name = "tight"
    probability = 0.6

    [[factor.outcome]]
    name = "glut"
    probability = 0.4

    # In a glut short deals earn half as much.
    [[factor.outcome.edit]]
    table = "value"
    where = { pathway = "deals" }
    column = "value_bn_per_gw_year"
    scale = 0.5
    from = 2027-07-01
    """

_WHATIF: Final = """
    # A what-if is a named list of edits; its name is the file's. Solve it with: gwplan solve . --with deliveries-slip
    description = "All rented capacity that is still to come arrives half a year late"

    [[edit]]
    table = "deliveries"
    where = { contract = "cloud*" }     # a pattern for each column; all must match
    column = "date"
    shift_months = 6                    # or one of set, scale, add; or drop = true, or insert = { ... }
    from = 2027-04-01                   # rows dated on or after
    """


_LEVERS: Final = """
    # What gwplan ui lets a planner move. The edit changes nothing as it stands; its value is what the lever moves.
    [[lever]]
    label = "Value of short deals"
    edit = "value[pathway=deals].value_bn_per_gw_year *= 1"
    range = [0.5, 1.5]
    step = 0.05
    unit = "x as written"
    group = "Demand"

    [[lever]]
    label = "Chance of a glut"
    edit = "uncertainty[factor=market, outcome=glut].probability = 0.4"
    range = [0.05, 0.95]
    step = 0.05
    group = "Uncertainty"
    """


def starter(name: str) -> dict[str, str]:
    """Return the files of a small instance that solves, by their path inside its folder."""
    fault = name_fault(name)
    if fault or not name:
        rule = fault.rule if fault else "an instance has a name"
        raise InstanceError(Problem("name", shown(name), rule, fault.remedy if fault else "give it one"))
    files = {"instance.toml": _instance_toml(name), "README.md": _readme(name)}
    files |= {file: dedent(text).lstrip() for file, text in _TABLES.items()}
    return files | {
        "uncertainty.toml": dedent(_UNCERTAINTY).lstrip(),
        LEVERS.file: dedent(_LEVERS).lstrip(),
        "whatifs/deliveries-slip.toml": dedent(_WHATIF).lstrip(),
    }


def starter_instance(name: str) -> Instance:
    """Return the starter as an instance."""
    texts = {file: text for file, text in starter(name).items() if file.endswith((".csv", ".toml"))}
    return read_sources(Sources(texts=texts)).instance()


def _instance_toml(name: str) -> str:
    top = {"schema": str(SCHEMA_VERSION), "name": toml_text(name), "description": '"An example to begin with"'}
    blocks = []
    for section, values in {"instance": top, **_SECTIONS}.items():
        table = TABLES[section]
        lines = [f"# {table.about}"] + ([f"[{section}]"] if section != "instance" else [])
        for column in table.columns:
            lines += [f"# {column.about} ({one_line(column)})", f"{column.name} = {values[column.name]}"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _readme(name: str) -> str:
    lines = [
        f"# {name}",
        "",
        "An instance for gwplan. Check it with `gwplan check` and this folder's path, solve it with `gwplan solve`.",
        "Rows are yours to change. A blank cell means the column's default; a column that is not required may be left",
        "out, and so may a whole table unless it is marked. Dates are written year-month-day.",
    ]
    for table in TABLES.values():
        if table.section:
            continue
        needed = " (required)" if table.required else "" if table.file in _TABLES else " (not used here)"
        lines += ["", f"## {table.file}{needed}", "", table.about, ""]
        for column in table.columns:
            words = [type_words(column), column.unit, rule_words(column)]
            default = default_words(column)
            words.append(default if column.required else f"blank: {default}" if default != "blank" else "may be blank")
            lines.append(f"* `{column.name}`: {column.about} ({'; '.join(word for word in words if word)})")
    lines += ["", "## Columns that every table may have", ""]
    lines += [f"* `{column.name}`: {column.about} ({type_words(column)})" for column in ANNOTATIONS]
    return "\n".join(lines) + "\n"
