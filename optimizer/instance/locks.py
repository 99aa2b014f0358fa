"""The command line's spelling of a lock: a cell of the allocation that is held while the rest is planned."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Final

from optimizer.instance.instance import Cell, Edit, Instance
from optimizer.language.edits import noted
from optimizer.problems import InstanceError, Problem

FORM: Final = "write PATHWAY[POOL] = GW @ FROM..UNTIL; <= and >= for =, without [POOL] the sum over all pools"

_NAME: Final = r'"(?:[^"\\]|\\.)*"|[^\s\[\]=<>@"]+'
_LOCK: Final = re.compile(
    rf"\s*(?P<pathway>{_NAME})\s*(?:\[\s*(?P<pool>{_NAME})\s*\])?\s*(?P<side><=|>=|=)\s*"
    r"(?P<gw>\d+(?:\.\d*)?|\.\d+)\s*(?:@\s*(?P<start>\d{4}-\d\d-\d\d)?(?P<range>\.\.(?P<until>\d{4}-\d\d-\d\d)?)?\s*)?"
)


def lock(text: str, instance: Instance) -> Edit:
    """Return a lock as the edit that inserts it into ``locks``.

    Parameters
    ----------
    text : str
        ``PATHWAY[POOL] = GW @ FROM..UNTIL``: GW of the pool that the pathway uses from FROM (left out: the start of the
        plan) until the day before UNTIL (left out: the end). ``<=`` and ``>=`` hold one side; without a pool the
        pathway's sum is held.
    instance : Instance
        Gives the start of the plan.

    Raises
    ------
    InstanceError
        If the text is no lock, or holds a day that does not exist.
    """
    found = _LOCK.fullmatch(text)
    if not found or (text.rstrip().endswith("@")):
        raise InstanceError(Problem(f"--lock '{text}'", "cannot be read", FORM))
    gw = float(found["gw"])
    cells: dict[str, Cell] = {"pathway": _name(found["pathway"])}
    if found["pool"]:
        cells["pool"] = _name(found["pool"])
    try:
        cells["from"] = dt.date.fromisoformat(found["start"]) if found["start"] else instance.start
        if found["until"]:
            cells["until"] = dt.date.fromisoformat(found["until"])
    except ValueError as error:
        raise InstanceError(Problem(f"--lock '{text}'", str(error), "there is no such day")) from None
    if found["side"] != "<=":
        cells["min_gw"] = gw
    if found["side"] != ">=":
        cells["max_gw"] = gw
    return noted(Edit("locks", "insert", cells))


def _name(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text
