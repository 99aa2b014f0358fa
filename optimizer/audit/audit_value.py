"""What effective capacity earns: the best fill of the tiers and curves in force."""

from __future__ import annotations

import numpy as np

from optimizer.audit.facts import Facts, in_force
from optimizer.audit.tree import Floats, Ints


def earned(facts: Facts, effective: Floats) -> Floats:
    """Return what effective GW earn in every scenario and period, $bn a year.

    Parameters
    ----------
    facts : Facts
        The instance's data.
    effective : (N, P) float array
        Effective GW by node and pathway.

    Returns
    -------
    (S, T, P) float array
        Value of the best tiers first, factors such as realisation included.
    """
    on_paths = effective[facts.nodes.node_of]
    # A use is a pathway in one period of one scenario: its position in on_paths, flattened.
    use, width, value = (np.concatenate(part) for part in zip(_tiers(facts), _curves(facts), strict=True))
    order = np.lexsort((-value, use))
    use, value = use[order], value[order]
    room = np.maximum(on_paths.ravel()[use], 0.0)
    width = np.minimum(width[order], room)
    through = np.cumsum(width)
    first = np.searchsorted(use, use)
    better = (through - width) - (through - width)[first]
    amount = np.clip(room - better, 0.0, width)
    per_year = np.bincount(use, weights=value * amount, minlength=on_paths.size).reshape(on_paths.shape)
    return np.asarray(per_year * facts.pathway["value_factor"][:, None])


def _uses(facts: Facts) -> Ints:
    """Return every use, in rows by scenario and pathway and columns by period."""
    scenarios, periods, pathways = len(facts.scenarios.instances), facts.calendar.count, len(facts.pathways)
    by_period = np.arange(scenarios * periods * pathways).reshape(scenarios, periods, pathways)
    return by_period.swapaxes(1, 2).reshape(-1, periods)


def _ranges(owner: Ints, first: Ints, length: Ints) -> tuple[Ints, Ints]:
    """Return each owner with every position of its range that starts at `first`."""
    repeated = np.repeat(owner, length)
    return repeated, np.repeat(first - (np.cumsum(length) - length), length) + np.arange(len(repeated))


def _tiers(facts: Facts) -> tuple[Ints, Floats, Floats]:
    """Return use, width (effective GW) and value ($bn per effective GW-year) of every tier in force."""
    rows = facts.scenarios.long("value")
    owner = rows.scenario * len(facts.pathways) + facts.pathways.places(rows["pathway"])
    since = rows["from"]
    order = np.lexsort((since, owner))
    owner, since = owner[order], since[order]
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (owner[1:] != owner[:-1]) | (since[1:] != since[:-1])
    first = np.flatnonzero(begins)
    length = np.diff(np.append(first, len(rows)))
    uses = _uses(facts)
    step = in_force(owner[first], since[first], len(uses), facts.calendar)
    held = step >= 0
    use, row = _ranges(uses[held], first[step[held]], length[step[held]])
    widths = rows.limits("width_gw")[order]
    return use, widths[row], rows["value_bn_per_gw_year"][order][row]


def _curves(facts: Facts) -> tuple[Ints, Floats, Floats]:
    """Return use, width and value of every chord of the curves in force, as `_tiers`."""
    rows = facts.scenarios.long("curves")
    owner = rows.scenario * len(facts.pathways) + facts.pathways.places(rows["pathway"])
    segments = rows["segments"].astype(np.int64)
    first = np.cumsum(segments) - segments
    curve, chord = _ranges(np.arange(len(rows)), first, segments)
    share = (chord - first[curve]) / segments[curve]
    base, most = rows["base_gw"][curve], rows["max_gw"][curve]
    doublings = np.log2(1 + most / base)
    from_gw, until_gw = (base * (2 ** (doublings * s) - 1) for s in (share, share + 1 / segments[curve]))
    width = until_gw - from_gw
    scale = (rows["base_value_bn_per_year"] * rows["uplift_per_doubling"])[curve]
    # Equal steps of the logarithm: every chord earns the same, on an ever wider range.
    value = scale * doublings / segments[curve] / width

    uses = _uses(facts)
    row = in_force(owner, rows["from"], len(uses), facts.calendar)
    held = row >= 0
    use, at = _ranges(uses[held], first[row[held]], segments[row[held]])
    return use, width[at], value[at]
