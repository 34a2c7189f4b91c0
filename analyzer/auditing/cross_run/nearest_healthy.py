"""The nearest healthy run beside each run with problems: the same experiment or folder, told by the same curve.

Nearest is where the fewest settings differ; of those, where numbers are nearest in units of their spread among the runs
(logarithms where a positive setting spans a factor of ten); of those the latest. Labels (names, seeds, paths, times)
are no settings. The learning rate is the largest of its curve where no parameter tells it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analyzer.auditing.cross_run.phrases import NAME, named, plain_number
from analyzer.auditing.cross_run.run_settings import is_label
from analyzer.model.result import Result, Sibling
from analyzer.model.roles import words_of
from analyzer.model.summary import experiment
from analyzer.writers.truncation import short

WIDE = 10.0
"""A positive setting that spans more than this factor is compared by its logarithm."""

MOST = 12
"""Settings that are shown; findings.json has the same."""

MOST_SETTINGS = 400
"""Settings that are compared: a log may hold any number."""

RATE = "learning rate (peak of its curve)"


def nearest(results: Sequence[Result]) -> dict[int, tuple[int, Sibling]]:
    """Return, by the place of each run with problems, the place of its nearest healthy run and what differs."""
    groups: dict[tuple[str, str, str], tuple[list[int], list[int]]] = {}
    for place, result in enumerate(results):
        if result.main_tag is None:
            continue
        key = (result.source, experiment(result), result.main_tag)
        verdict = result.verdict
        if verdict in ("healthy", "problems"):
            well, sick = groups.setdefault(key, ([], []))
            (well if verdict == "healthy" else sick).append(place)
    found: dict[int, tuple[int, Sibling]] = {}
    for well, sick in groups.values():
        if well and sick:
            found |= _of_group(results, well, sick)
    return found


def _of_group(results: Sequence[Result], well: list[int], sick: list[int]) -> dict[int, tuple[int, Sibling]]:
    settings = {place: _settings(results[place]) for place in (*well, *sick)}
    names = sorted({name for own in settings.values() for name in own})
    codes, numbers = _tables([settings[place] for place in (*well, *sick)], names)
    started = np.array([results[place].started or -math.inf for place in well])
    found = {}
    for i, place in enumerate(sick, len(well)):
        apart = np.sum(codes[: len(well)] != codes[i], axis=1)
        gap = np.abs(numbers[: len(well)] - numbers[i])
        far = np.sum(np.where(np.isfinite(gap), gap, codes[: len(well)] != codes[i]), axis=1)
        best = int(np.lexsort((-started, far, apart))[0])
        other = results[well[best]]
        differ = [name for k, name in enumerate(names) if codes[best, k] != codes[i, k]]
        found[place] = (well[best], _sibling(results[place], other, settings[place], settings[well[best]], differ))
    return found


def _sibling(
    result: Result, other: Result, own: Mapping[str, object], others: Mapping[str, object], differ: Sequence[str]
) -> Sibling:
    rows = tuple((short(name, NAME), _text(own.get(name)), _text(others.get(name))) for name in differ[:MOST])
    tag = _told_by(result, other)
    return Sibling(other.run, named(other), rows, tag, _last(result, tag), _last(other, tag))


def _told_by(result: Result, other: Result) -> str:
    """Return the tag whose end tells both: the first held-out metric or loss that they share, or the main one."""
    shared = {row.tag for row in other.series}
    held = [row.tag for row in result.series if row.split in ("validation", "test") and row.tag in shared]
    return held[0] if held else str(result.main_tag)


def _last(result: Result, tag: str) -> float | None:
    return next((row.last for row in result.series if row.tag == tag), None)


def _settings(result: Result) -> dict[str, object]:
    kept = {name: value for name, value in result.params[:MOST_SETTINGS] if not is_label(name)}
    if result.peak_rate is not None and not any(_is_rate(name) for name in kept):
        kept[RATE] = float(f"{result.peak_rate:.4g}")  # as float32 keeps it
    return kept


def _is_rate(name: str) -> bool:
    words = words_of(name)
    return "lr" in words or {"learning", "rate"} <= set(words) or "learningrate" in words


def _number(value: object) -> float:
    if isinstance(value, bool) or value is None:
        return math.nan
    try:
        number = float(str(value))
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _text(value: object) -> str:
    if value is None:
        return "not logged"
    number = _number(value)
    return short(str(value), NAME) if math.isnan(number) else plain_number(number)


def _tables(
    settings: Sequence[Mapping[str, object]], names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return a number for each value (int64[runs, settings]) and standardised numbers (float64, NaN for words)."""
    codes = np.zeros((len(settings), len(names)), dtype=np.int64)
    numbers = np.full((len(settings), len(names)), np.nan)
    for k, name in enumerate(names):
        levels: dict[str, int] = {}
        for i, own in enumerate(settings):
            text = _text(own.get(name))
            codes[i, k] = levels.setdefault(text, len(levels))
        column = np.array([_number(own.get(name)) for own in settings])
        known = column[np.isfinite(column)]
        if known.size and known.min() > 0 and known.max() > WIDE * known.min():
            column = np.log(column)
            known = np.log(known)
        spread = float(np.std(known)) if known.size else 0.0
        if spread > 0:
            numbers[:, k] = column / spread
    return codes, numbers
