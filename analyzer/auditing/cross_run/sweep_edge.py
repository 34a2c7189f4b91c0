"""The best value of a swept setting is the last one that was tried: the best may lie beyond.

Only a design tells: runs are compared with others that have the same values of all other settings, at four values of
the setting or more, and are scored by the best value of a held-out metric, or else of the held-out loss. The score must
get better towards the edge (Kendall's trend, corrected for all settings of the night), its best mean must be at
the edge, and the last step to it must bring a tenth of all that was gained and more than twice its own noise. Random
searches over many settings have no such runs, and are not told of. Settings that only cost (epochs, data), that end by
nature (0, or 1 of a share) or that change the loss itself are passed over.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.auditing.cross_run.phrases import chance, listed
from analyzer.auditing.cross_run.run_settings import Setting
from analyzer.auditing.cross_run.sweeps import Sweep, sweeps
from analyzer.model.cross_run import Across
from analyzer.model.formatting import number
from analyzer.model.result import Result, SeriesRow
from analyzer.model.roles import words_of
from analyzer.stats.multiplicity import holm
from analyzer.stats.ordered import trend_chance

Array = NDArray[np.float64]

ALPHA = 0.01
LEAST_VALUES = 4
MOST_VALUES = 12
"""More values than these are a random search, not a sweep."""

GAIN, NOISE = 0.1, 2.0
"""What the last step must bring: as a share of all that was gained, and in standard errors."""

_BUDGET = {"epoch", "epochs", "step", "steps", "iteration", "iterations", "iters", "samples", "examples", "data"}
_BUDGET |= {"fold", "folds", "size_of_data", "workers", "patience", "interval", "every", "freq", "frequency"}
_OF_THE_LOSS = {
    "weight",
    "weights",
    "coef",
    "coefficient",
    "alpha",
    "beta",
    "gamma",
    "lambda",
    "smoothing",
    "temperature",
}
_OF_THE_LOSS |= {"margin", "scale", "reduction", "loss"}


@dataclass(frozen=True)
class _Trend:
    """A setting beside the score of its runs: `table` has value, runs and mean score, by value."""

    sweep: Sweep
    setting: Setting
    row: SeriesRow
    p_value: float
    table: tuple[tuple[float, int, float], ...]
    runs: tuple[Result, ...]
    high: bool
    clear: bool


def edges(results: Sequence[Result]) -> list[Across]:
    """Return the settings whose best value is at the edge of those tried, by sweep."""
    found = [trend for sweep in sweeps(results) for trend in _trends(sweep)]
    p_values = holm([trend.p_value for trend in found])
    return [_told(trend, p) for p, trend in zip(p_values, found, strict=True) if p <= ALPHA and trend.clear]


def _trends(sweep: Sweep) -> Iterable[_Trend]:
    row = _score_row(sweep.results)
    if row is None:
        return
    scores = [_score(result, row) for result in sweep.results]
    for setting in sweep.settings:
        words = set(words_of(setting.name))
        different = {value for value in setting.values if value is not None}
        if not setting.numeric or words & _BUDGET or (row.role == "loss" and words & _OF_THE_LOSS):
            continue
        if LEAST_VALUES <= len(different) <= MOST_VALUES:
            trend = _trend(sweep, setting, row, scores)
            if trend is not None:
                yield trend


def _score_row(results: Sequence[Result]) -> SeriesRow | None:
    """Return the held-out curve that the runs are scored by: the metric, else the loss, that most of them have."""
    rows = [row for result in results for row in result.series if _scores(row)]
    counts = Counter(row.tag for row in rows)
    enough = [row for row in rows if counts[row.tag] >= 0.8 * len(results)]
    return min(
        enough,
        key=lambda r: (r.role != "metric", r.split != "validation", -counts[r.tag], len(r.tag), r.tag),
        default=None,
    )


def _scores(row: SeriesRow) -> bool:
    held = row.split in {"validation", "test"} and row.direction is not None
    return held and row.role in {"metric", "loss"} and row.best is not None


def _score(result: Result, row: SeriesRow) -> float:
    """Return the best value of the run's curve with the good side up, NaN where it has none."""
    own = next((one for one in result.series if one.tag == row.tag), None)
    if own is None or own.best is None or not math.isfinite(own.best):
        return math.nan
    return own.best if row.direction == "higher" else -own.best


