"""All metrics of a job: the changes that all nights show, and what would have been reported on which night."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import NoRunsError
from analyzer.histories import announced_causes, step_or_drift
from analyzer.histories.announced_causes import Column
from analyzer.histories.job_columns import LEAST_NIGHTS, Nights, Settings, columns_of
from analyzer.histories.partitioning import fitted, split_costs
from analyzer.histories.segmentation import PARAMS as ACCOUNT
from analyzer.histories.segmentation import Account, account
from analyzer.model.formatting import counted
from analyzer.model.history import Change, History, Moved, Setting, Track

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Limits:
    """What `limits.history` in the settings changes."""

    weight: float = 5.5
    """Price of a level for an alarm, in log n s^2: about 0.1 false alarms a year and metric (benchmarks.history)."""
    account: float = 4.0
    """The same for the account of all nights, which later nights may correct."""
    matters: float = 0.002
    """Share of the level below which a change is worth knowing and no warning."""


@dataclass(frozen=True, slots=True)
class Params:
    """Numbers of the scan."""

    onset: float = 4.0
    """Squares of sd by which a night may explain worse and still be one at which the change may have begun (2 sd)."""
    cause: float = 10.0
    """The same for a setting to count as come with the change: one that hardly ever changes deserves the wider net."""
    same: int = 5
    """Nights within which an onset is one that has been told: onsets move a little as nights come in."""
    together: int = 2
    """Nights within which changes of several metrics are one entry."""
    memory: int = 200
    """Nights that an alarm looks back on: enough for any level, and the work of a night stays bounded."""
    window: int = 60
    """Nights on either side of the quick look that says whether a night can have anything to tell."""
    quick: float = 0.4
    """Share of the price that the quick look must find: it knows neither outliers nor correlation."""


PARAMS = Params()
DEFAULT = Limits()


def limits_of(given: Mapping[str, float]) -> Limits:
    """Return the limits with what the settings overrule."""
    return replace(DEFAULT, **given)


def judged(job: Nights, limits: Mapping[str, float] | None = None, *, replay: bool = False) -> History:
    """Return the history of a job with limits as of the settings. NoRunsError when no metric has twelve nights."""
    found = history(job, limits_of(limits or {}), replay=replay)
    if not found.tracks:
        where = f"{job.job}: " if job.job else ""
        most = max((int(np.isfinite(values).sum()) for values in job.metrics.values()), default=0)
        raise NoRunsError(f"{where}{counted(most, 'night')} with a value; a history needs at least {LEAST_NIGHTS}")
    return found


def given(settings: Settings, n: int, is_label: Callable[[str], bool]) -> dict[str, Column]:
    """Return settings as columns, without those whose names are labels; UsageError when there are not n values."""
    return {name: column for name, column in columns_of(settings, n).items() if not is_label(name)}


@dataclass(frozen=True, eq=False, slots=True)
class _Scan:
    """A job as it is scanned: its nights, the changes of its settings, the limits, how many metrics are looked at."""

    job: Nights
    flags: Sequence[tuple[int, Setting]]
    limits: Limits
    metrics: int


@dataclass(frozen=True, eq=False, slots=True)
class _Seen:
    """One metric's account over some nights; `at` are the job's indices of the nights with a value."""

    metric: str
    at: NDArray[np.int64]
    account: Account


@dataclass(frozen=True, slots=True)
class _Found:
    """A change of one metric: all cuts of it as indices of the job."""

    change: Change
    cuts: tuple[int, ...]


def history(job: Nights, limits: Limits = DEFAULT, *, replay: bool = False) -> History:
    """Return the history of a job; with `replay` also what would have been reported on which night."""
    usable = [name for name, values in job.metrics.items() if int(np.isfinite(values).sum()) >= LEAST_NIGHTS]
    scan = _Scan(job, announced_causes.flags(job.settings), limits, len(usable))
    seen = [_seen(scan, name, np.arange(job.times.size), limits.account) for name in usable]
    alarms = tuple(_alarms(scan, usable)) if replay else ()
    changes = (_merged(group).change for group in _together([one for own in seen for one in _of_metric(scan, own)]))
    return History(
        job.job,
        job.times,
        job.runs,
        tuple(_track(job, own) for own in seen),
        tuple(replace(one, told=_told(scan, one, alarms, replay=replay)) for one in changes),
        alarms,
        replay,
        tuple(scan.flags),
        tuple(one or "" for one in job.code),
        tuple(_notes(job, usable)),
    )


def _notes(job: Nights, usable: Sequence[str]) -> Iterator[str]:
    for name, values in job.metrics.items():
        if name not in usable:
            held = counted(int(np.isfinite(values).sum()), "night")
            yield f"{name}: {held} with a value; a history needs {LEAST_NIGHTS}"
        elif name in job.assumed:
            yield f"{name}: which way is better is not known from its name; taken to be higher"


def _seen(scan: _Scan, metric: str, within: NDArray[np.int64], weight: float) -> _Seen:
    """Return a metric's account over the nights of some indices."""
    column = scan.job.metrics[metric][within]
    here = np.isfinite(column)
    values = column[here]
    return _Seen(metric, within[here], account(values, weight, values.size * scan.metrics))


