"""Pictures written as files: one, or every picture of a run in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gwplan.files import new_file, refuse_occupied, whole_file, whole_folder
from gwplan.kept.run import Run
from gwplan.show.charts import decisions, money, over_time, position, scenarios
from gwplan.show.charts.drawing import Chart
from gwplan.show.theme import NothingToShowError, installed
from gwplan.show.view import View

PICTURES: Final[Mapping[str, Callable[[View], Chart]]] = {
    "gw": over_time.gw_over_time,
    "idle": over_time.idle_over_time,
    "branches": scenarios.branches,
    "scenarios": scenarios.lines,
    "value_by_scenario": scenarios.worth_by_scenario,
    "worth": money.waterfall,
    "cancellations": decisions.cancellations,
    "deals": decisions.deals,
    "marginal_values": money.marginal_values,
    "obligations": money.obligations_by_year,
    "ramp": position.ramp,
    "signed": position.signed_by_quarter,
    "capacity": position.capacity_by_year,
    "premium": position.price_premium,
}
"""Every picture of a plan by the name of its file."""

ENDINGS: Final = (".png", ".svg")
OTHER_ENDINGS: Final = (*ENDINGS, ".pdf", ".gif", ".jpg", ".jpeg", ".webp", ".html")
"""Endings of files that are pictures too, though not of the kind that is asked for."""


def save_all(run: Run, folder: str | Path, ending: str, force: bool = False) -> dict[str, str]:
    """Write every picture of a run into a new folder, whole or not at all."""
    target = Path(folder)
    refuse_occupied(target, force=force, replaceable=_holds_pictures, kind="a folder of gwplan's pictures")
    left_out: dict[str, str] = {}
    drawn: dict[str, bytes] = {}
    view = View(run.plan)
    for name, draw in PICTURES.items():
        try:
            drawn[name] = rendered(draw(view).picture(view), ending)
        except NothingToShowError as reason:
            left_out[name] = str(reason)
    with whole_folder(target, replace=force) as new:
        for name, picture in drawn.items():
            (new / f"{name}{ending}").write_bytes(picture)
    return left_out


def _holds_pictures(folder: Path) -> bool:
    known = {f"{name}{ending}" for name in PICTURES for ending in ENDINGS}
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= known


def save(chart: Mapping[str, Any], path: str | Path, force: bool = False) -> Path:
    """Write a picture as PNG (at twice its size in pixels) or SVG, as the path's ending says."""
    target = refuse_existing(path, force=force)
    picture = rendered(chart, target.suffix.lower())
    with whole_file(target) as new:
        new.write_bytes(picture)
    return target


def refuse_existing(path: str | Path, *, force: bool) -> Path:
    """Raise unless a picture can be written to a path, which is returned; ask before long work."""
    return new_file(path, ENDINGS, "the ending says the kind of picture", force=force)


def rendered(chart: Mapping[str, Any], ending: str) -> bytes:
    """Return a picture as the bytes of a PNG (at twice its size in pixels) or an SVG."""
    convert = installed("vl_convert", "vl-convert")
    specification = json.dumps(chart)
    if ending == ".png":
        return bytes(convert.vegalite_to_png(specification, scale=2))
    return str(convert.vegalite_to_svg(specification)).encode()
