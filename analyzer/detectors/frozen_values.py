"""A loss that moves at every point repeats one value for a part of the run, and then moves on.

Why it matters
--------------
Different batches never give one and the same loss to the last digit. Either no step was taken in that time (updates
that were skipped, a worker that hung), or the logger repeated an old value, and what the run did then is not known.

How it is measured
------------------
The longest row of identical values in each training and held-out loss is compared with what chance gives a curve with
as many repeated neighbours elsewhere: the expected number of such rows. The share of the run that the row takes decides
whether it matters. A row that lasts to the end is one of plateau.

When it is wrong
----------------
A loss that is logged at every step but computed once in a while repeats itself all the time; such a curve is not
judged. A loss that is fitted exactly rests at 0, and the held-out loss beside it rests too: nothing is left to learn. A
log that was filled up with old values on purpose.

What to do
----------
Look at the output of the job at that time: skipped updates (the scale of mixed precision), a data loader or device that
hung, a resume. Count the optimizer's steps, and compare them with the steps of the log.

References
----------
Feller, An introduction to probability theory and its applications, volume 1, XIII.7 (1968), for runs of successes.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.health import judged_losses
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Veto, Words
from analyzer.model.formatting import counted, percent, step
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    share: float = field(
        default=0.1, metadata={"unit": "of the run", "why": "share of the run over which one value is repeated"}
    )
    chance: float = field(
        default=1e-6, metadata={"unit": "rows", "why": "rows so long that chance gives a curve with as many repeats"}
    )


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    rounded: float = field(
        default=0.25, metadata={"unit": "of the neighbours", "why": "repeats elsewhere: the values are rounded or held"}
    )
    near_zero: float = field(default=0.01, metadata={"unit": "of the start", "why": "a loss below it is fitted"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Row:
    """The longest row of identical values: indices of its first and last point, and how often others repeat."""

    first: int
    last: int
    elsewhere: float
    expected: float

    @property
    def points(self) -> int:
        """How many points hold the value."""
        return self.last - self.first + 1


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for each training and held-out loss that is long enough."""
    curves = [c for c in judged_losses(features) if c.n >= ENOUGH.evaluations]
    if not curves:
        yield Unfit(features.why_not if not features.falls else f"no loss with {ENOUGH.evaluations} finite points")
        return
    for curve in curves:
        yield _reading(features, curve, longest_row(curve.raw))


def longest_row(values: np.ndarray) -> Row:
    """Return the longest row of identical values in float64[n], and how many rows so long chance would give.

    Neighbours elsewhere are equal with a probability p (estimated with one success more than seen); n p^(k - 1) rows
    of k points are expected.
    """
    edges = np.r_[0, np.flatnonzero(np.diff(values) != 0) + 1, values.size]
    lengths = np.diff(edges)
    k = int(np.argmax(lengths))
    first, longest = int(edges[k]), int(lengths[k])
    repeats = values.size - lengths.size - (longest - 1)  # equal neighbours outside of the row
    equal = min(1.0, (repeats + 1) / (values.size - longest + 1))
    return Row(first, first + longest - 1, equal, values.size * equal ** (longest - 1))


def _fitted(curve: Curve, first: int, last: int) -> float | None:
    """Return the level of a training loss between two steps where it is next to nothing: the weights stand still."""
    within = curve.raw[(curve.at >= first) & (curve.at <= last)]
    level = median(within) if within.size else np.inf
    return level if level <= PARAMS.near_zero * abs(curve.back(curve.start)) else None


def _reading(features: RunFeatures, curve: Curve, row: Row) -> Evidence:
    first, last, level = int(curve.at[row.first]), int(curve.at[row.last]), float(curve.raw[row.first])
    vetoes = []
    if row.last == curve.n - 1:
        vetoes.append(Veto("to-the-end", curve.tag))
    if row.elsewhere > PARAMS.rounded:
        vetoes.append(Veto("repeats-elsewhere", curve.tag, {"share": row.elsewhere}))
    if row.first > 0 and abs(level) <= PARAMS.near_zero * abs(curve.back(curve.start)) and level != 0:
        vetoes.append(Veto("fitted-exactly", curve.tag, {"level": level}))
    training = features.training[0] if features.training and curve in features.validation else None
    if training is not None and (fitted := _fitted(training, first, last)) is not None:
        vetoes.append(Veto("fitted-exactly", training.tag, {"level": fitted}))
    return Evidence(
        curve.tags,
        (
            Measure("share of the run with one value", curve.course.share(row.first, row.last), "share"),
            Measure("rows so long that chance gives", row.expected, "chance", "below", unit="count"),
            Measure("points of that value", float(row.points), unit="points"),
        ),
        "warning",
        first_step=first,
        last_step=last,
        vetoes=tuple(vetoes),
        facts=row,
        marks=(Mark("region", curve.tag, "one value", (first, last)),),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    row: Row = evidence.facts
    share = evidence.measures[0].value
    first, last = step(evidence.first_step or 0), step(evidence.last_step or 0)
    return Words(
        f"{evidence.tags[0]} repeats one value at {counted(row.points, 'point')} from step {first} to {last} "
        f"({percent(share)} of the run)",
        advice=(
            f"Look at the job's output between steps {first} and {last}: skipped updates, a hung worker, a resume.",
            "Compare the optimizer's count of steps with the steps of the log.",
        ),
    )


def _held(points: int, length: int) -> np.ndarray:
    loss = falling(points) + noise(points, 0.02)
    loss[points // 3 : points // 3 + length] = loss[points // 3]
    return loss


DETECTOR = Detector(
    "frozen-values",
    __doc__,
    measure,
    Limits(),
    (
        Case("a fifth of the run at one value", "fires", lambda: made_run({"train/loss": _held(500, 100)})),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(300) + noise(300, 0.02)})),
        Case("a loss computed every tenth step", "almost", lambda: made_run({"train/loss": _held(50, 1).repeat(10)})),
        Case(
            "a held-out loss that rests while training fits exactly",
            "almost",
            lambda: made_run({"train/loss": np.exp(-0.1 * np.arange(300)), "val/loss": _held(300, 80)}),
        ),
        Case(
            "one long row among rounded values",
            "almost",
            lambda: made_run({"train/loss": np.round(_held(500, 100), 1)}),
        ),
    ),
    yields_to=("non-finite", "hidden-nan", "exploding-loss", "plateau"),
    describe=describe,
)
