"""The axis that each series of a run is judged on: its own steps where they count, else what the points tell.

Steps are what a script passed to its logger, and they fail in a few known ways: the value that is logged without a step
when the training is over lands on the first step; steps are all equal, or timestamps; they restart every epoch; a
32-bit counter overflows; several trainings were written into one folder. Each of these is recognised here, once for all
series of the run together, and said in a note. No point is dropped without a note that counts it.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from analyzer.features import step_resets
from analyzer.features.common_axis import by_time
from analyzer.features.resumed_points import Account, Array, Kind, ResumedPoints
from analyzer.model.formatting import counted, step
from analyzer.model.run import Note, Series

AS_LONG = 0.9  # times the points of the longest training: a script that runs again to its end logs about as many
SHARE_IN_TURN = 3  # one return in so many points at most, where stretches follow each other; two writers return more
MIXTURE = (
    "two or more curves lie interleaved under one name, so it is not judged; log each under a name, a model or a run "
    "of its own"
)


def lineage(series: Series) -> ResumedPoints:
    """Return the points of one series that stand, judged by this series alone."""
    return lineages({series.tag: series}, {series.tag})[series.tag]


def lineages(
    series: Mapping[str, Series], judged: Iterable[str], mixed: Container[str] = ()
) -> dict[str, ResumedPoints]:
    """Return the points of every series that stand; empty series are left out.

    `judged` are the tags of losses, or of metrics where there are none: by their values it is told whether a training
    goes on when its steps begin again. `mixed` are the tags that mixtures() gives.
    """
    found = {tag: _mended(one) for tag, one in series.items() if one.points}
    stepless = [tag for tag, one in found.items() if step_resets.tells_nothing(one.steps, one.wall_times)]
    begins = {tag: step_resets.beginnings(one.steps) for tag, one in found.items() if tag not in stepless}
    again = {tag: places for tag, places in begins.items() if len(places) > 1 and tag not in mixed}
    if again:
        voters = [tag for tag in judged if tag in again] or list(again)
        apart = _passes if _goes_on(found, again, voters) else _trainings
        found |= apart(found, again, voters)
    found = {tag: one if tag in stepless else _standing(one) for tag, one in found.items()}
    for tag in found:
        if tag in mixed:
            found[tag] = replace(found[tag], accounts=(*found[tag].accounts, Account("mixture", MIXTURE)))
    return found | _without_steps(found, stepless)


def notes_of(lineages_: Mapping[str, ResumedPoints]) -> list[Note]:
    """Return one note for each thing that was done with the steps, told of its first series."""
    told: dict[Kind, list[tuple[str, Account]]] = {}
    for tag, one in lineages_.items():
        for account in one.accounts:
            told.setdefault(account.kind, []).append((tag, account))
    notes = []
    for cases in told.values():
        tag, account = cases[0]
        more = f" (and {len(cases) - 1} more)" if len(cases) > 1 else ""
        notes.append(Note("layout", f"{tag}{more}: {account.text}"))
    return notes


def _mended(one: Series) -> ResumedPoints:
    """Return the points with overflows undone, in the order of their steps, and without a summary at the end."""
    points = ResumedPoints(one.steps, one.values, one.wall_times)
    whole = step_resets.unwrapped(one.steps)
    if whole is not None:
        what = f"the step counter overflows at {step(int(one.steps.max()))}; the steps are counted on from there"
        points = points.placed(whole, Account("overflow", what))
    if step_resets.is_disorder(points.steps):
        return points.kept(np.argsort(points.steps, kind="stable"))
    size = step_resets.summary_size(points.steps)
    if size:
        last = int(points.steps[:-size].max())
        what = (
            f"{counted(size, 'value')} with step {step(int(points.steps[-1]))} written after step {step(last)}: a "
            f"summary that was logged without a step, left out of the curve"
        )
        points = points.kept(slice(0, -size))
        points = points.placed(points.steps, Account("summary", what))
    return points


def _goes_on(found: Mapping[str, ResumedPoints], again: Mapping[str, list[int]], voters: list[str]) -> bool:
    """Whether one training goes on where steps begin again, by the values of the voters."""
    votes = [step_resets.seam_votes(found[t].values, found[t].wall_times, again[t]) for t in voters]
    on, anew = sum(v[0] for v in votes), sum(v[1] for v in votes)
    if on == anew:
        return all(step_resets.is_regular(again[t], found[t].steps.size) for t in voters)
    return on > anew


def _passes(
    found: Mapping[str, ResumedPoints], again: Mapping[str, list[int]], _: list[str]
) -> dict[str, ResumedPoints]:
    """Return the series whose steps begin again on a continued axis."""
    placed = {}
    for tag, places in again.items():
        what = (
            f"the steps begin again {counted(len(places) - 1, 'time')} while the training goes on, as in a count per "
            f"epoch; all points are judged in the order written, and the steps are counted on"
        )
        length = step_resets.pass_length(found[tag].steps, places)
        steps = step_resets.continued(found[tag].steps, places, length)
        placed[tag] = replace(found[tag].placed(steps, Account("passes", what)), pass_length=length)
    return placed


def _trainings(
    found: Mapping[str, ResumedPoints], again: Mapping[str, list[int]], voters: list[str]
) -> dict[str, ResumedPoints]:
    """Return, of the series in which several trainings follow each other, the part of the last of the longest ones."""
    lead = max(voters, key=lambda t: found[t].steps.size)
    parts = _parts(found[lead], again[lead])
    window = parts[_last_of_longest(parts)].wall_times
    placed = {}
    for tag, places in again.items():
        own = _parts(found[tag], places)
        seconds = [_shared(part.wall_times, window) for part in own]
        best = seconds.index(max(seconds)) if max(seconds) > 0 else _last_of_longest(own)
        long = sum(part.steps.size >= AS_LONG * own[best].steps.size for part in own)
        rank = "the last of the longest" if long > 1 else "the longest"
        sizes = ", ".join(f"#{i + 1}: {part.steps.size}" for i, part in enumerate(own[:10]))
        at_once = any(b.wall_times[0] < a.wall_times[-1] for a, b in itertools.pairwise(own))
        who = "writers at the same time" if at_once else "trainings"
        what = (
            f"{len(own)} {who} lie under one name, as their steps begin again ({sizes}{', …' * (len(own) > 10)} "
            f"points); #{best + 1} is judged, {rank}. Give each a folder or run of its own"
        )
        placed[tag] = own[best].placed(own[best].steps, Account("trainings", what))
    return placed


def _last_of_longest(parts: list[ResumedPoints]) -> int:
    """Return the index of the last part that is about as long as the longest: a short one never stands for it."""
    most = max(part.steps.size for part in parts)
    return max(i for i, part in enumerate(parts) if part.steps.size >= AS_LONG * most)


def _parts(points: ResumedPoints, begins: list[int]) -> list[ResumedPoints]:
    return [points.kept(slice(a, b)) for a, b in itertools.pairwise([*begins, points.steps.size])]


def _shared(times: Array, window: Array) -> float:
    """Return the seconds that two stretches have in common; 0 where the times say nothing."""
    common = min(times[-1], window[-1]) - max(times[0], window[0])
    return max(0.0, float(common)) if np.isfinite(common) else 0.0


def _standing(points: ResumedPoints) -> ResumedPoints:
    """Return the points that stand after every restart.

    A step that goes back begins again from there: what lay beyond is overtaken and left out of the curve (it is kept
    in the series). Small disorder (several writers) is sorted instead.
    """
    steps = points.steps
    backs = step_resets.returns(steps)
    if not backs.size:
        return points
    if backs.size > max(step_resets.MANY, steps.size // step_resets.SHARE_MANY):
        return points.kept(np.argsort(steps, kind="stable"))
    # walking back from the end, a point stands when its step is below all steps written after a later restart
    later = np.full(steps.size, np.iinfo(np.int64).max)
    floor = np.iinfo(np.int64).max
    bounds = [0, *backs.tolist(), steps.size]
    for a, b in reversed(list(itertools.pairwise(bounds))):
        later[a:b] = floor
        floor = min(floor, int(steps[a]))
    stands = steps < later
    overtaken = int(np.count_nonzero(~stands))
    first = int(backs[0])
    more = f" and {counted(backs.size - 1, 'more time')}" if backs.size > 1 else ""
    what = (
        f"the steps go back from {step(int(steps[first - 1]))} to {step(int(steps[first]))}"
        f"{more}, as after a restart from a "
        f"checkpoint; {counted(overtaken, 'point')} of {steps.size} that it overtook stay in the log and are not judged"
    )
    return replace(
        points.kept(stands),
        restarts=tuple(int(steps[b]) for b in backs),
        overtaken=overtaken,
        accounts=(*points.accounts, Account("restart", what)),
    )


def _without_steps(found: Mapping[str, ResumedPoints], stepless: list[str]) -> dict[str, ResumedPoints]:
    """Return the series whose steps do not count, placed by time on the longest other series, else numbered."""
    counting = {tag: one for tag, one in found.items() if tag not in stepless and one.steps.size > 1}
    clock_tag = max(counting or dict.fromkeys(stepless), key=lambda tag: found[tag].steps.size, default="")
    if not clock_tag:
        return {}
    clock = found[clock_tag]
    if clock_tag in stepless:
        clock = replace(clock, steps=np.arange(clock.steps.size, dtype=np.int64))
    placed = {}
    for tag in stepless:
        one = found[tag]
        timed = None if tag == clock_tag or one.steps.size == clock.steps.size else by_time(one, clock)
        steps = np.arange(one.steps.size, dtype=np.int64) if timed is None else timed
        same = bool((one.steps == one.steps[0]).all())
        was = (
            f"all of its points have the same step ({step(int(one.steps[0]))})"
            if same
            else "the steps of its points are times"
        )
        how = "they are numbered in the order written" if timed is None else f"they are placed on {clock_tag} by time"
        placed[tag] = one.placed(steps, Account("no-step", f"{was}, so {how}; steps named in this report are these"))
    return placed


def mixtures(series: Mapping[str, Series]) -> Iterator[str]:
    """Yield the tags under which two or more curves lie interleaved; stretches one after the other are no mixture."""
    for tag, one in series.items():
        repeats = np.count_nonzero(one.steps[1:] <= one.steps[:-1])
        backs = step_resets.returns(one.steps).size
        if not repeats or 0 < backs <= one.points // SHARE_IN_TURN:
            continue
        if not step_resets.tells_nothing(one.steps, one.wall_times) and step_resets.is_mixture(one.steps, one.values):
            yield tag


def without_best_round(points: Mapping[str, ResumedPoints], judged: Iterable[str]) -> dict[str, ResumedPoints]:
    """Return the series of a boosting run without the point that repeats the best round at an extra step.

    MLflow's autologging of xgboost and lightgbm logs every series once more at the end with its values of the best
    iteration: all repeat the same earlier round exactly, one step beyond it all.
    """
    rounds = {tag: points[tag] for tag in judged if points[tag].steps.size > 4}
    if len({(p.steps.size, int(p.steps[-1])) for p in rounds.values()}) != 1:
        return dict(points)
    again = [np.flatnonzero(p.values[:-1] == p.values[-1]).tolist() for p in rounds.values()]
    if not set.intersection(*map(set, again)):
        return dict(points)
    what = Account("summary", "the last value repeats the best round at an extra step and is left out of the curve")
    cut = {tag: p.kept(slice(0, -1)) for tag, p in rounds.items()}
    return dict(points) | {tag: p.placed(p.steps, what) for tag, p in cut.items()}
