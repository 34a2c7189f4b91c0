"""A part of the training was done twice: after a resume the loss lies below its course, or repeats old values.

Why it matters
--------------
A resume that starts the order of the data again shows the model what it has just seen, and never shows it the rest of
that epoch: the loss looks better than it is, and in single-epoch training part of the data is lost. A run that goes on
from an older checkpoint does the same steps again: the time between the checkpoint and the resume is lost.

How it is measured
------------------
Behind each restart the training loss is cut into three stretches: before it, a stretch of a length between eight points
and an epoch, and what follows. The middle one must lie below both of its neighbours by more than noise explains; a loss
that goes on falling lies below the first alone. Besides, the longest stretch of a training or held-out loss that equals
an earlier stretch to the last digit is compared with what chance gives values of this resolution. A deterministic
training that is restored repeats itself like this, while its step count may go on.

When it is wrong
----------------
A learning rate or batch size that differs for a while after the resume moves the loss as well. It shows only where the
model remembers single examples, so that its absence proves nothing. Equal stretches may also come from a log that was
written twice. A loss that repeats itself all the time (weights that do not move, a loss computed once in a while) is
not judged by them.

What to do
----------
Save and restore the state of the sampler and the data loader with the checkpoint, or skip the batches that were seen.
After a repeated stretch look at which checkpoint the job was resumed from, and save checkpoints more often.

References
----------
Chowdhery et al., PaLM: scaling language modeling with pathways (2022), for restarts that skip batches.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.health import judged_losses
from analyzer.features.knobs import knob_at
from analyzer.features.repeated_stretch import Repeat, longest_repeat
from analyzer.features.restart import PARAMS as SEAM
from analyzer.features.restart import Dip, dips
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import counted, number, percent, step
from analyzer.model.run import Run


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    depth: float = field(
        default=0.02, metadata={"unit": "ratio", "why": "dip below the loss before and after it, as a share of it"}
    )
    noise: float = field(default=6.0, metadata={"unit": "standard errors", "why": "dip below both in standard errors"})
    share: float = field(default=0.05, metadata={"unit": "of the run", "why": "share of the run that was done twice"})
    chance: float = field(
        default=1e-6, metadata={"unit": "stretches", "why": "equal stretches so long that chance gives the curve"}
    )


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=6, metadata={"unit": "points", "why": "fewer show no stretch and its repetition"})
    elsewhere: float = field(
        default=0.1, metadata={"unit": "of the points", "why": "repeats elsewhere: the loss is rounded, or rests"}
    )


PARAMS = Params()


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for the restart with the clearest dip behind it, and one for the longest repeated stretch."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    again = [(c, r) for c in judged_losses(features) if c.n >= PARAMS.least and (r := longest_repeat(c.raw))]
    if again:
        yield _repeated(*max(again, key=lambda a: _share(*a)))
        return
    yield from _dips(features)


def _share(curve: Curve, repeat: Repeat) -> float:
    """Return the share of the run's steps that a repeated stretch takes, a step before its first point included."""
    return curve.course.share(max(0, repeat.first - 1), repeat.last)


def _repeated(curve: Curve, repeat: Repeat) -> Evidence:
    first, last = int(curve.at[repeat.first]), int(curve.at[repeat.last])
    original = (int(curve.at[repeat.first - repeat.back]), int(curve.at[repeat.last - repeat.back]))
    vetoes = []
    if repeat.points > repeat.back:  # a third time, and a fourth: that is a period
        vetoes.append(Veto("goes-on-repeating", curve.tag, {"points": float(repeat.back)}))
    if repeat.elsewhere > PARAMS.elsewhere:
        vetoes.append(Veto("repeats-elsewhere", curve.tag, {"share": repeat.elsewhere}))
    return Evidence(
        curve.tags,
        (
            Measure("share of the run that was done twice", _share(curve, repeat), "share", unit="of the run"),
            Measure("equal stretches that chance gives", repeat.expected, "chance", "below", unit="count"),
            Measure("repeated points", float(repeat.points), unit="points"),
        ),
        "warning",
        first_step=first,
        last_step=last,
        cause="older-checkpoint",
        vetoes=tuple(vetoes),
        marks=(
            Mark("region", curve.tag, "done twice", (first, last)),
            Mark("region", curve.tag, "first time", original),
        ),
        facts=(repeat, *original),
    )


