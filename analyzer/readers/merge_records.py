"""Two records of one training made one: what they repeat is kept once, what only one of them has is kept.

A curve is repeated when its values come in the other one in their order, up to the precision of the less precise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analyzer.model.formatting import counted
from analyzer.model.run import LOSSES, Note, Run, Series

SAME = 1e-4
"""Relative difference of two records of one value: event files hold single precision, some tables five digits."""
SINGLE = 2e-7
"""The same where one curve has many more points: among a million values, some are near to any other by chance."""
_COMPARABLE = 2  # times: up to this many more points, values in their order do not agree by chance
_SAMPLE = 1000  # values of a long curve that are looked for
_MOST = 0.95  # share of a curve's points that the other one has: the rest may be cut off or rounded away
_LONGER = 1.1  # times: a curve that has more points than this is the more complete one


def merged(best: Run, other: Run, place: str) -> Run:
    """Return the best run with what only the other one says, and a note on what they have in common.

    `place` is how the note names the other one.
    """
    series = dict(best.series)
    repeated = longer = 0
    added: list[str] = []
    for tag, one in other.series.items():
        twin = next((name for name, held in series.items() if repeats(one, held)), None)
        if twin is not None:
            repeated += 1
            continue
        short = next((name for name, held in series.items() if _is_part(held, one)), None)
        if short is not None:
            series[short] = Series(short, one.steps, one.values, one.wall_times)
            longer += 1
            continue
        name = tag if tag not in series else f"{other.source}/{tag}"
        series[name] = Series(name, one.steps, one.values, one.wall_times)
        added.append(name)
    notes = [Note("layout", _sentence(best, place, repeated, longer, added))]
    notes += [note for note in other.notes if added or longer or note.kind not in LOSSES | {"torn-tail"}]
    return replace(
        best,
        series=series,
        params={**other.params, **best.params},
        tags={**other.tags, **best.tags},
        declared=best.declared or other.declared,
        notes=(*best.notes, *notes),
    )


def _sentence(best: Run, place: str, repeated: int, longer: int, added: Sequence[str]) -> str:
    said = [f"{counted(repeated, 'curve')} repeated, judged once"] if repeated else []
    said += [f"{counted(longer, 'curve')} longer there, and taken from there"] if longer else []
    if added:
        more = f" and {len(added) - 3} more" if len(added) > 3 else ""
        said.append(f"only there: {', '.join(added[:3])}{more}")
    what = "; ".join(said) or "it holds no curve"
    return f"{place} describes the same training as the run's {best.source} log: {what}"


def _is_part(one: Series, whole: Series) -> bool:
    return whole.points > one.points * _LONGER and repeats(one, whole)


def repeats(one: Series, held: Series) -> bool:
    """Whether a curve is repeated by another one, which may have more points: its values come there in their order.

    Of a long curve a sample is looked at.
    """
    if not one.points or one.points > held.points / _MOST:
        return False
    if one.points == held.points:
        return bool(_same(one.values, held.values, SAME).mean() >= _MOST)
    precision = SAME if held.points <= _COMPARABLE * one.points else SINGLE
    sample = one.values[:: max(1, one.points // _SAMPLE)]
    return _in_order(sample, held.values, precision) >= _MOST * sample.size


def _same(one: NDArray[np.float64], other: NDArray[np.float64] | float, precision: float) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(one - other) <= precision * np.maximum(np.abs(one), np.abs(other))
    same: NDArray[np.bool_] = near | (one == other) | (np.isnan(one) & np.isnan(other))
    return same


def _in_order(values: NDArray[np.float64], held: NDArray[np.float64], precision: float) -> int:
    """Return how many of the values come in `held` in their order; few misses end the search."""
    at = found = 0
    allowed = int(values.size * (1 - _MOST)) + 1
    for place, value in enumerate(values.tolist()):
        places = np.flatnonzero(_same(held[at:], value, precision))
        if places.size:
            found += 1
            at += int(places[0]) + 1
        elif place + 1 - found > allowed:
            break
    return found
