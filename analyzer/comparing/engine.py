"""A comparison worked out: from sides of runs to what is said of each candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from analyzer.comparing import exclusion, wording
from analyzer.comparing.anova import welch_anova
from analyzer.comparing.exclusion import FAILURES, Excluded
from analyzer.comparing.failures import failures_row
from analyzer.comparing.metric_choice import Choice, SideError, choose
from analyzer.comparing.metric_comparison import Judged, Pairing, compared_metric, judged, paired_by
from analyzer.comparing.noise_pool import groups_of, noise_of
from analyzer.comparing.outcome import common_budget
from analyzer.comparing.power import power_table
from analyzer.comparing.request import ComparisonRequest
from analyzer.comparing.settings_diff import settings_diff
from analyzer.comparing.subject import Subject
from analyzer.comparing.task_verdict import by_tasks, task_of
from analyzer.comparing.variance_prior import LEAST_GROUPS
from analyzer.model.comparison import ComparedRun, CompareVerdict, Comparison, SeedNoise, Side
from analyzer.model.formatting import counted, number
from analyzer.stats.multiplicity import holm

Array = NDArray[np.float64]

POINTS = 160  # of a run's curve in the picture
TWICE, HALF = 2.0, 0.5  # of the difference that matters: the other rows of the table of power
NAMED = 3  # runs that a message names
LITTLE = 0.3  # correlation of pairs below which pairing did not help


class Memory(Protocol):
    """What remembers runs of earlier audits."""

    def noise(self, tag: str, own: Sequence[Subject]) -> SeedNoise | None:
        """Return the seed noise of a metric among remembered runs other than `own`, None where there is none."""


@dataclass(frozen=True)
class Group:
    """The runs of one side, under one name."""

    name: str
    subjects: tuple[Subject, ...]


@dataclass(frozen=True)
class Sound:
    """A side after the runs that cannot be compared were taken out."""

    name: str
    kept: tuple[Subject, ...]
    excluded: tuple[Excluded, ...]

    @property
    def failed(self) -> int:
        """How many trainings failed."""
        return sum(one.kind in FAILURES for one in self.excluded)


@dataclass(frozen=True)
class Field:
    """What all comparisons of a call share: the metrics, the sides and the budget."""

    ask: ComparisonRequest
    primary: Choice
    secondary: tuple[Choice, ...]
    sides: tuple[Sound, ...]
    at: float
    reason: str


def compare_groups(
    base: Group,
    candidates: Sequence[Group],
    ask: ComparisonRequest,
    noise: SeedNoise | Sequence[Subject] | None = None,
    memory: Memory | None = None,
) -> Comparison:
    """Return what is said of each candidate against the base; the best candidate leads where there are several.

    `noise` is the seed noise of the primary metric, or the runs whose groups show it; None takes the sides of the same
    call that are not compared, then `memory`. UsageError when the sides cannot be compared.
    """
    groups = [Group(g.name, tuple(sorted(g.subjects, key=_order))) for g in (base, *candidates)]
    groups, shared, absent = _comparable(groups, ask)
    found = [_pair(shared, i, noise, memory) for i in range(1, len(groups))]
    if len(found) > 1:
        found = _adjusted(found)
    whole = [_told(shared, one) for one in found]
    leader = whole[0] if len(whole) == 1 else _leader(whole, shared)
    return (
        replace(leader, notes=(*leader.notes, *absent), extra={**leader.extra, "left_out": absent})
        if absent
        else leader
    )


def _comparable(groups: list[Group], ask: ComparisonRequest) -> tuple[list[Group], Field, list[str]]:
    """Return the groups that can be compared with what they share, and why other candidates of several cannot be."""
    absent: list[str] = []
    while True:
        try:
            return groups, _shared(groups, ask), absent
        except SideError as error:
            if error.side == 0 or len(groups) <= 2:  # the base, or the only candidate
                raise
            absent.append(f"Left out: {str(error).rstrip('?')}.")
            groups = [group for i, group in enumerate(groups) if i != error.side]


def _order(subject: Subject) -> tuple[str, str]:
    return subject.label, subject.run.location


def _shared(groups: Sequence[Group], ask: ComparisonRequest) -> Field:
    """Return metrics and budget of a call; UsageError when a side has no run that can be compared."""
    out: list[list[Excluded]] = [[e for s in g.subjects if (e := exclusion.unreadable(s)) is not None] for g in groups]
    readable = [[s for s in g.subjects if exclusion.unreadable(s) is None] for g in groups]
    if len(groups) == 2:
        both = [exclusion.shared(readable[0], readable[1]), exclusion.shared(readable[1], readable[0])]
        out = [[*gone, *more] for gone, more in zip(out, both, strict=True)]
        readable = _without(readable, out)
    _refuse_empty(groups, readable, out)
    primary, secondary = choose(readable, [g.name for g in groups], ask.metric, ask.better)
    tag, kept = primary.tag, [list(side) for side in readable]
    for side, gone in zip(kept, out, strict=True):
        gone.extend(e for s in side if (e := exclusion.without_metric(s, tag)) is not None)
    kept = _without(kept, out)
    for side, gone in zip(kept, out, strict=True):
        gone.extend(e for s in side if (e := exclusion.diverged(s, tag, ask.at)) is not None)
    kept = _without(kept, out)
    before = kept
    for i, side in enumerate(before):
        others = [s for j, other in enumerate(before) if j != i for s in other]
        out[i] += exclusion.cut_off(side, others, tag, ask.at)
    kept = _without(kept, out)
    for side, gone in zip(kept, out, strict=True):
        gone.extend(exclusion.copies(side, tag))
    kept = _without(kept, out)
    _refuse_empty(groups, kept, out)
    sides = tuple(Sound(g.name, tuple(k), tuple(o)) for g, k, o in zip(groups, kept, out, strict=True))
    at, reason = _budget(sides, tag, ask)
    return Field(ask, primary, secondary, sides, at, reason)


def _without(sides: Sequence[Sequence[Subject]], out: Sequence[Sequence[Excluded]]) -> list[list[Subject]]:
    gone = [{id(e.subject) for e in side} for side in out]
    return [[s for s in side if id(s) not in ids] for side, ids in zip(sides, gone, strict=True)]


def _refuse_empty(
    groups: Sequence[Group], kept: Sequence[Sequence[Subject]], out: Sequence[Sequence[Excluded]]
) -> None:
    for i, (group, side, gone) in enumerate(zip(groups, kept, out, strict=True)):
        if not side:
            why = "; ".join(f"{e.subject.label}: {e.reason}" for e in gone[:NAMED])
            raise SideError(f"{group.name} has no finished run to compare ({why or 'no run at all'})", i)


def _budget(sides: Sequence[Sound], tag: str, ask: ComparisonRequest) -> tuple[float, str]:
    tracks = [track for side in sides for s in side.kept if (track := s.track(tag)) is not None]
    if all(track.x.size == 1 for track in tracks):
        return common_budget(tracks), "the one value of every run"
    if ask.at is not None:
        return ask.at, f"the {ask.axis} asked for"
    return common_budget(tracks), f"the last {ask.axis} that every run reached"


@dataclass(frozen=True)
class Pair:
    """One candidate against the base: every metric judged, the primary one first."""

    base: Sound
    candidate: Sound
    judged: tuple[Judged, ...]
    noise: SeedNoise | None
    pairing: Pairing | None
    tasks: Mapping[str, Any] | None = None
    task_verdict: CompareVerdict | None = None
    few_groups: int | None = None
    """Groups of replicates in what the user named as a source of noise, where they are too few."""


def _pair(shared: Field, i: int, noise: SeedNoise | Sequence[Subject] | None, memory: Memory | None) -> Pair:
    ask = shared.ask
    base, candidate = shared.sides[0], shared.sides[i]
    pool = _pool(shared, i, noise)
    pairing = paired_by(base.kept, candidate.kept, ask.paired) if ask.paired else None
    if pairing is not None:
        base = replace(base, kept=pairing.base, excluded=(*base.excluded, *pairing.left[0]))
        candidate = replace(candidate, kept=pairing.candidate, excluded=(*candidate.excluded, *pairing.left[1]))
    rows = []
    few_groups: int | None = None
    for choice in (shared.primary, *shared.secondary):
        own = noise if isinstance(noise, SeedNoise) and noise.metric == choice.tag else None
        if own is None and pool:
            own = noise_of(pool, choice.tag, choice.better, ask.outcome, noisy=choice.noisy)
        if choice is shared.primary and noise is not None:
            few_groups = _few_groups(noise if isinstance(noise, SeedNoise) else own)
        if memory is not None and (own is None or own.sd is None):
            own = memory.noise(choice.tag, (*base.kept, *candidate.kept))
        at = shared.at if choice is shared.primary else None
        one = judged(base.kept, candidate.kept, choice, ask, own, at=at, near=shared.at, in_pairs=pairing is not None)
        if one is not None:
            rows.append(one)
    found = Pair(base, candidate, tuple(rows), rows[0].noise, pairing, few_groups=few_groups)
    by = task_of(base.kept, candidate.kept)
    if by is None:
        return found
    tasks, verdict = by_tasks(by, base.kept, candidate.kept, rows[0], ask)
    first = replace(rows[0], found=replace(rows[0].found, error=None, sd=None, df=None, test=None, p_value=None))
    return replace(found, judged=(first, *rows[1:]), tasks=tasks, task_verdict=verdict)


def _few_groups(noise: SeedNoise | None) -> int | None:
    """Return how many groups of replicates a source of noise has, 0 without a source, None where they are enough."""
    if noise is None:
        return 0
    return len(noise.groups) if noise.sd is None else None


def _pool(shared: Field, i: int, noise: SeedNoise | Sequence[Subject] | None) -> Mapping[str, Sequence[Subject]]:
    """Return the groups that noise is borrowed from: never those that are compared."""
    if isinstance(noise, SeedNoise):
        return {}
    if noise is None:
        rest = [s for j, side in enumerate(shared.sides) if j not in (0, i) for s in side.kept]
        return groups_of(rest)
    own = {s.identity for j in (0, i) for s in (*shared.sides[j].kept, *(e.subject for e in shared.sides[j].excluded))}
    groups = groups_of(noise)
    return {name: group for name, group in groups.items() if not own & {s.identity for s in group}}


def _adjusted(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with the primary metric's p-values adjusted over the candidates (Holm)."""
    known = [i for i, pair in enumerate(pairs) if pair.judged[0].found.p_value is not None]
    p_values = holm([pairs[i].judged[0].found.p_value or 0.0 for i in known])
    found = list(pairs)
    for i, p in zip(known, p_values, strict=True):
        first = replace(pairs[i].judged[0], adjusted=p)
        found[i] = replace(pairs[i], judged=(first, *pairs[i].judged[1:]))
    return found


