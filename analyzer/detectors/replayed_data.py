"""After a resume the loss lies below its course for a while: examples were seen twice.

Why it matters
--------------
A resume that starts the order of the data again shows the model what it has just seen, and never shows it the rest of
that epoch: the loss looks better than it is, and in single-epoch training part of the data is lost.

How it is measured
------------------
Behind each restart the training loss is cut into three stretches: before it, a stretch of a length between eight points
and an epoch, and what follows. The middle one must lie below both of its neighbours by more than noise explains; a loss
that goes on falling lies below the first alone.

When it is wrong
----------------
A learning rate or batch size that differs for a while after the resume moves the loss as well. It shows only where the
model remembers single examples, so that its absence proves nothing.

What to do
----------
Save and restore the state of the sampler and the data loader with the checkpoint, or skip the batches that were seen.

References
----------
Chowdhery et al., PaLM: scaling language modeling with pathways (2022), for restarts that skip batches.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.knobs import knob_at
from analyzer.features.restart import PARAMS as SEAM
from analyzer.features.restart import Dip, dip_after
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number, percent, step
from analyzer.model.run import Run


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    depth: float = field(
        default=0.02, metadata={"unit": "ratio", "why": "dip below the loss before and after it, as a share of it"}
    )
    noise: float = field(default=6.0, metadata={"unit": "standard errors", "why": "dip below both in standard errors"})


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the restart with the clearest dip behind it."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
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
    dips = [dip_after(curve, int(back), features.epoch_length) for back in curve.points.restarts]
    known = [d for d in dips if d is not None]
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
        Case("no restart", "quiet", lambda: made_run({"train/loss": falling(600) + noise(600, 0.02)})),
        Case("a restart that goes on as before", "almost", lambda: _resumed(0.0)),
    ),
    yields_to=("exploding-loss", "non-finite"),
    describe=describe,
)
