"""The catalogue of the instance format: every table and column with type, unit, default, rule and meaning.

Validation, the format page of the docs and ``gwplan new`` are all made from this one list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["text", "number", "integer", "date", "flag"]
Scalar = str | float | int | bool | None


class _Required:
    """The default of a column that has none."""

    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(frozen=True)
class Column:
    """One column of a table, or one key of a section of ``instance.toml``.

    Attributes
    ----------
    name : str
        Column name; a unit, where there is one, is part of it.
    kind : {"text", "number", "integer", "date", "flag"}
        Type of the cells.
    about : str
        What the column means, one sentence.
    default : Scalar or REQUIRED
        What a blank cell stands for; ``None`` means "none" (no limit, no date, no value).
    unit : str
        Unit of the quantity.
    key : bool
        Whether the column is part of the table's key.
    least, most : float or None
        Smallest and largest value allowed.
    open_ends : str
        ``"("`` if `least` itself is excluded, ``")"`` if `most` is, ``"()"`` if both are.
    choices : tuple of str
        The values allowed, when they are few.
    refers_to : str
        The table in whose key column of the same name the value must occur.
    scales_value : bool
        Whether what the row's pathway earns is multiplied by the value.
    """

    name: str
    kind: Kind
    about: str
    default: Scalar | _Required = REQUIRED
    unit: str = ""
    key: bool = False
    least: float | None = None
    most: float | None = None
    open_ends: str = ""
    choices: tuple[str, ...] = ()
    refers_to: str = ""
    scales_value: bool = False

    @property
    def required(self) -> bool:
        """Whether a blank cell is an error."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Table:
    """One table of the format.

    Attributes
    ----------
    name : str
        Name of the table: file ``<name>.csv``, or a section of ``instance.toml``.
    about : str
        What a row says.
    columns : tuple of Column
        The columns, in the order in which they are written.
    section : bool
        Whether it is a section of ``instance.toml`` (a table of one row).
    required : bool
        Whether it must be present.
    dated_by : str
        Column by which an edit's ``from`` and ``until`` select rows; blank: the table is undated.
    step : bool
        Whether rows hold from their date until the pathway's next date.
    path : str
        The file that holds it, where that has no name of its own.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    section: bool = False
    required: bool = False
    dated_by: str = ""
    step: bool = False
    path: str = ""
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({column.name: column for column in self.columns})

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def file(self) -> str:
        """Name of the file that holds the table."""
        return self.path or ("instance.toml" if self.section else f"{self.name}.csv")

    def __getitem__(self, name: str) -> Column:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name


def text(name: str, about: str, default: Scalar | _Required = "", **more: object) -> Column:
    """Return a column of text."""
    return Column(name, "text", about, default, **more)  # type: ignore[arg-type]


def amount(name: str, about: str, default: Scalar | _Required = 0.0, unit: str = "", **more: object) -> Column:
    """Return a column of quantities, at least 0 unless told otherwise, in the unit given."""
    return Column(name, "number", about, default, unit=unit, **{"least": 0.0, **more})  # type: ignore[arg-type]


def share(name: str, about: str, default: Scalar | _Required, **more: object) -> Column:
    """Return a column of shares, between 0 and 1."""
    return Column(name, "number", about, default, unit="share", **{"least": 0.0, "most": 1.0, **more})  # type: ignore[arg-type]


def date(name: str, about: str, default: Scalar | _Required = REQUIRED, **more: object) -> Column:
    """Return a column of dates."""
    return Column(name, "date", about, default, **more)  # type: ignore[arg-type]


def count(name: str, about: str, default: Scalar | _Required, unit: str = "", **more: object) -> Column:
    """Return a column of whole numbers, at least 0 unless told otherwise, in the unit given."""
    return Column(name, "integer", about, default, unit=unit, **{"least": 0.0, **more})  # type: ignore[arg-type]


GW: Final = "GW"
EFFECTIVE_GW: Final = "effective GW"
BN: Final = "$bn"
RATE: Final = "$bn per GW-year"
PER_GW: Final = "$bn per GW"
PER_YEAR: Final = "$bn per year"


def key(column: Column) -> Column:
    """Return a column as part of its table's key."""
    values = {name: getattr(column, name) for name in ("name", "kind", "about", "default", "refers_to", "least")}
    return Column(**values, key=True)


