"""The loss drifts upwards and gives back what it had gained.

Why it matters
--------------
Nothing leaps, so nobody is alarmed; yet each further step makes the model worse, and the last checkpoint is
far from the best one.

How it is measured
------------------
The level at the end of the training loss is compared with the best level that was held for a tenth of the run, in
standard errors that know trend, curvature and autocorrelation. The rise must be significant; it must matter, as a
share of the level or of the progress; and it must undo something: the share of the run back to where the level had
first been reached, or the share of the progress that is lost. It must be larger than what the loss rose and came back
from before. A rise that is mostly one break, or that loses half of the progress, is an explosion; one that is on its
way down again is a spike.

When it is wrong
----------------
A task that becomes harder (curriculum, longer sequences, a loss term that grows) drifts upwards by design: a validation
loss that is at its best after the onset overrules the finding, a restart, a raised or a cyclic learning rate explains
it. Adversarial and reinforcement-learning losses are not judged.

What to do
----------
Go back to the checkpoint at the lowest level. Lower the learning rate or let it decay. Look at what changed slowly:
weight norms, the mixture of data, a growing coefficient.

References
----------
Sen, Estimates of the regression coefficient based on Kendall's tau (1968). Cohen et al., Gradient descent on neural
networks typically occurs at the edge of stability (2021).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.best_step import improves_after
from analyzer.features.held_out_metrics import metrics_after
from analyzer.features.rises import Rise, size_measures
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, percent, step
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    noise: float = field(default=3.5, metadata={"why": "rise at the end over the best level, in standard errors"})
    rise: float = field(default=1.05, metadata={"why": "rise as a factor of that level"})
    lost: float = field(
        default=0.1, metadata={"why": "share of the run that is undone, or of the progress that is lost, if larger"}
    )
    usual: float = field(default=0.6, metadata={"why": "largest earlier rise that was made good, over this one"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=7, metadata={"unit": "points", "why": "fewer show no drift"})
    all: float = field(default=0.95, metadata={"unit": "of the progress", "why": "lost: an error"})
    large: float = field(default=0.2, metadata={"unit": "of the level", "why": "rise from which that is an error"})
    grown: float = field(default=1.5, metadata={"unit": "×", "why": "growth of rate or gradient that is a cause"})
    few: int = field(default=24, metadata={"unit": "points", "why": "of rate or gradient, to see it grow"})
    ends: float = field(default=0.1, metadata={"unit": "of the drift", "why": "at both ends, where growth is read"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    since: int
    before: float
    after: float
    lost: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for each training loss, or for the validation losses of a run without one."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    known = features.training or features.validation
    judged = [c for c in known if c.n >= PARAMS.least and c.finite[-1] and not (c.role.running and len(known) > 1)]
    if not judged:
        few = f"fewer than {PARAMS.least} finite points of a loss"
        yield Unfit(few if known else "no training or validation loss is known")
    for curve in judged:
        relapse = curve.course.relapse
        if relapse is not None and not curve.course.relapse_is_fast and not curve.course.recovers:
            yield _reading(features, curve, relapse)
        else:
            nothing = Measure("rise at the end over the best level", 0.0, "noise", unit="standard errors")
            yield Evidence(curve.tags, (nothing,), "info")


def _reading(features: RunFeatures, curve: Curve, rise: Rise) -> Evidence:
    first, last = int(curve.at[rise.onset]), int(curve.at[-1])
    lost = min(rise.of_progress, 1.0) if np.isfinite(rise.of_progress) else 1.0
    signs = _growing(features, first, last)
    event = features.event_near(first, 0.05 * float(np.ptp(curve.at)), ("restart", "lr-restart"))
    event = event or features.restart_undone(curve, rise)
    explained = f"event:{event.kind}@{event.step}" if event else None
    if features.rate_period:
        explained = explained or f"event:lr-cycle@{int(curve.at[0])}"
    knob = features.knob_of(curve, rise)
    explained = explained or (knob.event if knob else None)
    return Evidence(
        curve.tags,
        (
            Measure("rise at the end over the best level", rise.errors, "noise", unit="standard errors"),
            *size_measures(rise, "size of the rise, as a factor", "rise", unit="×", as_factor=True),
            Measure("share of the run undone, or of the progress lost", rise.undone, "lost", unit="ratio"),
            Measure("largest earlier rise that was made good", rise.usual, "usual", "below", "of this one"),
        ),
        "error" if lost >= PARAMS.all and rise.size >= PARAMS.large else "warning",
        first_step=first,
        last_step=last,
        cause=signs[0].id if signs else None,
        signs=signs,
        facts=Facts(first, rise.before, rise.after, lost),
        marks=(
            Mark("region", curve.tag, "drifts upwards", (first, last)),
            Mark("level", curve.tag, "lowest lasting level", values=(rise.before,)),
        ),
        explained_by=(_better_elsewhere(features, curve, first, last) if rise.errors > 0 else None) or explained,
    )


def _better_elsewhere(features: RunFeatures, curve: Curve, first: int, last: int) -> str | None:
    """Return the event of a held-out loss, or of a metric beside this held-out loss, that improves meanwhile."""
    better = metrics_after(features, curve, first)[0] if curve in features.validation else None
    return f"event:metric-improves@{last}" if better else improves_after(features, first)


def _growing(features: RunFeatures, first: int, last: int) -> tuple[Sign, ...]:
    """Return a sign for a learning rate or a gradient norm that grows while the loss rises."""
    found = []
    for curve, sign in ((features.rate, "rate-grows"), (features.gradient, "gradient-grows")):
        if curve is None or curve.n < PARAMS.few:
            continue
        reach = PARAMS.ends * (last - first)
        before, late = curve.raw[np.abs(curve.at - first) <= reach], curve.raw[curve.at >= last - reach]
        if before.size and late.size and median(late) > PARAMS.grown * median(before) > 0:
            found.append(Sign(sign, curve.tag, {"from": median(before), "to": median(late)}))
    return tuple(found)


CAUSES = {"rate-grows": "a learning rate that goes on rising", "gradient-grows": "gradients that grow"}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    since = step(facts.since)
    lost = "all it had gained" if facts.lost >= PARAMS.all else f"{percent(facts.lost)} of what it had gained"
    return Words(
        f"{evidence.tags[0]} drifts upwards from {number(facts.before)} around step {since} to {number(facts.after)} "
        f"at the end and loses {lost}",
        CAUSES.get(evidence.cause or ""),
        tuple(
            f"{s.tag} goes from {number(s.numbers['from'])} to {number(s.numbers['to'])} meanwhile"
            for s in evidence.signs
        ),
        (
            f"Go back to the checkpoint nearest to step {since}.",
            "Lower the learning rate, or let it decay.",
            "Look at what changes slowly: weight norms, the mixture of the data, a growing coefficient of the loss.",
        ),
    )


def _drifting(points: int, low: float, end: float, spread: float = 0.03) -> np.ndarray:
    half = points // 2
    line = np.concatenate([falling(half, 2.3, low, 20.0), np.linspace(low, end, points - half)])
    return line + noise(points, spread)


DETECTOR = Detector(
    "slow-divergence",
    __doc__,
    measure,
    Limits(),
    (
        Case("a slow rise", "fires", lambda: made_run({"train/loss": _drifting(400, 1.75, 2.1)})),
        Case("back to where it began", "fires", lambda: made_run({"train/loss": _drifting(400, 1.75, 2.32)})),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(400) + noise(400, 0.03)})),
        Case("a small rise", "almost", lambda: made_run({"train/loss": _drifting(400, 1.0, 1.03)})),
        Case(
            "a harder task, and validation improves",
            "almost",
            lambda: made_run({"train/loss": _drifting(400, 1.75, 2.1), "val/loss": falling(400, rate=1.0)}),
        ),
        Case(
            "noise with a heavy tail",
            "almost",
            lambda: made_run({"train/loss": falling(400, 2.0, 1.6) * np.exp(noise(400, 0.8, skew=2.0))}),
        ),
    ),
    describe=describe,
    retired=("climb", "leap", "progress"),
    yields_to=("exploding-loss", "not-converging", "hidden-nan"),
)
