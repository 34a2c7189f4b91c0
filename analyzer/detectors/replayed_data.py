"""After a resume the loss lies below its course for a while: examples were seen twice.

Why it matters
--------------
A resume that starts the order of the data anew shows the model what it has just seen, and never shows it the rest of
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

from analyzer.anatomy import Anatomy
from analyzer.anatomy.seam import Dip, dip_after
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.run import Run
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import number, percent, step

LEAST = 40  # points


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    depth: float = field(default=0.02, metadata={"why": "dip below the loss before and after it, as a share of it"})
    noise: float = field(default=6.0, metadata={"why": "dip below both in standard errors"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the restart with the clearest dip behind it."""
    if not anatomy.falls:
        yield Unfit(anatomy.why_not)
        return
    curve = next((c for c in anatomy.training if c.n >= LEAST and not c.role.running), None)
    if curve is None:
        yield Unfit(f"no training loss of batches with {LEAST} points")
        return
    if not curve.points.restarts:
        none = (Measure("dip after a restart, in standard errors", 0.0, "noise", unit="standard errors"),)
        yield Evidence(curve.tags, none, "info", f"{curve.tag} has no restart")
        return
    dips = [dip_after(curve, int(back), anatomy.epoch_length) for back in curve.points.restarts]
    known = [d for d in dips if d is not None]
    if not known:
        yield Unfit("too few points around the restart")
        return
    its = max(known, key=lambda d: d.clear)
    event = anatomy.event_near(int(curve.at[its.first]), its.length * curve.cadence, ("lr-restart", "lr-drop"))
    yield _reading(curve.tags, curve.at, its, f"event:{event.kind}@{event.step}" if event else None)


def _reading(tags: tuple[str, ...], at: np.ndarray, its: Dip, explained: str | None) -> Evidence:
    first, last = int(at[its.first]), int(at[its.first + its.length - 1])
    return Evidence(
        tags,
        (
            Measure("dip below the loss before and after it", its.depth, "depth", unit="ratio"),
            Measure("dip after a restart, in standard errors", its.clear, "noise", unit="standard errors"),
        ),
        "info",
        f"after the restart at step {step(first)} {tags[0]} lies {percent(its.depth)} below its course, "
        f"and returns to {number(its.after)} after step {step(last)}",
        first,
        last,
        "the order of the data began anew at the restart: the model saw the same examples again",
        ("the loss is lower only until the examples are new again",),
        (
            "Save and restore the state of the sampler and the data loader with the checkpoint.",
            "Compare this stretch with no other run: its loss is lower than it is.",
        ),
        marks=(Mark("region", tags[0], "seen before", (first, last)),),
        explained_by=explained,
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
    course=False,
)