def _of_metric(scan: _Scan, seen: _Seen) -> Iterator[_Found]:
    cuts = list(seen.account.cuts)
    edges = [0, *cuts, seen.at.size]
    for group in step_or_drift.grouped(cuts, seen.account.flat):
        low, high = edges[edges.index(group[0]) - 1], edges[edges.index(group[-1]) + 1]
        yield _found(scan, seen, group, (low, high))


def _found(scan: _Scan, seen: _Seen, group: list[int], around: tuple[int, int]) -> _Found:
    job, told, (low, high) = scan.job, seen.account, around
    flat = told.flat
    noise = told.sd**2 * (1 + told.correlation) / (1 - told.correlation)
    drift = None if told.fixed else step_or_drift.drift(flat, low, group, high, noise=noise)
    start, end = (drift.start, drift.end) if drift else (group[0], group[-1])
    before, after = (float(flat[low : group[0]].mean()), float(flat[group[-1] : high].mean()))
    if drift:
        before, after = drift.before, drift.after
    lasting = drift is not None or len(group) > 1
    interval = _indices(seen, _interval(told, group, around, start, PARAMS.onset))
    reach = _indices(seen, _interval(told, group, around, start, PARAMS.cause))
    came = announced_causes.announced(scan.flags, reach)
    index = _snapped(int(seen.at[start]), came, reach)
    level = before + told.slope * start
    change = Change(
        job=job.job,
        metric=seen.metric,
        better=job.better[seen.metric],
        index=index,
        night=float(job.times[index]),
        run=job.runs[index],
        interval=(min(interval[0], index), max(interval[1], index)),
        shape="drift" if lasting else "step",
        until=int(seen.at[end]) if lasting else None,
        before=level,
        after=after + told.slope * start,
        sd=told.sd,
        nights=int(seen.at.size),
        p_value=_chance(before - after, told, group[0] - low, high - group[-1]),
        told=None,
        announced=bool(came),
        matters=abs(after - before) >= scan.limits.matters * abs(level),
        changed=tuple(one for _, one in came),
        code=announced_causes.code(job.code, index),
        outliers=_outliers(seen),
    )
    return _Found(change, (*(int(seen.at[i]) for i in group), index))


def _outliers(seen: _Seen) -> tuple[int, ...]:
    return tuple(int(seen.at[i]) for i in seen.account.outliers)


def _indices(seen: _Seen, places: tuple[int, int]) -> tuple[int, int]:
    return int(seen.at[places[0]]), int(seen.at[places[1]])