__all__ = [
    "ANNOTATIONS",
    "EDITABLE_ONLY_BY_WHATIF",
    "LEVERS",
    "RELATIONS",
    "REQUIRED",
    "SCHEMA_VERSION",
    "TABLES",
    "Column",
    "Kind",
    "Scalar",
    "Table",
    "allowed_columns",
]

SCHEMA_VERSION: Final = 1
"""Version of the format; a new one asks for a step from this one in `gwplan.storage.migrate`."""

POOL = text("pool", "Pool: a class of capacity that is fungible within itself.", REQUIRED, refers_to="pools")
CONTRACT = text("contract", "Contract that supplies capacity, or takes it.", REQUIRED, refers_to="contracts")
PATHWAY = text("pathway", "Pathway: a use of capacity.", REQUIRED, refers_to="pathways")

RELATIONS: Final = ("about", "at_least", "at_most")
"""How a figure should stand to a published one."""

ANNOTATIONS: Final = (
    text("source", "Where the row comes from."),
    Column(
        "status",
        "text",
        "How sure the row is.",
        "",
        choices=("reported", "estimate", "scenario", "assumption"),
    ),
    text("note", "Anything worth saying about the row."),
)
"""Columns allowed on every table: carried through, never read by the model."""

FROM: Final = date("from", "Date from which the row holds, until the pathway's next date.", key=True)

TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        Table(
            "instance",
            "What the instance is.",
            (
                count("schema", "Version of this format.", REQUIRED),
                text("name", "Name of the instance.", REQUIRED),
                text("description", "What the instance is about."),
            ),
            section=True,
            required=True,
        ),
        Table(
            "calendar",
            "The periods of the plan.",
            (
                date("start", "First day of the first period, the first of a month.", REQUIRED),
                Column(
                    "resolution",
                    "text",
                    "Length of a period.",
                    REQUIRED,
                    choices=("month", "quarter", "year"),
                ),
                count("periods", "Number of periods.", REQUIRED, "periods", least=1.0, most=1200.0),
            ),
            section=True,
            required=True,
        ),
        Table(
            "economics",
            "How money is weighed over time.",
            (amount("discount_rate", "Discount rate.", 0.0, "per year"),),
            section=True,
        ),
        Table(
            "risk",
            "How bad outcomes are weighed.",
            (
                share("aversion", "Weight on CVaR against expected worth.", 0.0, open_ends=")"),
                share("tail", "Share of the worst outcomes that CVaR averages.", 0.1, open_ends="("),
            ),
            section=True,
        ),
        Table(
            "pools",
            "A class of capacity that is fungible within itself.",
            (
                key(text("pool", "Name of the pool.", REQUIRED)),
                text("description", "What the pool is."),
                amount("idle_penalty_bn_per_gw_year", "Planning weight on idle capacity.", 0.0, RATE),
                amount(
                    "terminal_value_bn_per_gw_year",
                    "Worth of capacity under contract after the horizon; none: not counted.",
                    None,
                    RATE,
                ),
            ),
            required=True,
        ),
        Table(
            "contracts",
            "A contract that supplies capacity to one pool, or takes it from one.",
            (
                key(text("contract", "Name of the contract.", REQUIRED)),
                Column(
                    "side",
                    "text",
                    "Whether we buy the capacity or sell it; what is sold leaves the pool, and its price is received.",
                    "buy",
                    choices=("buy", "sell"),
                ),
                text("vendor", "Who supplies the capacity; of a contract sold, the customer."),
                Column(
                    "kind",
                    "text",
                    "Kind of supply.",
                    "",
                    choices=("cloud", "colocation", "self_build"),
                ),
                POOL,
                text("site", "Where the capacity stands; for limits."),
                amount("power_per_gw", "GW of power that a GW takes; for limits.", 1.0, "GW per GW"),
                date("signed", "Date of signature; for reading only.", None),
                date("end", "First day on which the capacity is no longer delivered; not moved by a delay.", None),
                amount("cost_bn_per_gw_year", "Price of the capacity in service.", 0.0, RATE),
                share("price_growth_per_year", "Share by which the price rises on each anniversary.", 0.0),
                date("price_from", "Date that anniversaries count from; none: each delivery's arrival.", None),
                share("prepaid_share", "Share of a delivery's bills that is paid ahead, and set off later.", 0.0),
                count("prepaid_days", "Days before its arrival on which that is paid.", 0, "days"),
                count("credit_after_months", "Months of service before bills are set off against it.", 0, "months"),
                count("delay_months", "Months by which every delivery of the contract is late.", 0, "months"),
                amount(
                    "late_credit_bn_per_gw_year",
                    "What is received for capacity that a delay makes late; of a contract sold, what capacity due and "
                    "not there costs us, none: it must be there.",
                    None,
                    RATE,
                ),
                amount(
                    "face_value_bn",
                    "Published value of the contract; compared with the sum of its bills, never read by the model.",
                    None,
                    BN,
                ),
            ),
            required=True,
        ),
        Table(
            "deliveries",
            "Capacity that a contract adds on a date.",
            (
                CONTRACT,
                date("date", "Date on which the capacity is added, before the contract's delay.", None),
                amount("gw", "Capacity added then.", REQUIRED, GW, open_ends="("),
                count("after_days", "Of an offer, days from its signature in place of a date.", None, "days"),
                count(
                    "term_months",
                    "Months of service from its arrival, delay included; none: to the contract's end.",
                    None,
                    "months",
                    least=1.0,
                ),
                amount(
                    "upfront_bn_per_gw",
                    "Paid once on arrival: capital, or a deposit that is not credited.",
                    0.0,
                    PER_GW,
                ),
                amount(
                    "credit_bn",
                    "What is left of a prepayment made before the start; none: what it has not covered by then.",
                    None,
                    BN,
                ),
            ),
            required=True,
            dated_by="date",
        ),
        Table(
            "cancellations",
            "A window in which a contract may be cancelled.",
            (
                key(CONTRACT),
                text("window", "Name of the window, where the contract has several.", key=True),
                date("opens", "First date on which notice may be given."),
                date("closes", "Last date on which notice may be given."),
                count("notice_days", "Days from notice to the end of deliveries.", 0, "days"),
                amount("fee_bn_per_gw", "Fee per contracted GW, paid when notice is given.", 0.0, PER_GW),
                share("fee_share_of_rest", "Fee as a share of the bills after the notice, up to the end.", 0.0),
                share("max_share", "Largest share of the contract that may be cancelled.", 1.0),
                Column("indivisible", "flag", "Whether the contract is cancelled whole or not at all.", False),
            ),
        ),
        Table(
            "offers",
            "A contract that is in force only as far as it is signed.",
            (
                key(CONTRACT),
                date("opens", "First date on which it may be signed."),
                date("closes", "Last date on which it may be signed."),
                count("lead_days", "Days from the signature to the first delivery at the earliest.", 0, "days"),
                amount("signing_cost_bn_per_gw", "One-off cost per contracted GW that is signed.", 0.0, PER_GW),
                share("max_share", "Largest share that may be signed.", 1.0),
                share("least_share", "Smallest share that must be signed when the window closes.", 0.0),
                share("min_share", "Smallest share that may be signed, but for none.", 0.0),
                Column("indivisible", "flag", "Whether the offer is signed whole or not at all.", False),
                text(
                    "extends",
                    "Contract that it extends: from its end, by the capacity that it delivers last; none is delivered "
                    "by date.",
                    refers_to="contracts",
                ),
            ),
        ),
        Table(
            "offer_prices",
            "The terms of an offer for what is signed from a date on.",
            (
                key(CONTRACT),
                date("from", "Date of signature from which the row holds, until the offer's next date.", key=True),
                amount("cost_bn_per_gw_year", "Price; none: as in contracts.", None, RATE),
                amount("signing_cost_bn_per_gw", "One-off cost of signing; none: as in offers.", None, PER_GW),
            ),
            dated_by="from",
            step=True,
        ),
        Table(
            "pathways",
            "A use of capacity.",
            (
                key(text("pathway", "Name of the pathway.", REQUIRED)),
                text("description", "What the pathway is."),
                share("realisation", "Probability that the pathway's value is realised.", 1.0, scales_value=True),
                amount("shortfall_penalty_bn_per_gw_year", "Planning weight on a missed target.", 0.0, RATE),
                amount("ramp_gw_per_month", "Fastest growth; none: no limit.", None, "GW per month"),
                amount("migration_cost_bn_per_gw", "One-off cost of moving capacity onto a pool.", 0.0, PER_GW),
                count("notice_days", "Days' notice before capacity in a deal comes back.", 0, "days"),
                count("min_term_days", "Shortest term of a deal.", 0, "days"),
                share("churn_per_year", "Share of the deals in force that is lost each year.", 0.0),
                amount("signing_cost_bn_per_gw", "One-off cost of signing a deal.", 0.0, PER_GW),
                amount(
                    "breach_cost_bn_per_gw",
                    "One-off cost of taking capacity back without notice; none: not possible.",
                    None,
                    PER_GW,
                ),
            ),
            required=True,
        ),
        Table(
            "eligibility",
            "A pathway that may use a pool.",
            (
                key(PATHWAY),
                key(POOL),
                amount("effectiveness", "Effective GW per GW.", 1.0, "effective GW per GW"),
                amount("operating_cost_bn_per_gw_year", "Cost of operating the pair.", 0.0, RATE),
                amount("initial_gw", "Capacity in use just before the start.", 0.0, GW),
                amount("min_block_gw", "The pair is used at 0 or at least this much.", 0.0, GW),
            ),
        ),
        Table(
            "effectiveness",
            "Effectiveness of a pair from a date on, in place of that in eligibility.",
            (
                key(PATHWAY),
                key(POOL),
                date("from", "Date from which the row holds, until the pair's next date.", key=True),
                amount("effectiveness", "Effective GW per GW from that date on.", REQUIRED, "effective GW per GW"),
            ),
            dated_by="from",
            step=True,
        ),
        Table(
            "demand",
            "What a pathway asks for.",
            (
                key(PATHWAY),
                FROM,
                amount("floor_gw", "Effective capacity that the pathway must have.", 0.0, EFFECTIVE_GW),
                amount("target_gw", "Effective capacity below which a shortfall is penalised.", 0.0, EFFECTIVE_GW),
                amount("cap_gw", "Most capacity that the pathway can use; none: no limit.", None, GW),
            ),
            dated_by="from",
            step=True,
        ),
        Table(
            "value",
            "What a pathway earns, tier by tier.",
            (
                key(PATHWAY),
                FROM,
                count("tier", "Number of the tier; values must not rise from tier to tier.", REQUIRED, key=True),
                amount("width_gw", "Effective capacity that earns the tier; none: unlimited.", None, EFFECTIVE_GW),
                amount("value_bn_per_gw_year", "What an effective GW earns in the tier.", REQUIRED, RATE),
            ),
            dated_by="from",
            step=True,
        ),
        Table(
            "curves",
            "What a pathway earns along a curve of diminishing returns.",
            (
                key(PATHWAY),
                FROM,
                Column("kind", "text", "Kind of curve.", REQUIRED, choices=("log2",)),
                amount(
                    "base_gw", "Capacity whose doubling the curve speaks of.", REQUIRED, EFFECTIVE_GW, open_ends="("
                ),
                amount("base_value_bn_per_year", "Value that the uplift is a share of.", REQUIRED, PER_YEAR),
                amount("uplift_per_doubling", "Share of the base value added by a doubling.", REQUIRED, "share"),
                amount("max_gw", "Capacity at which the curve ends.", REQUIRED, EFFECTIVE_GW, open_ends="("),
                count("segments", "Number of chords that stand for the curve.", REQUIRED, least=1.0, most=1000.0),
            ),
            dated_by="from",
            step=True,
        ),
        Table(
            "churn",
            "A one-off loss of the deals in force.",
            (
                key(PATHWAY),
                date("date", "Date of the loss.", key=True),
                share("fraction", "Share of the deals in force that is lost.", REQUIRED),
            ),
            dated_by="date",
        ),
        Table(
            "running",
            "Terms and notices of deals that run on from before the start.",
            (
                key(PATHWAY),
                Column("kind", "text", "What runs on.", REQUIRED, key=True, choices=("term", "notice")),
                date(
                    "until",
                    "Of a term the first day on which the deals may come back, of notice the day on which they do.",
                    key=True,
                ),
                amount(
                    "gw",
                    "Capacity in those deals just before the start; of a term less what was breached, which can leave "
                    "it below 0.",
                    REQUIRED,
                    GW,
                    least=None,
                ),
            ),
        ),
        Table(
            "locks",
            "A planner's override of the allocation.",
            (
                key(PATHWAY),
                Column(
                    "pool",
                    "text",
                    "Pool; blank: the pathway's sum over its pools.",
                    "",
                    key=True,
                    refers_to="pools",
                ),
                date("from", "First date on which the lock holds.", key=True),
                date("until", "Date from which the lock no longer holds; none: to the end.", None),
                amount("min_gw", "Least capacity.", 0.0, GW),
                amount("max_gw", "Most capacity; none: no limit.", None, GW),
            ),
        ),
        Table(
            "claims",
            "A published figure beside what the instance's data give.",
            (
                key(text("claim", "Name of the claim.", REQUIRED)),
                text("statement", "The claim in words.", REQUIRED),
                text("quantity", "Arithmetic over the instance's cells and the plan's figures.", REQUIRED),
                Column("reported", "number", "Published figure.", REQUIRED),
                Column("relation", "text", "How the data should stand to it.", "about", choices=RELATIONS),
                text("unit", "Unit of the figure.", REQUIRED),
                amount("tolerance", "Relative difference up to which the claim holds.", 0.05, "share"),
            ),
        ),
    )
}
"""Every table by name, in the order in which the docs list them."""