def _dips(features: RunFeatures) -> Iterator[Reading]:
    least = 3 * SEAM.short  # what lies before, inside and after the shortest dip
    curve = next((c for c in features.training if c.n >= least and not c.role.running), None)
    if curve is None:
        yield Unfit(f"no training loss of batches with {least} points")
        return
    if not curve.points.restarts:
        yield Evidence(
            curve.tags, (Measure("restarts", 0.0, unit="count"),), "info", vetoes=(Veto("no-restart", curve.tag),)
        )
        return
    known = dips(curve, features.epoch_length)
    if not known:
        yield Unfit("too few points around the restart")
        return
    its = max(known, key=lambda d: d.clear)
    first, last = int(curve.at[its.first]), int(curve.at[its.first + its.length - 1])
    event = features.event_near(first, its.length * curve.cadence, ("lr-restart", "lr-drop"))
    knob = knob_at(features, (first, last))
    yield Evidence(
        curve.tags,
        (
            Measure("dip below the loss before and after it", its.depth, "depth", unit="ratio"),
            Measure("dip after a restart, in standard errors", its.clear, "noise", unit="standard errors"),
        ),
        "info",
        first_step=first,
        last_step=last,
        cause="order-began-again",
        marks=(Mark("region", curve.tag, "seen before", (first, last)),),
        explained_by=f"event:{event.kind}@{event.step}" if event else knob.event if knob else None,
        signs=(Sign("returns", curve.tag, {"level": its.after}),),
        facts=its,
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    if evidence.cause == "older-checkpoint":
        return _described_repeat(evidence)
    its: Dip = evidence.facts
    return Words(
        f"after the restart at step {step(evidence.first_step or 0)} {evidence.tags[0]} lies {percent(its.depth)} "
        f"below its course, and returns to {number(its.after)} after step {step(evidence.last_step or 0)}",
        "the order of the data began again at the restart: the model saw the same examples twice",
        ("the loss is lower only until the examples are new again",),
        (
            "Save and restore the state of the sampler and the data loader with the checkpoint.",
            "Compare this stretch with no other run: its loss is lower than the model deserves.",
        ),
    )


def _described_repeat(evidence: Evidence) -> Words:
    repeat, start, end = evidence.facts
    first, last = step(evidence.first_step or 0), step(evidence.last_step or 0)
    return Words(
        f"from step {first} to {last} {evidence.tags[0]} repeats its values of steps {step(start)} to {step(end)} "
        f"to the last digit: {counted(repeat.points, 'point')}, {percent(evidence.measures[0].value)} of the run",
        "the run went on from an older checkpoint with the same data in the same order, while its step count went on",
        (),
        (
            f"Check which checkpoint the job was resumed from before step {first}.",
            "Save checkpoints more often, and restore the newest one.",
            "Subtract the repeated steps when you compare this run with others.",
        ),
    )


def _epoch() -> np.ndarray:
    return falling(40) + noise(40, 0.02)


def _restored(back: int) -> Run:
    loss = falling(300) + noise(300, 0.02)
    return made_run({"train/loss": np.r_[loss[:200], loss[200 - back : 300]] if back else loss})


def _resumed(depth: float) -> Run:
    steps = np.r_[np.arange(300), np.arange(240, 600)]
    loss = falling(600, floor=0.8)[steps] * np.exp(noise(steps.size, 0.03))
    loss[300:380] *= 1 - depth
    return made_run({"train/loss": (steps, loss)})


DETECTOR = Detector(
    "replayed-data",
    __doc__,
    measure,
    Limits(),
    (
        Case("examples seen twice", "fires", lambda: _resumed(0.15)),
        Case("an older checkpoint restored", "fires", lambda: _restored(60)),
        Case("an epoch that repeats itself for ever", "almost", lambda: made_run({"train/loss": np.tile(_epoch(), 8)})),
        Case("no restart", "quiet", lambda: made_run({"train/loss": falling(600) + noise(600, 0.02)})),
        Case("a restart that goes on as before", "almost", lambda: _resumed(0.0)),
    ),
    yields_to=("exploding-loss", "non-finite", "plateau", "repetitive-loss", "frozen-values"),
    describe=describe,
)