def _told(shared: Field, pair: Pair) -> Comparison:
    """Return a pair as it is told."""
    ask, first = shared.ask, pair.judged[0]
    rest = [one for one in pair.judged[1:] if one.found.p_value is not None]
    p_values = dict(
        zip((one.choice.tag for one in rest), holm([one.found.p_value or 0.0 for one in rest]), strict=True)
    )
    names = (pair.base.name, pair.candidate.name)
    metrics = [compared_metric(first, names, ask, first.adjusted, axis=ask.axis)]
    metrics += [
        compared_metric(replace(one, worth=None), names, ask, p_values.get(one.choice.tag), axis=ask.axis)
        for one in pair.judged[1:]
    ]
    if pair.task_verdict is not None and pair.tasks is not None:
        metrics[0] = replace(metrics[0], verdict=pair.task_verdict, sentence=str(pair.tasks["sentence"]))
    diff = settings_diff(pair.base.kept, pair.candidate.kept, first.choice.tag, first.outcomes)
    notes = _notes(shared, pair, [row.name for row in diff.rows], [name for name, _ in diff.confounding])
    sentence = " ".join([metrics[0].sentence, *_failed(pair)])
    runs = tuple(len(side.kept) + side.failed for side in (pair.base, pair.candidate))
    extra: dict[str, Any] = {
        "failures": failures_row((pair.base.failed, pair.candidate.failed), (runs[0], runs[1])),
        "varies": [{"name": name, "side": side, "values": list(values)} for name, side, values in diff.varies],
        "confounding": [{"name": name, "p_value": p} for name, p in diff.confounding],
        "settled": not (first.course is not None and first.course.unsettled),
    }
    if pair.tasks is not None:
        extra["tasks"] = dict(pair.tasks)
    gap = first.worth or abs(first.found.difference)
    gaps = tuple(sorted({gap * HALF, gap, gap * TWICE})) if gap > 0 else ()
    return Comparison(
        ask.version, metrics[0].verdict, sentence,
        _side(pair.base, first), _side(pair.candidate, first),
        ask.axis, shared.at, shared.reason, ask.outcome, pair.pairing is not None,
        diff.rows, tuple(metrics),
        band=first.course.band if first.course is not None else None,
        table=power_table(first.found, gaps, ask.confidence),
        method=_method(shared, pair),
        notes=notes, extra=extra,
    )  # fmt: skip