def _trend(sweep: Sweep, setting: Setting, row: SeriesRow, scores: Sequence[float]) -> _Trend | None:
    """Return how the score goes with the setting where all others are the same; None without such runs."""
    blocks = _balanced(_blocks(sweep, setting, scores))
    if not blocks:
        return None
    used = sorted(i for block in blocks for i in block[2])
    values = np.concatenate([block[0] for block in blocks])
    centred = np.concatenate([block[1] - _centre(block) for block in blocks])
    plain = np.array([scores[i] for block in blocks for i in block[2]])
    levels = np.unique(values)
    means = np.array([float(np.mean(centred[values == level])) for level in levels])
    high = means[-1] >= means[0]
    table = tuple((float(v), int(np.sum(values == v)), float(np.mean(plain[values == v]))) for v in levels)
    return _Trend(
        sweep, setting, row, trend_chance((block[0], block[1]) for block in blocks), table,
        tuple(sweep.results[i] for i in used if setting.values[i] == levels[-1 if high else 0]),
        bool(high), _at_the_edge(levels, means, values, centred, high=bool(high)),
    )  # fmt: skip


Block = tuple[Array, Array, tuple[int, ...]]


def _blocks(sweep: Sweep, setting: Setting, scores: Sequence[float]) -> Iterable[Block]:
    """Yield the runs in which nothing but the setting varies: its values, their scores, their places in the sweep."""
    others = [other for other in sweep.settings if other is not setting]
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, (value, score) in enumerate(zip(setting.values, scores, strict=True)):
        if value is not None and math.isfinite(score):
            groups.setdefault(tuple(other.values[i] for other in others), []).append(i)
    for places in groups.values():
        values = np.array([setting.values[i] for i in places], dtype=np.float64)
        yield values, np.array([scores[i] for i in places]), tuple(places)


def _balanced(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks that have the same values of the setting, four or more: the commonest such set."""
    sets: dict[tuple[float, ...], list[Block]] = {}
    for block in blocks:
        sets.setdefault(tuple(np.unique(block[0]).tolist()), []).append(block)
    wide = [(values, own) for values, own in sets.items() if len(values) >= LEAST_VALUES]
    return max(wide, key=lambda one: (len(one[1]), len(one[0]), one[0]), default=((), []))[1]


def _centre(block: Block) -> float:
    return float(np.mean([np.mean(block[1][block[0] == value]) for value in np.unique(block[0])]))


def _at_the_edge(levels: Array, means: Array, values: Array, scores: Array, *, high: bool) -> bool:
    """Whether the score is best at the edge and the last step to it still brings what counts."""
    order = slice(None) if high else slice(None, None, -1)
    ordered, at = means[order], levels[order]
    edge = float(at[-1])
    ends_by_nature = edge == 0 or (edge == 1 and bool(np.all((levels >= 0) & (levels <= 1))))
    if ends_by_nature or ordered[-1] < np.max(ordered) or np.any(np.diff(ordered[-3:]) <= 0):
        return False
    last, before = scores[values == at[-1]], scores[values == at[-2]]
    gained = float(ordered[-1] - np.min(ordered))
    step = float(ordered[-1] - ordered[-2])
    noise = _noise(means, values, scores, levels) * math.sqrt(1 / last.size + 1 / before.size)
    return step >= GAIN * gained and step > NOISE * noise


def _noise(means: Array, values: Array, scores: Array, levels: Array) -> float:
    """Return the spread of one run about the mean of its value; from the bends of the means where each has one run."""
    spread = [scores[values == level] - mean for level, mean in zip(levels, means, strict=True)]
    free = scores.size - levels.size
    if free >= 4:
        return math.sqrt(float(sum(np.sum(own**2) for own in spread)) / free)
    return float(np.sqrt(np.mean(np.diff(means, 2) ** 2) / 6))


def _told(trend: _Trend, p_value: float) -> Across:
    setting, row = trend.setting, trend.row
    best, before = (trend.table[-1], trend.table[-2]) if trend.high else (trend.table[0], trend.table[1])
    sign = 1.0 if row.direction == "higher" else -1.0
    edge, way = ("largest", "above") if trend.high else ("smallest", "below")
    low, high = setting.text(trend.table[0][0]), setting.text(trend.table[-1][0])
    along = (
        f"all but {listed(setting.along[:3], len(setting.along))}, which go along with it" if setting.along else "all"
    )
    return Across(
        "edge-of-sweep",
        trend.sweep.name,
        f"{row.tag} was best at {setting.name} = {setting.text(best[0])}, the {edge} of {len(trend.table)} values "
        f"tried ({low} to {high}), and still got better on the way there: {number(sign * before[2])} at "
        f"{setting.text(before[0])}, {number(sign * best[2])} at {setting.text(best[0])}.",
        tuple(result.run for result in trend.runs),
        (setting.name, "runs", f"best {row.tag}, mean"),
        tuple((setting.text(value), f"{runs:,}", number(sign * score, 4)) for value, runs, score in trend.table),
        f"{along} other settings are the same in the runs compared; "
        f"the chance of such a trend by luck is {chance(p_value)}",
        (f"Try {setting.name} {way} {setting.text(best[0])} too.",),
        p_value,
    )
