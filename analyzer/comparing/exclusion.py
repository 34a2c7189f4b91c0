"""Which runs of a side cannot be compared, and why: never dropped without a word, and failures are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analyzer.comparing.subject import Subject, Track
from analyzer.model.formatting import number, step

Kind = Literal["unreadable", "damaged", "no-metric", "diverged", "cut-off", "copy", "shared", "unpaired"]
FAILURES: frozenset[str] = frozenset({"diverged", "cut-off"})
"""Kinds of exclusion that are a failure of the training, which the sides may differ in."""

CUT_OFF = 0.5  # of the budget: a run that ended before was broken off
AS_PLANNED = 0.95  # of the budget: a run that its tracker calls failed or running has done its work from here on
UNFINISHED = frozenset({"RUNNING", "FAILED", "KILLED", "SCHEDULED"})
LEAST_OTHERS = 2  # runs: one other run alone does not say how long a training is meant to be
LEAST_DISTINCT = 3  # different values: curves of fewer can agree by chance


@dataclass(frozen=True, slots=True)
class Excluded:
    """A run that is not compared, with the reason in words."""

    subject: Subject
    kind: Kind
    reason: str


def unreadable(subject: Subject) -> Excluded | None:
    """Return why nothing of a run, or not all of it, could be read."""
    for note in subject.run.notes:
        if note.kind == "unreadable" and not subject.run.series:
            return Excluded(subject, "unreadable", f"it could not be read: {note.message}")
        if note.kind == "damage":
            return Excluded(subject, "damaged", f"its log is damaged: {note.message}")
    return None if subject.run.series else Excluded(subject, "unreadable", "its log has no series")


def without_metric(subject: Subject, tag: str) -> Excluded | None:
    """Return that a run does not log the metric of the comparison."""
    return None if subject.track(tag) is not None else Excluded(subject, "no-metric", f"it does not log {tag}")


def diverged(subject: Subject, tag: str, at: float | None) -> Excluded | None:
    """Return that a run's metric ends in NaN or infinity within the budget, or one of its losses became so.

    A loss that never had a finite value was not computed, and says nothing of the other metrics.
    """
    own = subject.track(tag)
    losses = [(t, track) for t, track in subject.tracks.items() if subject.roles[t].role == "loss" and t != tag]
    others = [(t, track) for t, track in losses if track.x.size]
    for name, track in ([(tag, own)] if own is not None else []) + others:
        if track.broken is not None and (at is None or track.broken <= at or not track.x.size):
            every = subject.run.series[name].values
            bad = every[~np.isfinite(every)]
            value = number(float(bad[0])) if bad.size else "not finite"
            where = f" from {subject.axis} {step(track.broken)} on" if track.x.size else ""
            return Excluded(subject, "diverged", f"{name} is {value}{where}")
    return None


def cut_off(subjects: Sequence[Subject], others: Sequence[Subject], tag: str, at: float | None) -> list[Excluded]:
    """Return the runs of a side that were broken off: before half of the budget, or not finished says the tracker.

    The budget is `at`, else what the runs of the side reached (their median); of a side of one run what the other
    side's did.
    """
    ends = [_end(subject, tag) for subject in subjects]
    if at is not None:
        short = (f"it ended at {s.axis} {step(e)}, before {step(at)}" for s, e in zip(subjects, ends, strict=True))
        pairs = zip(subjects, ends, short, strict=True)
        return [Excluded(subject, "cut-off", words) for subject, end, words in pairs if end < at]
    found = []
    for subject, end in zip(subjects, ends, strict=True):
        plan = _plan(subject, subjects, others, tag)
        declared = subject.run.declared or ""
        broken_off = declared in UNFINISHED and end < AS_PLANNED * plan
        if (
            declared in UNFINISHED and plan <= 0
        ):  # one value a metric: the tracker alone knows whether it came to its end
            broken_off = True
        if end < CUT_OFF * plan or broken_off:
            says = f" ({declared.lower()}, says the tracker)" if declared in UNFINISHED else ""
            where = f"it ended at {subject.axis} {step(end)} of {step(plan)}" if plan > 0 else "it did not finish"
            found.append(Excluded(subject, "cut-off", where + says))
    return found


def _plan(subject: Subject, side: Sequence[Subject], others: Sequence[Subject], tag: str) -> float:
    own = [_end(one, tag) for one in side]
    if len(own) >= LEAST_OTHERS:
        return float(np.median(own))
    elsewhere = [_end(one, tag) for one in others]
    if len(elsewhere) >= LEAST_OTHERS and subject.run.declared != "FINISHED":
        return float(np.median(elsewhere))
    return own[0]


def _end(subject: Subject, tag: str) -> float:
    track = subject.track(tag)
    return float(track.x[-1]) if track is not None and track.x.size else 0.0


def shared(subjects: Sequence[Subject], others: Sequence[Subject]) -> list[Excluded]:
    """Return the runs of a side that make up the whole other side: an experiment beside one of its own runs.

    Nothing is returned where both sides are the same, or share a part of their runs only.
    """
    own, theirs = {s.identity for s in subjects}, {s.identity for s in others}
    if not theirs or not theirs < own:
        return []
    return [Excluded(s, "shared", "it is a run of the other side") for s in subjects if s.identity in theirs]


def copies(subjects: Sequence[Subject], tag: str) -> list[Excluded]:
    """Return the runs of a side whose curve is another's to the last digit: a copy, or one seed trained twice."""
    seen: dict[bytes, Subject] = {}
    found = []
    for subject in sorted(subjects, key=lambda one: one.identity):
        track = subject.track(tag)
        if track is None or np.unique(track.y).size < LEAST_DISTINCT:
            continue
        first = seen.setdefault(_digest(track), subject)
        if first is not subject:
            found.append(
                Excluded(subject, "copy", f"{tag} is the same as in {first.label} at every point: no further seed")
            )
    return found


def _digest(track: Track) -> bytes:
    return track.x.tobytes() + track.y.tobytes()