VALUE_FACTORS: Final = tuple(column.name for column in TABLES["pathways"].columns if column.scales_value)
"""Columns of ``pathways`` by whose product everything that the pathway earns is multiplied."""

EDITABLE_ONLY_BY_WHATIF: Final = ("calendar", "economics", "risk", "uncertainty")
"""What an edit may reach only before the tree is made: an outcome may not."""


def allowed_columns(table: Table) -> tuple[Column, ...]:
    """Return the table's own columns and the annotations that every CSV table may carry."""
    own = {column.name for column in table.columns}
    return table.columns if table.section else table.columns + tuple(c for c in ANNOTATIONS if c.name not in own)


def reading(*reads: str) -> frozenset[str]:
    """Return ``table.column`` for every column of ``table: column column``."""
    columns = set()
    for read in reads:
        table, _, names = read.partition(":")
        columns |= {f"{table}.{name}" for name in names.split()} or {table}
    return frozenset(columns)


_FACTOR: Final = Column("factor", "text", "Name of the factor: something uncertain.", REQUIRED)
_OUTCOME: Final = Column("outcome", "text", "Name of the outcome.", REQUIRED)
_WHATIF: Final = Column("whatif", "text", "Name of the what-if.", REQUIRED)
_EDIT: Final = Column(
    "edit",
    "text",
    "What changes, as --set takes it: value[pathway=deals].value_bn_per_gw_year *= 0.8 @ 2027-01-01. In the order of "
    "the rows.",
    REQUIRED,
)

