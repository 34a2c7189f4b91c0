"""The run becomes slower for good.

Why it matters
--------------
A machine that is shared, throttled or short of memory, or an input pipeline that falls behind, can double the cost of
a run without a trace in its loss.

How it is measured
------------------
Seconds per step, from the wall times of the longest series, over intervals of the usual number of steps. Where the
level of their block medians changes (optimal partitioning) and stays higher to the end, factor and step are reported.
In reinforcement learning only steps of the environment have a pace, and the first tenth of the run, before learning
starts, is left out.

When it is wrong
----------------
Longer sequences, larger images or batches, more evaluations and a second job that was meant make steps slower by
design; a logged setting that is moved at that step explains the drop. Wall times are those of writing: a log that is
written all at once has no pace, and runs of a few minutes are not looked at. A step that is an episode takes longer as
agents live longer.

What to do
----------
Compare with the machine's own figures since that step: temperature and clock, memory, disk, other jobs. Look at the
waiting time of the input pipeline and at what is evaluated or saved how often.

References
----------
Jackson et al., An algorithm for optimal partitioning of data on an interval (2005).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.knobs import knob_at
from analyzer.features.throughput import Pace, longest, pace
from analyzer.model.case import Case, falling
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Severity, Unfit, Words
from analyzer.model.formatting import number, percent, step, times
from analyzer.model.roles import words_of
from analyzer.model.run import Run, Series


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    factor: float = field(default=1.5, metadata={"unit": "×", "why": "seconds per step over those before, as a factor"})
    lasted: float = field(
        default=0.1, metadata={"unit": "of the steps", "why": "share of the run's steps that it lasted, to the end"}
    )
    minutes: float = field(
        default=10.0, metadata={"unit": "minutes", "why": "time spent in steps that is worth a look, in minutes"}
    )


@dataclass(frozen=True)
class Params:
    """What makes a drop a warning, and where the pace of reinforcement learning begins."""

    costly: float = field(
        default=0.5, metadata={"unit": "of the run", "why": "a run that costs half as much again deserves a warning"}
    )
    learning: float = field(
        default=0.1, metadata={"unit": "of the points", "why": "before learning starts an agent only collects"}
    )


PARAMS = Params()
ENVIRONMENT = ({"fps"}, {"total", "timesteps"}, {"env", "steps"}, {"environment", "steps"}, {"sps"})


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading over the run's longest series."""
    rl = features.family == "rl"
    if rl and not _counts_environment(features):
        yield Unfit("a step may be an episode here, which takes longer as the agent gets better")
        return
    series = longest(features.run)
    its = pace(series, PARAMS.learning if rl else 0.0) if series is not None else None
    if series is None or its is None:
        yield Unfit("too few points at even steps to tell the pace of the run")
        return
    severity: Severity = "warning" if (its.factor - 1) * its.lasted >= PARAMS.costly else "info"
    knob = knob_at(features, its.since)
    yield Evidence(
        (its.tag,),
        (
            Measure("seconds per step over those before", its.factor, "factor", unit="×"),
            Measure("share of the steps that it lasted", its.lasted, "lasted", unit="ratio"),
            Measure("time spent in the steps compared", its.seconds / 60, "minutes", unit="minutes"),
        ),
        severity,
        first_step=its.since,
        last_step=int(series.steps.max()),
        marks=(Mark("step", its.tag, "slower from here", (its.since,)),),
        explained_by=knob.event if knob is not None else None,
        facts=its,
    )


def _counts_environment(features: RunFeatures) -> bool:
    """Whether the log speaks of steps of the environment, as Stable-Baselines3 and CleanRL do."""
    return any(own <= set(words_of(tag)) for tag in features.curves for own in ENVIRONMENT)


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    its: Pace = evidence.facts
    return Words(
        f"from step {step(its.since)} to the end a step takes {number(its.after)} s instead of {number(its.before)} s, "
        f"{times(its.factor)} as long, for {percent(its.lasted)} of the run",
        advice=(
            f"Look at what the machine did since step {step(its.since)}: temperature, memory, disk, other jobs.",
            "Look at the waiting time of the input pipeline.",
            "If inputs grew longer or evaluations more frequent at that step, nothing needs mending.",
        ),
    )


def timed(loss: np.ndarray, seconds: np.ndarray) -> Run:
    """Return a run whose points lie so many seconds apart."""
    series = Series("train/loss", np.arange(loss.size), loss, 1.7e9 + np.cumsum(seconds))
    return Run("case", "case", "made", "formula", {"train/loss": series})


def _jitter(points: int) -> np.ndarray:
    return 4.0 + np.random.default_rng(3).gamma(2.0, 0.5, points)


DETECTOR = Detector(
    "throughput-drop",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "three times slower from the middle on",
            "fires",
            lambda: timed(falling(400), _jitter(400) * np.where(np.arange(400) < 180, 1, 3)),
        ),
        Case("an even pace", "quiet", lambda: timed(falling(400), _jitter(400))),
        Case(
            "slow for a while",
            "almost",
            lambda: timed(falling(400), _jitter(400) * np.where(np.abs(np.arange(400) - 200) < 50, 3, 1)),
        ),
        Case(
            "evaluations between the steps",
            "almost",
            lambda: timed(falling(400), _jitter(400) + 60.0 * (np.arange(400) % 20 == 0)),
        ),
    ),
    describe=describe,
)
