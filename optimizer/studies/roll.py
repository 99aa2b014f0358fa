"""The next instance: the same one from a later start, with what a plan, or what happened, left it with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gwplan.catalogue.tables import LEVERS, TABLES
from gwplan.catalogue.tolerances import ROUNDING
from gwplan.check.check import check
from gwplan.files import printable
from gwplan.instance.cells import frame_of
from gwplan.instance.edit import rows_of
from gwplan.instance.instance import Instance, replaced
from gwplan.kept.run import Run
from gwplan.language.cursor import Name
from gwplan.language.edits import Edit
from gwplan.problems import InstanceError, Problem, nearest
from gwplan.solver.program import IntArray
from gwplan.storage.read import given_table
from gwplan.studies.evaluate import listed
from gwplan.studies.roll_signed import SCALED, Signature, scaled_deliveries, signatures, with_signed
from gwplan.tree.calendar import calendar_of
from gwplan.tree.contracts import extended_contracts, tranches
from gwplan.tree.timeline import Timeline, timeline

Row = dict[str, Any]


Notice = tuple[dt.date, float, str]
"""The day from which a share of a contract is out of service, the share, and the name of the window."""


@dataclass(frozen=True)
class State:
    """What a plan leaves behind just before a date."""

    initial: Mapping[tuple[str, str], float]  # GW in use by pathway and pool
    running: list[Row]  # rows of the table ``running``
    cancelled: Mapping[str, list[Notice]]  # by contract the shares for which notice was given
    signed: Mapping[str, list[Signature]]  # by offer what was signed of it
    extends: Mapping[str, str]  # the contract that each extension extends


def period_of(instance: Instance, to: dt.date) -> int:
    """Return the number of the period that starts on a date."""
    starts = calendar_of(instance).starts().astype(object).tolist()
    if to in starts[1:]:
        return int(starts.index(to))
    rule = f"must be the first day of a later period of the plan, {starts[1:2] and starts[1]} to {starts[-1]}"
    raise InstanceError(Problem(f"--to {to}", "no such period", rule, f"the periods are {instance.resolution}s"))


def refuse_other(instance: Instance, planned: Instance, run: str) -> None:
    """Raise unless the state that a run leaves fits an instance."""
    problems = []
    for what in ("start", "resolution"):
        mine, theirs = getattr(instance, what), getattr(planned, what)
        if mine != theirs:
            problems.append(
                Problem(run, f"calendar.{what} is {theirs}", f"that of the instance is {mine}", "give its run")
            )
    for table, column in (("pathways", "pathway"), ("pools", "pool"), ("contracts", "contract")):
        unknown = set(planned.tables[table][column]) - set(instance.tables[table][column])
        problems += [
            Problem(
                run, f"{column} '{name}'", "the instance has none of that name", "give the instance that was planned"
            )
            for name in sorted(unknown)
        ]
    if problems:
        raise InstanceError(problems)


def actuals(path: str, instance: Instance) -> tuple[dict[tuple[str, str], float], list[str]]:
    """Return GW in use by pathway and pool, as a file tells it, and what must be said of pairs that it leaves out."""
    frame, rows = instance.filled("eligibility"), given_table(path, "actuals")
    allowed = {(p, q): f"{p} on {q}" for p, q in zip(frame["pathway"], frame["pool"], strict=True)}
    in_use: dict[tuple[str, str], float] = {}
    problems = []
    for number, *pair, gw in rows[["pathway", "pool", "gw"]].itertuples(name=None):
        named, where = " on ".join(pair), f"{printable(Path(path).name)} row {number}"
        if tuple(pair) not in allowed:
            hint = nearest(named, list(allowed.values()))
            problems.append(Problem(where, named, "no such pair in the instance", hint))
        elif tuple(pair) in in_use:
            problems.append(Problem(where, f"{named} stands twice", "each pair once", "remove one row"))
        in_use[pair[0], pair[1]] = gw
    if problems:
        raise InstanceError(problems)
    left = [named for pair, named in allowed.items() if pair not in in_use]
    return in_use, [f"{printable(Path(path).name)} leaves out {listed(left)}: 0 GW in use"] if left else []


def state_of(run: Run, to: dt.date, given: Mapping[str, str]) -> State:
    """Return what a kept run leaves behind just before a date, on the branch of the outcomes that are known by then.

    Raises
    ------
    InstanceError
        If more than one branch is possible; it names the factors to be given.
    """
    laid_out = run.plan.laid_out
    count = period_of(run.instance, to)
    path = _path(laid_out, count, given)
    starts = laid_out.calendar.starts(2 * laid_out.data.tree.periods + 1200).astype(object)
    rows = run.tables["allocation"]
    here = rows[rows["node"] == path[-1]]
    initial = {(p, q): gw for p, q, gw in zip(here["pathway"], here["pool"], here["gw"], strict=True)}
    signed = signatures(laid_out, run.plan.decided.signed, path)
    return State(initial, _running(run, laid_out, path, starts), _cancelled(run, laid_out, path), signed,
                 extended_contracts(run.instance))  # fmt: skip


def _path(laid_out: Timeline, count: int, given: Mapping[str, str]) -> IntArray:
    """Return the nodes of the first periods on the one branch that agrees with what is known."""
    tree, factors = laid_out.data.tree, laid_out.instance.factors
    possible = np.flatnonzero(tree.period == count - 1)
    for place, factor in enumerate(factors):
        if factor.name in given:
            outcome = [o.name for o in factor.outcomes].index(given[factor.name])
            possible = possible[np.isin(tree.known[possible, place], (-1, outcome))]
    if len(possible) > 1:
        open_ = [f.name for place, f in enumerate(factors) if len(set(tree.known[possible, place].tolist())) > 1]
        rule = "what is known by the new start decides which branch of the plan was followed"
        remedy = " ".join(f"--given {name}=OUTCOME" for name in open_)
        raise InstanceError(Problem("roll", f"{', '.join(open_)} revealed by then", rule, f"add {remedy}"))
    path: IntArray = tree.path[possible[0]][:count]
    return path


def _running(run: Run, laid_out: Timeline, path: IntArray, starts: Any) -> list[Row]:
    """Return the terms and notices that run on beyond the path, with the GW that churn has left of them.

    A term is told whole, beyond the horizon too, which the planner may move; three hundred years is the longest.
    """
    data, terms = laid_out.data, laid_out.terms(int(path[0]))
    count, root = len(path), int(data.tree.root[path[0]])
    kept = data.keep[:, path]
    amounts: dict[tuple[str, str, dt.date], float] = {}

    def add(pathway: str, kind: str, until: dt.date, gw: float) -> None:
        amounts[pathway, kind, until] = amounts.get((pathway, kind, until), 0.0) + gw

    table = run.tables["deals"]
    for a, node in enumerate(path.tolist()):
        for row in table[table["node"] == node].to_dict("records"):
            p = data.pathways.index(row["pathway"])
            left = float(np.prod(kept[p, a + 1 :]))
            until, notice = min(a + terms[row["pathway"]], len(starts) - 1), int(data.notice[p, root])
            if until > count:
                add(row["pathway"], "term", starts[until], left * (row["signed_gw"] - row["breached_gw"]))
            if a + notice >= count:
                add(row["pathway"], "notice", starts[a + notice], left * row["notice_given_gw"])
    for row in run.instance.tables["running"].to_dict("records"):
        until = row["until"].date()
        if until > (starts[count] if row["kind"] == "term" else starts[count - 1]):
            p = data.pathways.index(row["pathway"])
            add(row["pathway"], row["kind"], until, float(np.prod(kept[p])) * row["gw"])
    return [
        {"pathway": pathway, "kind": kind, "until": until, "gw": gw}
        for (pathway, kind, until), gw in amounts.items()
        if abs(gw) > ROUNDING
    ]


def _cancelled(run: Run, laid_out: Timeline, path: IntArray) -> dict[str, list[Notice]]:
    """Return the shares for which notice was given on the path, each with the day from which it is out of service."""
    data, table = laid_out.data, run.tables["cancellations"]
    table = table.fillna({"window": ""})
    by_contract: dict[str, list[Notice]] = {}
    before: dict[tuple[str, str], float] = {}
    for node in path.tolist():
        for row in table[table["node"] == node].to_dict("records"):
            way = row["contract"], row["window"]
            more = row["share"] - before.get(way, 0.0)
            before[way] = row["share"]
            if more > ROUNDING:
                name = laid_out.contract_of[data.contracts.index(way[0])]
                by_contract.setdefault(name, []).append((pd.Timestamp(row["effective"]).date(), more, way[1]))
    return by_contract


@dataclass(frozen=True)
class Rolled:
    """The next instance, the state that it begins in, and what could not be carried over."""

    instance: Instance
    state: State
    notes: list[str]


def following(instance: Instance, to: dt.date, run: Run | None, in_use: str | None, given: Mapping[str, str]) -> Rolled:
    """Return the instance from a later date on, in the state that a run, a file of GW in use, or both leave it in."""
    state, left = State({}, [], {}, {}, {}), list[str]()
    if run is not None:
        refuse_other(instance, run.instance, str(run.folder))
        instance.given(given)  # a misspelt factor or outcome is told before it is looked for in the run
        factors = {factor.name for factor in run.instance.factors}
        state = state_of(run, to, {name: outcome for name, outcome in given.items() if name in factors})
    if in_use is not None:
        initial, left = actuals(in_use, instance)
        state = replace(state, initial=initial)
    after, lines = rolled(instance, to, state, given)
    lines += left
    if run is None:
        lines.append("--actuals tell nothing of deals within their term, of notices and of cancellations given before")
    return Rolled(after, state, lines)


def rolled(instance: Instance, to: dt.date, state: State, given: Mapping[str, str]) -> tuple[Instance, list[str]]:
    """Return the instance from a later start on, and what must be said about it.

    The horizon ends where it did. A share of a contract that was cancelled becomes a contract of its own that ends when
    the notice takes effect; what is out of service by the new start is gone. One-off losses of deals that have happened
    and windows that have closed are dropped; all else stays.
    """
    count = period_of(instance, to)
    calendar = calendar_of(instance)
    last = calendar.starts(calendar.periods + 1).astype(object)[-1]
    past = calendar.starts()[count - 1]
    following = instance.given(given) if given else instance
    following = following.edited(*_past(following, to, past))
    following = _with_initial(following, state.initial)
    following = replaced(
        following, {"running": frame_of(TABLES["running"], _columns(state.running), [0] * len(state.running))}
    )
    following = replace(following, present=following.present | {"running"} if state.running else following.present)
    following = _with_credit(with_signed(following, state.signed, to), count)
    for contract, shares in state.cancelled.items():
        following = _without_share(following, *_of_what_is_left(following, state, contract, shares), to, last)
    said = [*_still_prepaid(following, state, to)]
    following = following.edited(f"calendar.start = {to}", f"calendar.periods = {instance.periods - count}")
    following, unfit = _with_what_fits(following)
    return following, said + unfit


def _still_prepaid(instance: Instance, state: State, to: dt.date) -> Iterator[str]:
    """Yield what must be said of contracts that are to be left, and of which something is still to be prepaid."""
    prepaid = instance.filled("contracts").query("prepaid_share > 0")["contract"].tolist()
    rows = instance.tables["deliveries"]
    for contract, shares in state.cancelled.items():
        open_ = rows[rows["contract"].str.startswith(contract) & rows["credit_bn"].isna()]["contract"].isin(prepaid)
        if open_.any() and any(day > to for day, _, _ in shares):
            yield f"{contract}: what is still to be prepaid of a share given back is of its bills until then"


def _past(instance: Instance, to: dt.date, past: np.datetime64) -> list[Edit]:
    """Return the edits that drop one-off losses that have happened and windows that have closed."""
    edits = []
    for row in instance.tables["churn"].to_dict("records"):
        if np.datetime64(row["date"], "D") <= past:
            edits.append(Edit("churn", "drop", {"pathway": Name(row["pathway"]), "date": row["date"].date()}))
    for row in instance.tables["cancellations"].to_dict("records"):
        if row["closes"].date() < to:
            where = {"contract": Name(row["contract"]), "window": Name(row["window"])}
            edits.append(Edit("cancellations", "drop", where))
    return edits


def _with_credit(instance: Instance, count: int) -> Instance:
    """Return the instance with what is left of prepayments that were made before a period, of firm contracts."""
    price = instance.filled("contracts").set_index("contract")["cost_bn_per_gw_year"].to_dict()
    offers, deliveries = set(instance.tables["offers"]["contract"]), instance.tables["deliveries"].copy()
    names, calendar = timeline(instance.deterministic()).names, calendar_of(instance)
    there = tranches(instance, names, calendar)
    credit = deliveries["credit_bn"].to_numpy(dtype=float).copy()
    for row, contract in enumerate(deliveries["contract"].tolist()):
        if (there.filed.prepaid[row] > 0 or there.filed.credit[row] > 0) and contract not in offers:
            credit[row] = there.payments(row, calendar, price[contract]).left[count]
    deliveries["credit_bn"] = credit
    return replaced(instance, {"deliveries": deliveries})


def _of_what_is_left(instance: Instance, state: State, contract: str, shares: list[Notice]) -> tuple[str, list[Notice]]:
    """Return what notices speak of in the next instance: of an offer its signed part, else what is not extended."""
    whole = sum(part.share for part in state.signed.get(contract, ())) or 1.0
    names = instance.tables["contracts"]["contract"].tolist()
    extended = sum(part.share for name, parts in state.signed.items() for part in parts
                   if state.extends.get(name) == contract)  # fmt: skip
    named = f"{contract} signed 1" if f"{contract} signed 1" in names else contract
    size = whole * (1.0 - extended) if extended < 1.0 else whole
    return named, [(day, share / size, window) for day, share, window in shares]


def _columns(rows: list[Row]) -> dict[str, list[Any]]:
    names = ("pathway", "kind", "until", "gw")
    columns = {name: [row[name] for row in rows] for name in names}
    return {**columns, "until": np.array(columns["until"], dtype="datetime64[s]")}  # type: ignore[dict-item]


def _with_initial(instance: Instance, initial: Mapping[tuple[str, str], float]) -> Instance:
    """Return the instance with every pair's GW just before its start."""
    frame = rows_of(TABLES["eligibility"], instance.tables, instance.present).copy()
    gw = [initial.get(pair, 0.0) for pair in zip(frame["pathway"], frame["pool"], strict=True)]
    frame["initial_gw"] = np.where(np.array(gw) > ROUNDING, gw, 0.0)
    following = replaced(instance, {"eligibility": frame})
    return replace(following, present=following.present | {"eligibility"})