SETTINGS: Final = Table(
    "settings",
    "What stands in instance.toml: one row per key; a blank value means the default.",
    (
        Column("section", "text", "Section: instance, calendar, economics or risk.", REQUIRED),
        Column("key", "text", "Key of the section.", REQUIRED),
        Column("value", "text", "Its value.", ""),
        Column("about", "text", "Unit, default, rule and meaning of the key; for reading only.", ""),
    ),
    section=True,
    required=True,
)

OUTCOMES: Final = Table(
    "outcomes",
    "Outcomes of what is uncertain: one row per outcome; rows of one factor stand together.",
    (
        _FACTOR,
        Column("revealed", "date", "Date on which the factor is known; the same on all its rows.", REQUIRED),
        _OUTCOME,
        Column("probability", "number", "Probability of the outcome; those of a factor sum to 1.", REQUIRED, "share"),
    ),
    section=True,
)

PROBABILITIES_GIVEN: Final = Table(
    "probabilities_given",
    "Probabilities of outcomes where earlier factors came out as named; of the rows of an outcome that hold the last "
    "counts.",
    (
        _FACTOR,
        _OUTCOME,
        Column("given", "text", "Outcomes of earlier factors: factor=outcome, joined by commas.", REQUIRED),
        Column("probability", "number", "Its probability there; those of a factor sum to 1.", REQUIRED, "share"),
    ),
    section=True,
)