def _failed(pair: Pair) -> list[str]:
    sides = [(s.name, len(s.kept) + len(s.excluded), s.excluded) for s in (pair.base, pair.candidate)]
    return wording.failures_sentences(sides)


def _side(side: Sound, first: Judged) -> Side:
    runs = tuple(_run(s, first, outcome=first.outcomes.get(s.identity)) for s in side.kept)
    gone = tuple(_run(e.subject, first, reason=e.reason, failed=e.kind in FAILURES) for e in side.excluded)
    return Side(side.name, runs, gone)


def _run(
    subject: Subject, first: Judged, *, outcome: float | None = None, reason: str = "", failed: bool = False
) -> ComparedRun:
    track = subject.track(first.choice.tag)
    curve = None
    if track is not None and track.x.size:
        kept = np.unique(np.linspace(0, track.x.size - 1, min(POINTS, track.x.size)).round().astype(int))
        curve = (track.x[kept], track.y[kept])
    return ComparedRun(subject.label, subject.label, subject.run.location, outcome, reason, failed, curve)


def _notes(shared: Field, pair: Pair, settings: Sequence[str], confounding: Sequence[str]) -> tuple[str, ...]:
    first, ask = pair.judged[0], shared.ask
    notes = [wording.settings_sentence(settings)]
    if first.choice.noisy and not shared.ask.metric:
        notes.append(f"No held-out metric is common to all runs: {first.choice.tag} is compared.")
    if first.course is not None and first.course.crossing is not None:
        lower, ahead = first.choice.better == "lower", first.course.band.difference[-1]
        last = pair.candidate.name if (ahead < 0) == lower else pair.base.name
        before = pair.base.name if last == pair.candidate.name else pair.candidate.name
        notes.append(wording.crossing_sentence(first.course.crossing, ask.axis, (before, last)))
    if first.course is not None and first.course.unsettled:
        notes.append("Not settled: both sides still improve at the end, at rates that differ.")
    notes += [
        f"{name} varies within a side and goes with the outcome there: the difference may come from it."
        for name in confounding
    ]
    rho = first.found.correlation
    if pair.pairing is not None and rho is not None and rho < LITTLE:
        notes.append(f"Pairing did not help: the correlation of the pairs is {number(rho, 2)}.")
    if pair.few_groups is not None:
        notes.append(
            f"No seed noise was borrowed: its source has {counted(pair.few_groups, 'group')} of replicates that log "
            f"{first.choice.tag}; {LEAST_GROUPS} are needed."
        )
    same = {s.identity for s in pair.base.kept} & {s.identity for s in pair.candidate.kept}
    if same:
        notes.append(f"Counted on both sides: {counted(len(same), 'run')}.")
    return tuple(note for note in notes if note)


def _method(shared: Field, pair: Pair) -> tuple[str, ...]:
    from analyzer.comparing.method import method_of  # noqa: PLC0415 - the words of the page, read with it only

    return method_of(pair.judged[0], shared.ask, shared.at, shared.reason, candidates=len(shared.sides) - 1)


def _leader(whole: Sequence[Comparison], shared: Field) -> Comparison:
    """Return the comparison of the candidate that leads, with all of them: by verdict, then by mean."""
    rank = {"better": 0, "no-difference": 1, "cannot-tell": 1, "worse": 2}
    sign = 1 if shared.primary.better == "lower" else -1
    first = min(whole, key=lambda one: (rank[one.verdict], sign * one.primary.candidate.mean))
    count = len(whole)
    words = f"{count} candidates against {first.base.name} (Holm over them); the best is {first.candidate.name}."
    values = [first.primary.base.values, *(one.primary.candidate.values for one in whole)]
    test = welch_anova([np.array(own) for own in values])
    return replace(
        first, sentence=f"{first.sentence} {words}", rivals=tuple(whole), extra={**first.extra, "anova": test}
    )