def _without_share(instance: Instance, contract: str, shares: list[Notice], to: dt.date, last: dt.date) -> Instance:
    """Return the instance with a contract divided into what stays and what has been cancelled."""
    left = 1.0 - sum(share for _, share, _ in shares)
    pending = [(min(day, last), share) for day, share, _ in shares if day > to]
    whole = left <= ROUNDING
    own: list[Edit] = []
    if whole:
        own.append(Edit("cancellations", "drop", {"contract": Name(contract)}))
    following = instance
    kept = pending[-1] if whole and pending else None
    for number, (day, share) in enumerate(pending[:-1] if kept else pending, start=1):
        following = _part(following, contract, f"{contract} cancelled {number}", share, day)
    if whole and kept is None:
        return following.edited(Edit("contracts", "drop", {"contract": Name(contract)}))
    scale = kept[1] if kept else left
    if kept:
        end = _earlier(following, contract, kept[0])
        own.append(Edit("contracts", "set", {"contract": Name(contract)}, "end", end))
    following = replaced(following, {"deliveries": scaled_deliveries(following, contract, scale)})
    own.append(Edit("contracts", "scale", {"contract": Name(contract)}, "face_value_bn", scale))
    windows = following.filled("cancellations")
    window = windows[windows["contract"] == contract]
    for name, most in zip(window["window"], window["max_share"], strict=True) if not whole else ():
        given = sum(share for _, share, of in shares if of == name)
        rest = (float(most) - given) / left
        where = {"contract": Name(contract), "window": Name(name)}
        own.append(
            Edit("cancellations", "set", where, "max_share", min(rest, 1.0))
            if rest > ROUNDING
            else Edit("cancellations", "drop", where)
        )
    return following.edited(*(edit for edit in own if edit.table != "cancellations" or len(window)))


