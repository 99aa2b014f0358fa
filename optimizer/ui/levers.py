"""What may be moved on the page, and what was moved as a what-if: what is shown is what its file gives."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from gwplan.instance.edit import TARGET
from gwplan.instance.instance import Instance
from gwplan.language.cursor import Name
from gwplan.language.edits import Edit, Factor, Lever, WhatIf, edit, noted, spell
from gwplan.problems import InstanceError, Problem, all_told, nearest
from gwplan.studies.locks import lock

MOST: Final = 40
"""Changes of one kind, at most."""

LONGEST: Final = 400
"""Characters of a text that a page sends, at most."""

SIGN, DECLINE = "sign", "decline"
"""What may be made of an offer, besides letting the plan decide."""

AVERSION: Final = "Aversion to risk"

_KEYS: Final = ("levers", "whatifs", "given", "chances", "offers", "locks", "edits")
"""What a state of the page may hold."""


def levers(instance: Instance) -> tuple[Lever, ...]:
    """Return the levers of an instance: its own, or where it has none what most plans hang on; and aversion to risk."""
    own = instance.levers or tuple(_usual(instance))
    if any(each.table == "risk" and each.column == "aversion" for lever in own for each in lever.edits):
        return own
    aversion = Edit("risk", "set", column="aversion", value=instance.aversion)
    group = own[-1].group if own and not instance.levers else "Uncertainty"
    return (*own, Lever(AVERSION, (aversion,), 0.0, 0.9, 0.05, "weight on CVaR", group))


def _usual(instance: Instance) -> Iterator[Lever]:
    """Yield a lever for what each pathway earns and for the price of each kind of contract."""
    earning = dict.fromkeys(instance.tables["value"]["pathway"].tolist())
    for name in earning:
        cells = Edit("value", "scale", {"pathway": Name(name)}, "value_bn_per_gw_year", 1)
        yield Lever(f"Value of {name}", (cells,), 0.5, 1.5, 0.05, "x as written", "Value")
    for kind in dict.fromkeys(instance.tables["contracts"]["kind"].tolist()):
        where = {"kind": Name(kind)} if kind else {}
        cells = Edit("contracts", "scale", where, "cost_bn_per_gw_year", 1)
        yield Lever(f"Price of {kind or 'contracts'}", (cells,), 0.5, 1.5, 0.05, "x as written", "Prices")


def movable(instance: Instance) -> dict[str, Any]:
    """Return all that the page lets a planner move, as plain data."""
    offers, pathways, pools = (instance.tables[name] for name in ("offers", "pathways", "pools"))
    return {
        "levers": [
            {
                "label": each.label,
                "start": each.start,
                "least": each.least,
                "most": each.most,
                "step": each.step,
                "unit": each.unit,
                "group": each.group or "Levers",
                "moves": [spell(cells) for cells in each.edits],
            }
            for each in levers(instance)
        ],
        "whatifs": [{"name": each.name, "about": each.description} for each in instance.whatifs.values()],
        "factors": [
            {
                "name": factor.name,
                "revealed": factor.revealed.isoformat(),
                "outcomes": [{"name": each.name, "probability": each.probability} for each in factor.outcomes],
            }
            for factor in instance.factors
        ],
        "offers": offers["contract"].tolist(),
        "pathways": pathways["pathway"].tolist(),
        "pools": pools["pool"].tolist(),
        "start": instance.start.isoformat(),
    }


def moved(instance: Instance, state: Any, name: str = "case", description: str = "") -> WhatIf:
    """Return what a page's state makes of the instance, as a what-if: conditions, then edits in a fixed order.

    What-ifs that are switched on come first, in the instance's order; then levers, chances, offers, locks and further
    edits. What is taken as known has no chance that could be moved.

    Raises
    ------
    InstanceError
        If the state is not one that the page sends, or names what the instance has not.
    """
    said = _shaped(state)
    switched, pulled, chances, locks, more = all_told(
        [partial(instance.whatif, each) for each in said["whatifs"]],
        [partial(_pulled, instance, label, value) for label, value in said["levers"].items()],
        [partial(_chance, instance, factor, chosen) for factor, chosen in said["chances"].items()],
        [partial(lock, text, instance) for text in said["locks"]],
        [partial(edit, text) for text in said["edits"]],
    )
    order = list(instance.whatifs)
    whatifs = sorted(switched, key=lambda each: order.index(each.name))
    offered = instance
    for each in whatifs if said["offers"] else ():  # which may make offers themselves
        offered = offered.with_whatif(each)
    (offers,) = all_told([partial(_offer, offered, name, act) for name, act in said["offers"].items()])
    given = {**{factor: outcome for each in whatifs for factor, outcome in each.given.items()}, **said["given"]}
    places = [each.label for each in levers(instance)]
    by_lever = sorted(zip(said["levers"], pulled, strict=True), key=lambda pair: places.index(pair[0]))
    edits = [each for whatif in whatifs for each in whatif.edits]
    edits += [each for _, some in by_lever for each in some if not _known(each, given, instance)]
    edits += [each for each in chances if not _known(each, given, instance)]
    edits += [each for some in offers for each in some]
    return WhatIf(name, description, tuple(noted(each) for each in (*edits, *locks, *more)), given)


def without_lock(whatif: WhatIf, place: int, instance: Instance, state: Any) -> WhatIf:
    """Return a what-if of a state without one of its locks."""
    said = _shaped(state)
    locks = [text for at, text in enumerate(said["locks"]) if at != place]
    return moved(instance, {**said, "locks": locks}, whatif.name)


def in_words(instance: Instance, state: Any) -> list[str]:
    """Return what a state changes, a line each, in the words of the page."""
    said, units = _shaped(state), {each.label: each.unit for each in levers(instance)}
    lines = [f"what-if {name}" for name in said["whatifs"]]
    lines += [f"{label}: {value:g} {units.get(label, '')}".rstrip() for label, value in said["levers"].items()]
    lines += [f"{factor} is {outcome}" for factor, outcome in said["given"].items()]
    lines += [f"chance of {outcome}: {100 * share:g}%" for outcome, share in said["chances"].values()]
    lines += [f"{act} {offer}" for offer, act in said["offers"].items()]
    return lines + [f"hold {text}" for text in said["locks"]] + list(said["edits"])


def _known(each: Edit, given: Mapping[str, str], instance: Instance) -> bool:
    """Return whether an edit moves the probability of what is taken as known."""
    return each.table == TARGET and str(each.where.get("factor", "")) in given


def _pulled(instance: Instance, label: str, value: float) -> tuple[Edit, ...]:
    known = {each.label: each for each in levers(instance)}
    if label not in known:
        raise InstanceError(Problem(f"lever {label}", "no such lever", "levers.toml names them", nearest(label, known)))
    lever = known[label]
    if not lever.least <= value <= lever.most:
        rule = f"it goes from {lever.least:g} to {lever.most:g}"
        raise InstanceError(Problem(f"lever {label}", f"{value:g}", rule, "move it inside its range"))
    return lever.at(value)


def _factor(instance: Instance, name: str) -> Factor:
    for factor in instance.factors:
        if factor.name == name:
            return factor
    rule = nearest(name, [factor.name for factor in instance.factors])
    raise InstanceError(Problem(f"chance of {name}", "no such factor", rule))


def _chance(instance: Instance, name: str, chosen: tuple[str, float]) -> Edit:
    """Return the edit that gives an outcome a probability; the others of its factor share the rest as they did."""
    _factor(instance, name)
    outcome, share = chosen
    return Edit(TARGET, "set", {"factor": Name(name), "outcome": Name(outcome)}, "probability", share)


def _offer(instance: Instance, name: str, act: str) -> tuple[Edit, ...]:
    rows = instance.filled("offers")
    shares = dict(zip(rows["contract"].tolist(), rows["max_share"].tolist(), strict=True))
    if name not in shares or act not in (SIGN, DECLINE):
        raise InstanceError(Problem(f"offer {name}", str(act), "an offer of the instance is signed or declined"))
    where = {"contract": Name(name)}
    if act == SIGN:
        return (Edit("offers", "set", where, "least_share", shares[name]),)
    return tuple(Edit("offers", "set", where, column, 0) for column in ("least_share", "min_share", "max_share"))


def _shaped(state: Any) -> dict[str, Any]:
    """Return a state with every part of the type that it should have; refuse any other."""
    if not isinstance(state, dict) or set(state) - set(_KEYS):
        raise _unfit("a state has no other parts than " + ", ".join(_KEYS))
    texts, pairs = ("whatifs", "locks", "edits"), ("levers", "given", "chances", "offers")
    said: dict[str, Any] = {key: state.get(key, []) for key in texts} | {key: state.get(key, {}) for key in pairs}
    if not all(isinstance(said[key], list) for key in texts) or not all(isinstance(said[key], dict) for key in pairs):
        raise _unfit("lists and tables of names")
    if any(len(part) > MOST for part in said.values()):
        raise _unfit(f"at most {MOST} changes of a kind")
    words = [*(text for key in texts for text in said[key]), *(name for key in pairs for name in said[key])]
    words += [*said["given"].values(), *said["offers"].values()]
    if not all(isinstance(word, str) and 0 < len(word) <= LONGEST for word in words):
        raise _unfit(f"texts of at most {LONGEST} characters")
    if not all(_number(value) for value in said["levers"].values()):
        raise _unfit("levers stand at numbers")
    for factor, chosen in said["chances"].items():
        whole = isinstance(chosen, list) and len(chosen) == 2 and isinstance(chosen[0], str)
        if not whole or not _number(chosen[1]):
            raise _unfit(f"the chance of {factor} is an outcome and a probability")
    said["whatifs"] = list(dict.fromkeys(said["whatifs"]))
    return said


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1e12


def _unfit(rule: str) -> InstanceError:
    return InstanceError(Problem("the page's state", "cannot be read", rule, "reload the page"))
