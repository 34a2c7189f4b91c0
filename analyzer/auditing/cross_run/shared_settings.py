"""What sick runs have in common: settings that go along with a symptom, by an exact test.

For each sweep, symptom and setting the runs that have the symptom (a finding of warning or above that counts) are
compared with those whose check of it came back clear; runs that were not checked, or whose finding is explained or set
aside, are left out. A number is split in two at its best cut, levels into one and the others; the chance of so clear a
split by luck is Fisher's, corrected for the search of the split and (Holm) for all comparisons of the night, so that
the chance of any false word here is 1 % a night. It says what goes along with what, and never why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.auditing.cross_run.phrases import chance, cut_between, listed
from analyzer.auditing.cross_run.run_settings import Setting
from analyzer.auditing.cross_run.sweeps import Sweep, sweeps
from analyzer.model.cross_run import Across
from analyzer.model.formatting import percent
from analyzer.model.result import Result
from analyzer.stats.association import Split, level_split, ordered_split
from analyzer.stats.multiplicity import holm

ALPHA = 0.01
"""The chance of any false word in a night."""

LEAST = 4
"""Runs with the symptom, and runs without it."""

SHARE, FACTOR = 0.5, 2.0
"""So much of the sick runs must lie on the side told of, and be so much more frequent there than on the other one."""

DIVERGED = "divergence"
DIVERGING = ("exploding-loss", "hidden-nan", "non-finite")
"""Symptoms that are one thing to whoever looks for its cause: they are looked at together, too."""

MOST_ROWS = 6

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class _Comparison:
    """One symptom beside one setting: `at` are the places of the compared runs in the sweep, `sick` bool[n] of them."""

    sweep: Sweep
    symptom: str
    setting: Setting
    at: tuple[int, ...]
    sick: Flags
    split: Split

    @property
    def side(self) -> frozenset[int]:
        """The runs on the side that is told of."""
        return frozenset(i for i, inside in zip(self.at, self.split.side, strict=True) if inside)

    @property
    def matters(self) -> bool:
        """Whether the difference is worth a word, however sure it is."""
        inside = float(np.mean(self.sick[self.split.side]))
        outside = float(np.mean(self.sick[~self.split.side]))
        share = float(np.mean(self.split.side[self.sick]))
        return inside >= FACTOR * outside and share >= SHARE


def in_common(results: Sequence[Result]) -> list[Across]:
    """Return what goes along with symptoms, by sweep and symptom, the clearest first."""
    compared = [one for sweep in sweeps(results) for one in _comparisons(sweep)]
    p_values = holm([one.split.p_value for one in compared])
    sure = [(p, one) for p, one in zip(p_values, compared, strict=True) if p <= ALPHA and one.matters]
    sure.sort(key=lambda pair: (pair[0], pair[1].split.p_value, pair[1].sweep.name, pair[1].symptom))
    return [_told(one, along, p, len(compared)) for p, one, along in _merged(sure)]


def _comparisons(sweep: Sweep) -> Iterable[_Comparison]:
    for symptom, standings in _standings(sweep.results).items():
        for setting in sweep.settings:
            rows = [
                (i, sick)
                for i, (sick, value) in enumerate(zip(standings, setting.values, strict=True))
                if sick is not None and value is not None
            ]
            sick = np.array([row[1] for row in rows], dtype=bool)
            if min(np.count_nonzero(sick), np.count_nonzero(~sick)) < LEAST:
                continue
            split = _split(setting, [row[0] for row in rows], sick)
            if split is not None:
                yield _Comparison(sweep, symptom, setting, tuple(row[0] for row in rows), sick, split)


def _split(setting: Setting, at: Sequence[int], sick: Flags) -> Split | None:
    values = [setting.values[i] for i in at]
    if setting.numeric:
        return ordered_split(np.array(values, dtype=np.float64), sick, ALPHA)
    return level_split(np.unique(np.array(values, dtype=str), return_inverse=True)[1].astype(np.int64), sick)


def _standings(results: Sequence[Result]) -> dict[str, list[bool | None]]:
    """Return for each symptom whether each run has it (True), is clear of it (False), or cannot tell (None)."""
    own = [_own(result) for result in results]
    symptoms = sorted({symptom for standing in own for symptom, sick in standing.items() if sick})
    found = {symptom: [standing.get(symptom) for standing in own] for symptom in symptoms}
    if len(set(symptoms) & set(DIVERGING)) > 1:
        found[DIVERGED] = [_any(standing) for standing in own]
    return found


def _own(result: Result) -> dict[str, bool | None]:
    standing: dict[str, bool | None] = {checked.symptom: False for checked in result.checked}
    for finding in result.findings:
        standing[finding.symptom] = True if finding.alarms else None
    return standing


def _any(standing: dict[str, bool | None]) -> bool | None:
    told = [standing.get(symptom) for symptom in DIVERGING]
    if True in told:
        return True
    known = [standing[symptom] for symptom in DIVERGING if symptom in standing]
    return False if known and None not in known else None


def _merged(sure: Sequence[tuple[float, _Comparison]]) -> Iterable[tuple[float, _Comparison, tuple[str, ...]]]:
    """Yield the comparisons, those that split the same runs in the same way as one, and of divergence the clearest."""
    leaders: dict[tuple[str, str, frozenset[int]], tuple[float, _Comparison, list[str]]] = {}
    told: dict[tuple[str, str], str] = {}
    for p_value, one in sure:
        if one.symptom in (DIVERGED, *DIVERGING):  # a part and the whole go along with one setting: told once
            kind = DIVERGED if one.symptom == DIVERGED else "part"
            if told.setdefault((one.sweep.name, one.setting.name), kind) != kind:
                continue
        key = (one.sweep.name, one.symptom, one.side)
        if key in leaders:
            leaders[key][2].extend((one.setting.name, *one.setting.along))
        else:
            leaders[key] = (p_value, one, list(one.setting.along))
    for p_value, one, along in leaders.values():
        yield p_value, one, tuple(along)


def _told(one: _Comparison, along: Sequence[str], p_value: float, comparisons: int) -> Across:
    side = one.split.side
    both, alone = int(np.count_nonzero(one.sick & side)), int(np.count_nonzero(~one.sick & side))
    sick, well = int(np.count_nonzero(one.sick)), int(np.count_nonzero(~one.sick))
    condition, opposite = _conditions(one)
    verb = "goes" if len(along) == 1 else "go"
    with_ = (
        f"{listed(along[:3], len(along))} {verb} along with it here and cannot be separated from it; " if along else ""
    )
    return Across(
        "in-common",
        one.sweep.name,
        f"{both} of {sick} runs {_symptom(one)} had {condition}; {alone} of {well} others.",
        tuple(
            one.sweep.results[i].run for i, is_sick in zip(one.at, one.sick, strict=True) if is_sick and i in one.side
        ),
        (one.setting.name, "with it", "without", "share with it"),
        _table(one, condition, opposite),
        f"{with_}the chance of so clear a split by luck is {chance(p_value)}, {comparisons:,} comparisons allowed for",
        (f"Train one of these runs again with another {one.setting.name} and nothing else changed.",),
        p_value,
        one.symptom,
    )


def _symptom(one: _Comparison) -> str:
    if one.symptom != DIVERGED:
        return f"with {one.symptom}"
    own = [_own(result) for result in one.sweep.results]
    return f"that diverged ({' or '.join(name for name in DIVERGING if any(standing.get(name) for standing in own))})"


def _conditions(one: _Comparison) -> tuple[str, str]:
    """Return what the runs on the side told of have in common, and what the others have."""
    setting, values = one.setting, [one.setting.values[i] for i in one.at]
    inside = {value for value, is_in in zip(values, one.split.side, strict=True) if is_in and value is not None}
    outside = {value for value in values if value is not None} - inside
    if setting.numeric and len(inside) + len(outside) > 2:
        ours, theirs = sorted(map(float, inside)), sorted(map(float, outside))
        high = ours[0] > theirs[-1]
        cut = setting.text(cut_between(theirs[-1], ours[0]) if high else cut_between(ours[-1], theirs[0]))
        above, below = f"{setting.name} ≥ {cut}", f"{setting.name} < {cut}"
        return (above, below) if high else (below, above)
    return _levels(setting, inside), _levels(setting, outside)


def _levels(setting: Setting, values: set[float | str]) -> str:
    ordered = sorted(values, key=lambda value: (isinstance(value, str), value))
    texts = [setting.text(value) for value in ordered[:3]]
    if len(ordered) == 1:
        return f"{setting.name} = {texts[0]}"
    rest = f" and {len(ordered) - 3} others" if len(ordered) > 3 else ""
    return f"{setting.name} one of {', '.join(texts)}{rest}"


def _table(one: _Comparison, condition: str, opposite: str) -> tuple[tuple[str, ...], ...]:
    """Return a row for each value where there are few, else for the two sides: runs with it, without, and the share."""
    values = [one.setting.values[i] for i in one.at]
    different = sorted(
        {value for value in values if value is not None}, key=lambda value: (isinstance(value, str), value)
    )
    if len(different) <= MOST_ROWS:
        groups = [(one.setting.text(v), np.array([value == v for value in values])) for v in different]
    else:
        name = len(one.setting.name) + 1
        groups = [(condition[name:], one.split.side), (opposite[name:], ~one.split.side)]
    return tuple(_row(name, one.sick[inside]) for name, inside in groups)


def _row(name: str, sick: Flags) -> tuple[str, ...]:
    count = int(np.count_nonzero(sick))
    return (name, f"{count:,}", f"{sick.size - count:,}", percent(count / sick.size))