def _earlier(instance: Instance, contract: str, day: dt.date) -> dt.date:
    contracts = instance.tables["contracts"]
    end = contracts.loc[contracts["contract"] == contract, "end"].iloc[0]
    return day if pd.isna(end) else min(day, end.date())


def _part(instance: Instance, contract: str, name: str, share: float, day: dt.date) -> Instance:
    """Return the instance with a part of a contract as a contract of its own that ends on a day."""
    contracts, deliveries = instance.tables["contracts"], instance.tables["deliveries"]
    line = contracts[contracts["contract"] == contract].copy()
    line["contract"], line["face_value_bn"] = name, line["face_value_bn"] * share
    line["end"] = np.datetime64(_earlier(instance, contract, day), "s")
    rows = deliveries[deliveries["contract"] == contract].copy()
    rows["contract"] = name
    rows[list(SCALED)] *= share
    for frame in (line, rows):
        frame.index = pd.Index([0] * len(frame))
    tables = {"contracts": pd.concat([contracts, line]), "deliveries": pd.concat([deliveries, rows])}
    return replaced(instance, tables)


def _with_what_fits(instance: Instance) -> tuple[Instance, list[str]]:
    """Return the instance without the what-ifs and levers that no longer fit it, and a line for each of them."""
    problems = [problem for problem in check(instance, warnings=False) if problem.severity == "error"]
    unfit: dict[str, str] = {}
    levers = []
    for number, lever in enumerate(instance.levers, start=1):
        mine = [problem for problem in problems if problem.where.startswith(f"{LEVERS.file} lever {number} ")]
        if mine:
            unfit[f"lever {number}"] = f"lever {lever.label} no longer fits and is left out: {mine[0]}"
            problems = [problem for problem in problems if problem not in mine]
        else:
            levers.append(lever)
    for name in instance.whatifs:
        mine = [problem for problem in problems if problem.where.startswith(f"whatifs/{name}.toml")]
        if mine:
            unfit[name] = f"what-if {name} no longer fits and is left out: {mine[0]}"
            problems = [problem for problem in problems if problem not in mine]
    if problems:
        raise InstanceError(problems)
    whatifs = {name: whatif for name, whatif in instance.whatifs.items() if name not in unfit}
    return replace(instance, whatifs=whatifs, levers=tuple(levers)), list(unfit.values())