OUTCOME_EDITS: Final = Table(
    "outcome_edits", "What outcomes change: one row per edit.", (_FACTOR, _OUTCOME, _EDIT), section=True
)

WHATIFS: Final = Table(
    "whatifs",
    "What-ifs: one row each.",
    (
        _WHATIF,
        Column("description", "text", "What it asks, in words.", ""),
        Column("given", "text", "Outcomes that it takes as known: factor=outcome, joined by commas.", ""),
    ),
    section=True,
)

WHATIF_EDITS: Final = Table("whatif_edits", "What what-ifs change: one row per edit.", (_WHATIF, _EDIT), section=True)

LEVERS: Final = Table(
    "levers",
    "What gwplan ui lets a planner move: one row per edit; the rows of one label are one lever.",
    (
        Column("label", "text", "What it is called.", REQUIRED),
        Column(
            "edit",
            "text",
            "An edit that changes nothing, as --set takes it: its value is where the lever stands, and is what it "
            "moves. 1 after *=, 0 after += or -=, after = the value that is written.",
            REQUIRED,
        ),
        Column("least", "number", "How far down it goes; in levers.toml the first of range.", REQUIRED),
        Column("most", "number", "How far up it goes; in levers.toml the second of range.", REQUIRED),
        Column("step", "number", "By how much it moves at a time; none: a twentieth of the range, or a month.", None),
        Column("unit", "text", "Unit of its value, in words.", ""),
        Column("group", "text", "Levers of one group stand together.", ""),
    ),
    section=True,
    path="levers.toml",
)

SHEETS: Final[dict[str, Table]] = {
    table.name: table
    for table in (SETTINGS, OUTCOMES, PROBABILITIES_GIVEN, OUTCOME_EDITS, WHATIFS, WHATIF_EDITS, LEVERS)
}
"""The sheets in place of TOML files, by name, in the order in which they are written."""

KNOWN_SHEETS: Final[dict[str, Table]] = {
    **SHEETS,
    **{name: table for name, table in TABLES.items() if not table.section},
}
"""Every sheet that is read from a workbook, by name."""

ABOUT: Final = "about"
"""The sheet that explains a workbook and is not read."""

GIVEN: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        Table(
            "plan",
            "A given allocation: GW of a pair on a node, on all nodes of a date or on all of a period.",
            (
                count("node", "Node of the tree.", None),
                count("period", "Number of a period.", None),
                date("start", "First day of a period.", None),
                text("known", "Outcomes known at the node, to tell a file of another tree."),
                share("probability", "Probability of the node; for reading only.", None),
                PATHWAY,
                POOL,
                Column("gw", "number", "GW of the pool that the pathway uses.", REQUIRED, unit=GW),
            ),
        ),
        Table(
            "actuals",
            "What is in use just before a date; a pair that is left out is at 0 GW.",
            (key(PATHWAY), key(POOL), amount("gw", "GW of the pool that the pathway uses.", REQUIRED, GW)),
        ),
        Table(
            "rules",
            "A policy of a backtest: what each pathway is given, and what is done with contracts.",
            (
                text("pathway", "The pathway that is given capacity; blank: the rule is about a contract."),
                text("pool", "The pool that it is given of; *: each that it may use.", "*"),
                text("contract", "An offer to be signed, or a contract to be given back."),
                share("share", "Share of the pool at the most, or of the contract.", 1.0),
                count("order", "Order of merit: what has the lowest is served first.", 1),
                text("trigger", "What must hold: value > 2, idle >= 0.3, date >= 2027-07-01."),
                Column("notice", "flag", "Whether notice may be given to end the pathway's deals.", True),
            ),
        ),
        Table(
            "draws",
            "Cells whose value is drawn.",
            (
                text("cell", "The cells, as on the left side of an edit.", REQUIRED),
                text("distribution", "Name of the distribution.", REQUIRED),
                text("parameters", "Its parameters, joined by commas.", REQUIRED),
            ),
        ),
        Table(
            "correlations",
            "Rank correlations of drawn cells.",
            (
                text("first", "A drawn cell.", REQUIRED),
                text("second", "Another drawn cell.", REQUIRED),
                Column("correlation", "number", "Rank correlation.", REQUIRED, "ratio", False, -1.0, 1.0, "()"),
            ),
        ),
    )
}
"""The small tables that commands are given, by name; their files have names of their own."""
