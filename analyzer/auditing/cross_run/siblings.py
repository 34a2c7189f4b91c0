"""A run far from its siblings: the same settings and another seed, and yet a far worse end.

Siblings are runs of one experiment whose settings are all the same, or whose names differ only in a seed. Six are
needed that went on about as long. A run's lowest loss (its logarithm), or the last value of a held-out metric, is
compared with the others' median in units of how far the bad half of them lies beyond it. The chance of it is that of
an exponential tail, as seeds scatter more to the bad side, corrected for all runs and curves compared in the night; and
it must matter: twice the others' loss, or a twentieth in a metric between 0 and 1, and three times as far away as the
next of the others. Where more than a fifth of the
siblings are far away there are two camps, and nobody is accused.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.auditing.cross_run.duplicates import distinct
from analyzer.auditing.cross_run.phrases import chance, named
from analyzer.auditing.cross_run.run_settings import constants
from analyzer.auditing.cross_run.sweeps import ended
from analyzer.model.cross_run import Across
from analyzer.model.formatting import number
from analyzer.model.result import Result, SeriesRow
from analyzer.model.summary import experiment
from analyzer.stats.robust import median

Array = NDArray[np.float64]

ALPHA = 0.01
LEAST = 6
FACTOR = 2.0
"""So many times the others' lowest loss is far."""

POINTS, PART = 0.05, 0.1
"""A difference of a metric that matters: between 0 and 1, and as a share of any other one."""

APART = 3.0
"""So many times as far from the median as the last of the runs that are not far."""

CAMP = 0.2
LASTED = 0.8
"""Share of the usual number of steps that a run must have gone on for."""

_SEED = re.compile(r"(?i)(?:random[-_ ]?)?seed[-_= ]?\d+|(?<![a-z])(?:rng|rs)[-_=]?\d+")
_COUNT = re.compile(
    r"(?i)(?<![a-z])(?:run|version|trial|rep|repeat|replica|job|exp|try)[-_= ]?\d+|(?<![\w.])\d+(?![\w.])"
)
_CLOCK = re.compile(
    r"(?i)[a-z]{3}\d\d_\d\d-\d\d-\d\d|20\d\d[-_]?\d\d[-_]?\d\d(?:[-_T ]?\d\d[-_:]?\d\d(?:[-_:]?\d\d)?)?"
)


@dataclass(frozen=True)
class _Far:
    """A run beside its siblings in one curve: how far on the bad side of their median, and the chance of that alone."""

    group: tuple[Result, ...]
    result: Result
    tag: str
    what: str
    value: float
    others: Array
    away: float
    p_value: float
    matters: bool


def far_from_siblings(results: Sequence[Result]) -> list[Across]:
    """Return the runs that ended far worse than their siblings, surest first."""
    compared = [one for group in _families(results) for curve in _curves(group) for one in _compared(group, curve)]
    tests = len(compared)
    far = [one for one in compared if one.matters and tests * one.p_value <= ALPHA]
    told: dict[str, Across] = {}
    for one in sorted(far, key=lambda one: (one.p_value, one.result.run)):
        told.setdefault(one.result.run, _told(one, min(1.0, tests * one.p_value)))
    return list(told.values())


def _families(results: Sequence[Result]) -> Iterable[tuple[Result, ...]]:
    groups: dict[tuple[object, ...], list[Result]] = {}
    for result in distinct(results):
        if not ended(result) or result.main_tag is None:
            continue
        settings = constants(result)
        pattern, seeded = ("", False) if result.source == "mlflow" else _pattern(result.run)
        if settings or seeded:
            key = (result.source, experiment(result), result.main_tag, pattern, settings)
            groups.setdefault(key, []).append(result)
    for group in groups.values():
        steps = [row.last_step or 0 for result in group for row in result.series if row.tag == result.main_tag]
        usual = float(np.median(steps)) if len(steps) == len(group) else 0.0
        lasting = [r for r, last in zip(group, steps, strict=False) if LASTED * usual <= last <= usual / LASTED]
        if len(lasting) >= LEAST:
            yield tuple(lasting)


def _pattern(run: str) -> tuple[str, bool]:
    """Return a run's name without seed, counts and times, and whether it names a seed."""
    name = posixpath.basename(run)
    without = _SEED.sub("*", name)
    return _COUNT.sub("#", _CLOCK.sub("@", without)), without != name