def _snapped(index: int, came: Sequence[tuple[int, Setting]], interval: tuple[int, int]) -> int:
    """Return the night of the setting that changed when the change may have begun, else the likeliest night."""
    inside = [i for i, _ in came if interval[0] <= i <= interval[1]]
    return min(inside, key=lambda i: abs(i - index)) if inside else index


def _interval(told: Account, group: list[int], around: tuple[int, int], start: int, slack: float) -> tuple[int, int]:
    """Return the first and last place at which a cut costs at most `slack` squares of sd more than the best."""
    if told.fixed:
        return group[0], group[0]
    low, high = around
    places, costs = split_costs(told.flat[low : high if len(group) == 1 else group[1]], 1)
    near = places[costs <= costs.min() + slack * told.sd**2] + low
    return min(int(near.min()), start), max(int(near.max()), start)


def _chance(difference: float, told: Account, before: int, after: int) -> float:
    """Return the two-sided p-value of two levels, Student's t; correlated nights count for what they are worth."""
    if told.fixed or told.sd == 0:
        return 0.0
    from scipy.special import stdtr  # noqa: PLC0415 - slow to import, and only changes need it

    worth = (1 - told.correlation) / (1 + told.correlation)
    error = told.sd * np.sqrt(1 / max(1.0, before * worth) + 1 / max(1.0, after * worth))
    freedom = max(1.0, (before + after) * worth - 2)
    return float(2 * stdtr(freedom, -abs(difference) / error))


