"""One metric compared: the outcomes of both sides, their difference, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.comparing import wording
from analyzer.comparing.crossing import Course, course_of
from analyzer.comparing.difference import Difference, paired, unpaired
from analyzer.comparing.exclusion import Excluded
from analyzer.comparing.metric_choice import Choice
from analyzer.comparing.noise_pool import prior_for
from analyzer.comparing.outcome import common_budget, common_start, outcomes
from analyzer.comparing.power import POWER, detectable, more_runs
from analyzer.comparing.request import ComparisonRequest
from analyzer.comparing.settings_diff import setting_of
from analyzer.comparing.subject import Subject, Track
from analyzer.errors import UsageError
from analyzer.model.comparison import ComparedMetric, CompareVerdict, SeedNoise, Spread
from analyzer.model.roles import words_of

SAME_AXIS = (
    2.0  # times: a metric that ends further from the budget than this counts other steps, and has its own budget
)
SEEDS = frozenset({"seed", "seeds"})


@dataclass(frozen=True)
class Judged:
    """A metric with the outcomes of both sides; `outcomes` by the identity of the run, `adjusted` p over candidates."""

    choice: Choice
    found: Difference
    base: Spread
    candidate: Spread
    at: float
    noise: SeedNoise | None
    worth: float | None
    error: float
    course: Course | None
    outcomes: Mapping[tuple[str, str], float]
    adjusted: float | None = None


@dataclass(frozen=True)
class Pairing:
    """Runs of both sides in the order of their pairs, and those without a partner."""

    by: str
    base: tuple[Subject, ...]
    candidate: tuple[Subject, ...]
    left: tuple[tuple[Excluded, ...], tuple[Excluded, ...]]


def judged(
    base: Sequence[Subject],
    candidate: Sequence[Subject],
    choice: Choice,
    ask: ComparisonRequest,
    noise: SeedNoise | None,
    *,
    at: float | None,
    near: float,
    in_pairs: bool,
) -> Judged | None:
    """Return a metric compared; None when a side has no run with it.

    `at` is the budget; without it, the last place that every run with the metric reached, at most `near` where both
    count the same steps.
    """
    sides = [_usable(side, choice.tag) for side in (base, candidate)]
    if in_pairs:
        both = [a[0] is not None and b[0] is not None for a, b in _zipped(base, candidate, choice.tag)]
        sides = [
            [(s, t) for s, keep in zip(side, both, strict=True) if keep and (t := s.track(choice.tag))]
            for side in (base, candidate)
        ]
    if not all(sides):
        return None
    tracks = [[track for _, track in side] for side in sides]
    every = [*tracks[0], *tracks[1]]
    where = _budget(every, near) if at is None else at
    lower = choice.better == "lower"
    reached = outcomes(every, where, ask.outcome, lower=lower, noisy=choice.noisy)
    values = [
        np.array([r.value for r in reached[: len(tracks[0])]]),
        np.array([r.value for r in reached[len(tracks[0]) :]]),
    ]
    prior = prior_for(noise, float(np.mean(np.concatenate(values))))
    found = paired(values[0], values[1]) if in_pairs else unpaired(values[0], values[1], prior)
    worth = ask.worth.of(float(values[0].mean())) if ask.worth is not None else None
    identities = [s.identity for side in sides for s, _ in side]
    return Judged(
        choice, found, Spread(tuple(values[0].tolist())), Spread(tuple(values[1].tolist())), where, noise, worth,
        float(np.sqrt(np.mean([r.error**2 for r in reached]))),
        course_of(tracks[0], tracks[1], where, ask.confidence, lower=lower),
        dict(zip(identities, (r.value for r in reached), strict=True)),
    )  # fmt: skip


def _zipped(
    base: Sequence[Subject], candidate: Sequence[Subject], tag: str
) -> list[tuple[tuple[Track | None], tuple[Track | None]]]:
    def sound(subject: Subject) -> Track | None:
        found = _usable([subject], tag)
        return found[0][1] if found else None

    return [((sound(a),), (sound(b),)) for a, b in zip(base, candidate, strict=True)]


def _usable(side: Sequence[Subject], tag: str) -> list[tuple[Subject, Track]]:
    """Return the runs of a side that have the metric and do not end in NaN there."""
    found = [(subject, track) for subject in side if (track := subject.track(tag)) is not None]
    return [(subject, track) for subject, track in found if track.x.size and track.broken is None]


def _budget(tracks: Sequence[Track], near: float) -> float:
    """Return the budget of a secondary metric: that of the primary one where both count the same steps."""
    own = common_budget(tracks)
    same = near > 0 and 1 / SAME_AXIS <= own / near <= SAME_AXIS and near >= common_start(tracks)
    return min(own, near) if same else own


def paired_by(base: Sequence[Subject], candidate: Sequence[Subject], name: str) -> Pairing:
    """Return the runs in pairs of equal value of a setting; for the seed, without such a setting, of equal folder.

    UsageError when nothing pairs them, or a value occurs twice on a side.
    """
    keys = [{s.identity: _pair_key(s, name) for s in side} for side in (base, candidate)]
    by = [_by_key(side, own, name) for side, own in zip((base, candidate), keys, strict=True)]
    shared = sorted(set(by[0]) & set(by[1]))
    if not shared:
        raise UsageError(f"no run of one side has the {name} of a run of the other; leave --paired out")
    left = tuple(
        tuple(
            Excluded(s, "unpaired", f"no run of the other side has its {name}")
            for key, s in own.items()
            if key not in shared
        )
        for own in by
    )
    return Pairing(name, tuple(by[0][key] for key in shared), tuple(by[1][key] for key in shared), (left[0], left[1]))


def _by_key(side: Sequence[Subject], keys: Mapping[tuple[str, str], str | None], name: str) -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    for subject in side:
        key = keys[subject.identity]
        if key is None:
            raise UsageError(
                f"{subject.label} has no setting {name!r} to pair it by; leave --paired out, or name another"
            )
        if key in found:
            raise UsageError(f"{found[key].label} and {subject.label} of one side have the same {name} ({key})")
        found[key] = subject
    return found


def _pair_key(subject: Subject, name: str) -> str | None:
    found = setting_of(subject, name)
    if found is not None or name != "seed":
        return found
    named = [n for n in subject.run.params if set(words_of(n)) & SEEDS or {"random", "state"} <= set(words_of(n))]
    return setting_of(subject, named[0]) if named else subject.label.rpartition("/")[2] or None


def verdict_of(one: Judged, ask: ComparisonRequest, adjusted: float | None) -> tuple[CompareVerdict, bool]:
    """Return the verdict on a metric, and whether the sides are equivalent.

    Equivalence comes first: where a smallest difference that matters was given, a smaller one is none.
    """
    equivalent = one.worth is not None and one.found.equivalent(one.worth, ask.confidence)
    p = one.found.p_value if adjusted is None else adjusted
    if equivalent:
        return "no-difference", True
    if p is None or p >= 1 - ask.confidence:
        return "cannot-tell", False
    return ("better" if (one.found.difference < 0) == (one.choice.better == "lower") else "worse"), False


def compared_metric(
    one: Judged, names: tuple[str, str], ask: ComparisonRequest, adjusted: float | None, *, axis: str
) -> ComparedMetric:
    """Return a metric as it is told."""
    found, level = one.found, ask.confidence
    verdict, equivalent = verdict_of(one, ask, adjusted)
    gap = one.worth or abs(found.difference)
    more = more_runs(found, gap, level) if gap else None
    means = one.base.mean, one.candidate.mean
    sentence = wording.verdict_sentence(
        verdict, names, one.choice.tag, found, means, level=level, worth=one.worth, equivalent=equivalent
    )
    if verdict == "cannot-tell" and more:
        sentence += f" {wording.more_sentence(more, gap, worth=one.worth is not None)}"
    course = one.course
    borrowed = len(one.noise.groups) if one.noise is not None and found.origin in {"pool", "both"} else 0
    noise = (found.sd, str(found.origin), borrowed, found.df) if found.sd is not None and found.df is not None else None
    return ComparedMetric(
        tag=one.choice.tag,
        better=one.choice.better,
        base=one.base,
        candidate=one.candidate,
        difference=found.difference,
        relative=found.difference / abs(means[0]) if means[0] else None,
        interval=found.interval(level),
        level=level,
        p_value=found.p_value,
        p_adjusted=adjusted,
        test=found.test,
        df=found.df,
        noise=noise,
        improvement=found.improvement(lower=one.choice.better == "lower"),
        detectable=detectable(found, level),
        more_runs=(more, gap, POWER) if more is not None else None,
        worth=one.worth,
        crossing=course.crossing if course is not None else None,
        verdict=verdict,
        sentence=sentence,
        at=one.at,
        correlation=found.correlation,
        measurement_error=one.error or None,
        equivalent=equivalent if one.worth is not None else None,
    )