def _curves(group: Sequence[Result]) -> Iterable[tuple[str, bool]]:
    """Yield what is compared: (tag, whether it is the loss): the main loss, and held-out metrics that all have."""
    first = group[0]
    if any(row.tag == first.main_tag and row.role == "loss" for row in first.series):
        yield str(first.main_tag), True
    for row in first.series:
        if row.role == "metric" and row.split in {"validation", "test"} and row.direction:
            yield row.tag, False


def _compared(group: tuple[Result, ...], curve: tuple[str, bool]) -> list[_Far]:
    """Return each run of a family beside the others in one curve; nothing where too few have it, or they are copies."""
    tag, is_loss = curve
    rows = {result.run: next((row for row in result.series if row.tag == tag), None) for result in group}
    kept = [result for result in group if _is_known(_value(rows[result.run], is_loss), is_loss)]
    values = np.array([_value(rows[result.run], is_loss) for result in kept])
    if len(kept) < max(LEAST, LASTED * len(group)) or np.unique(values).size < LEAST:
        return []
    lower = is_loss or any(row is not None and row.direction == "lower" for row in rows.values())
    found = [_beside(tuple(kept), i, values, tag, is_loss=is_loss, lower=lower) for i in range(len(kept))]
    camps = sum(one.matters for one in found) > CAMP * len(found)
    usual = max((one.away for one in found if not one.matters), default=0.0)
    return [replace(one, matters=one.matters and not camps and one.away >= APART * usual) for one in found]


def _beside(group: tuple[Result, ...], i: int, values: Array, tag: str, *, is_loss: bool, lower: bool) -> _Far:
    others = np.delete(values, i)
    worse = 1.0 if lower else -1.0
    scale = np.log(values) if is_loss else values
    rest = np.delete(scale, i)
    away = worse * (scale - median(rest))
    p_value = _chance(float(away[i]), np.delete(away, i), _least_spread(rest, is_loss))
    matters = _matters(float(values[i]), others, is_loss, worse)
    what = "lowest" if is_loss else "final"
    return _Far(group, group[i], tag, what, float(values[i]), others, float(away[i]), p_value, matters)


def _is_known(value: float, is_loss: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not is_loss)


def _value(row: SeriesRow | None, is_loss: bool) -> float:
    value = None if row is None else row.best if is_loss else row.last
    return float("nan") if value is None else value


def _least_spread(others: Array, is_loss: bool) -> float:
    """Return the spread below which a difference is no news: siblings may agree by chance to the last digit."""
    return 0.02 if is_loss else 0.005 * max(abs(median(others)), 1e-12)


def _matters(value: float, others: Array, is_loss: bool, worse: float) -> bool:
    middle = median(others)
    if is_loss:
        return value > FACTOR * middle
    apart = worse * (value - middle)
    inside = bool(np.all((others >= 0) & (others <= 1))) and 0 <= value <= 1
    return apart >= (POINTS if inside else PART * abs(middle)) and apart > 0


def _chance(above: float, others: Array, least: float) -> float:
    """Return the chance that a run lies so far on the bad side of the others' median.

    `above` is the distance, `others` float64[n] are those of the others. Seeds scatter with a tail on the bad side, so
    the tail is taken for exponential with the mean that the others beyond the median have: half of the runs are beyond
    it, and the ratio of one excess to the mean of k others follows F(2, 2k).
    """
    beyond = others[others > 0]
    size = max(others.size // 2, 1)
    mean = max(float(np.sum(beyond)) / size, least)
    return 0.5 * (1 + max(above, 0.0) / mean / size) ** -size


def _told(one: _Far, p_value: float) -> Across:
    low, high = float(np.min(one.others)), float(np.max(one.others))
    own = ", ".join(dict.fromkeys(f.symptom for f in one.result.findings if f.alarms))
    return Across(
        "far-from-siblings",
        experiment(one.result),
        f"{named(one.result)} ended far from {one.others.size} runs with the same settings: {one.what} {one.tag} "
        f"{number(one.value)}, the others {number(low)} to {number(high)}.",
        (one.result.run, *(result.run for result in one.group if result is not one.result)),
        ("", f"{one.what} {one.tag}"),
        ((named(one.result), number(one.value)), ("median of the others", number(median(one.others)))),
        f"its own page says {own or 'nothing of it'}; the chance of it by luck is {chance(p_value)}",
        ("Compare its seed, data and machine with its siblings'; leave it out of means until that is known.",),
        p_value,
    )