def _together(found: Sequence[_Found]) -> list[list[_Found]]:
    """Return changes in groups: those of different metrics that may have begun within two nights of each other."""
    groups: list[list[_Found]] = []
    for one in sorted(found, key=lambda f: (f.change.index, f.change.metric)):
        group = next((g for g in reversed(groups) if _fits(one, g)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups


def _fits(one: _Found, group: Sequence[_Found]) -> bool:
    change, other = one.change, group[0].change
    if any(change.metric == known.change.metric for known in group):
        return False
    near = abs(change.index - other.index) <= PARAMS.together
    first, last = max(change.interval[0], other.interval[0]), min(change.interval[1], other.interval[1])
    lasting = "drift" in (change.shape, other.shape) and change.index <= (other.until or other.interval[1])
    return near or first - last <= PARAMS.together or lasting


def _merged(group: Sequence[_Found]) -> _Found:
    """Return several metrics' changes as one: worse before better, then the one that is clearest of its noise."""
    ordered = sorted(group, key=lambda f: (f.change.direction == "better", -_clear(f.change), f.change.metric))
    lead = ordered[0].change
    came = {(one.name, one.before, one.after): one for f in ordered for one in f.change.changed}
    also = tuple(Moved(f.change.metric, f.change.better, f.change.before, f.change.after) for f in ordered[1:])
    cuts = tuple(cut for f in ordered for cut in f.cuts)
    return _Found(replace(lead, also=also, changed=tuple(came.values()), announced=bool(came)), cuts)


def _clear(change: Change) -> float:
    return abs(change.difference) / change.sd if change.sd else np.inf


def _alarms(scan: _Scan, metrics: Sequence[str]) -> Iterator[Change]:
    """Yield what would have been reported, night by night; each night knows the nights before it and no later one."""
    looks = {name: _quick(scan, name) for name in metrics}
    told: list[int] = []
    for night in range(LEAST_NIGHTS - 1, scan.job.times.size):
        for one in _tonight(scan, [name for name in metrics if looks[name][night]], night):
            if all(abs(cut - known) > PARAMS.same for cut in one.cuts for known in told):
                yield replace(one.change, told=night)
            told += [cut for cut in one.cuts if cut not in told]


def _tonight(scan: _Scan, metrics: Sequence[str], night: int) -> list[_Found]:
    """Return the changes that the nights up to one show clearly enough for an alarm."""
    within = np.arange(max(0, night + 1 - PARAMS.memory), night + 1)
    known = replace(scan, flags=[flag for flag in scan.flags if flag[0] <= night])
    found: list[_Found] = []
    for name in metrics:
        if int(np.isfinite(scan.job.metrics[name][within]).sum()) >= LEAST_NIGHTS:
            found += _of_metric(known, _seen(known, name, within, scan.limits.weight))
    return [_merged(group) for group in _together(found)]


def _quick(scan: _Scan, metric: str) -> NDArray[np.bool_]:
    """Return for each night whether its last nights differ from those before at all, by a look that costs little."""
    values = scan.job.metrics[metric]
    here = np.flatnonzero(np.isfinite(values))
    x = values[here] - values[here].mean()
    n = x.size
    awake = np.zeros(values.size, dtype=bool)
    if n < LEAST_NIGHTS:
        return awake
    sums, ends = np.concatenate(([0.0], np.cumsum(x))), np.arange(1, n + 1)
    scale = _trailing(x)
    gain = np.zeros(n)
    for k in range(ACCOUNT.least, PARAMS.window + 1):
        later = np.clip(ends - k, 0, None)
        first = np.clip(later - PARAMS.window, 0, None)
        size = later - first
        ok = size >= ACCOUNT.least
        apart = (sums[ends] - sums[later]) / k - (sums[later] - sums[first]) / np.where(ok, size, 1)
        gain = np.maximum(gain, np.where(ok, apart**2 * k * size / (k + size), 0.0))
    chances = np.clip(np.minimum(ends, PARAMS.memory) * scan.metrics, 2, None)
    price = PARAMS.quick * scan.limits.weight * np.log(chances)
    awake[here] = gain > price * scale**2
    return awake


def _trailing(x: Array) -> Array:
    """Return the night-to-night scatter known at each night: the median of the last differences."""
    apart = np.abs(np.diff(x))
    padded = np.concatenate((np.full(PARAMS.window, np.nan), apart))
    windows = np.lib.stride_tricks.sliding_window_view(padded, PARAMS.window)
    with np.errstate(all="ignore"):
        middle = np.array([np.median(row[~np.isnan(row)]) if i else 0.0 for i, row in enumerate(windows)])
    return np.asarray(middle[: x.size])


def _told(scan: _Scan, change: Change, alarms: Sequence[Change], *, replay: bool) -> int | None:
    """Return the night that would have told a change; without a replay the nights after it are looked through."""
    if replay:
        near = [one.told for one in alarms if _same_change(one, change)]
        return min((night for night in near if night is not None), default=None)
    own = (change.metric, *(one.metric for one in change.also))
    quiet = replace(scan, flags=())
    for night in _nights_after(change, scan.job.times.size):
        found = _tonight(quiet, own, night)
        if any(abs(cut - change.index) <= _slack(change) for one in found for cut in one.cuts):
            return night
    return None


def _slack(change: Change) -> int:
    return PARAMS.same + (change.interval[1] - change.interval[0])


def _same_change(alarm: Change, change: Change) -> bool:
    last = change.until or change.index
    return change.index - _slack(change) <= alarm.index <= last + _slack(change)


def _nights_after(change: Change, n: int) -> Iterator[int]:
    """Yield nights at which a change may have been told: each of the first, then ever fewer."""
    night, stride = change.index + ACCOUNT.least - 1, 1
    while night < n:
        yield night
        stride = max(1, (night - change.index) // PARAMS.same)
        night += stride


def _track(job: Nights, seen: _Seen) -> Track:
    told, levels = seen.account, np.full(job.times.size, np.nan)
    levels[seen.at] = fitted(told.flat, list(told.cuts)) + told.slope * np.arange(seen.at.size)
    return Track(
        seen.metric,
        job.better[seen.metric],
        job.metrics[seen.metric],
        levels,
        told.sd,
        told.correlation,
        _outliers(seen),
        seen.metric not in job.assumed,
    )
