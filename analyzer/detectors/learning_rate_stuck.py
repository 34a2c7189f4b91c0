"""The learning rate is 0 while the run goes on, or it never leaves its warm-up.

Why it matters
--------------
With a rate of 0 no weight moves: the run costs as much as before and learns nothing. A warm-up that is as long as the
run trains at a fraction of the rate that was meant, and the schedule after it never happens.

How it is measured
------------------
Of all logged learning rates (one for each group of parameters) the one that stays longest above 0 is judged. The share
of the run that lies after its last value above 0 is measured; a decay that ends at 0 with the run leaves none.
Unfinished is a warm-up when the rate rises from first to last step, never falls and is still rising at the end.

When it is wrong
----------------
A rate that is logged with few decimals shows 0 and is not: a loss that goes on falling afterwards clears it. A search
for the best rate (range test) rises to its end on purpose, and a run that is still going on may still be warming up:
an unfinished warm-up is reported as a note unless the run lasted several epochs. Rates of single groups that are 0
(frozen layers) and constant rates are fine.

What to do
----------
Compare the schedule's total and warm-up steps with the steps of the run: they are often counted in epochs here and in
steps there, or per device. Check that the scheduler is stepped as often as it expects.

References
----------
Smith, Cyclical learning rates for training neural networks (2017), for the range test. Goyal et al., Accurate, large
minibatch SGD (2017), for warm-up.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.progress import falls_after
from analyzer.features.run_size import is_smoke_test
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.features.schedule import last_moving, still_warming_up
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number, percent, step


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    idle: float = field(
        default=0.1, metadata={"unit": "of the run", "why": "share of the run with a learning rate of 0 to the end"}
    )
    warming: float = field(
        default=0.98,
        metadata={"unit": "of the run", "why": "share of the run in which the rate had not reached its top"},
    )


@dataclass(frozen=True)
class Params:
    """What makes a rate judgeable, and a warning of it."""

    costly: float = field(
        default=0.25, metadata={"unit": "of the run", "why": "a quarter of the run for nothing deserves a warning"}
    )
    long: float = field(
        default=3.0,
        metadata={"unit": "epochs", "why": "no range test, and no warm-up that was meant, lasts longer"},
    )


PARAMS = Params()

CAUSES = {
    "zero-by-setting": "the rate is 0 by setting",
    "short-schedule": "a schedule that is shorter than the run",
    "long-warm-up": "a warm-up that is longer than the run",
}
ADVICE = {
    "zero-by-setting": ("Give the optimiser a learning rate above 0; check what the scheduler multiplies it with.",),
    "short-schedule": (
        "Compare the total steps of the schedule with the steps of the run (epochs, devices, accumulation).",
        "Stop the run where the schedule ends, or stretch the schedule.",
    ),
    "long-warm-up": (
        "Compare the steps of the warm-up with the steps of the run (epochs, devices, accumulation).",
        "If this is a search for the best rate, nothing needs mending.",
    ),
}


@dataclass(frozen=True)
class Warming:
    """What the sentence of a warm-up needs: the rate at both ends, and the epochs it lasted (0 where not known)."""

    low: float
    high: float
    epochs: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for a rate that is 0, and one for a warm-up that does not end."""
    rates = [c for c in features.having("learning-rate") if c.n >= ENOUGH.evaluations]
    if not rates:
        yield Unfit(f"no learning rate with {ENOUGH.evaluations} points is logged")
        return
    smoke = is_smoke_test(features)
    yield _idle(features, max(rates, key=lambda c: (last_moving(c), c.n)), smoke=smoke)
    moving = [c for c in rates if np.ptp(c.raw) > 0]
    if moving:
        yield _warming(features, moving)


def _idle(features: RunFeatures, rate: Curve, *, smoke: bool) -> Evidence:
    begun, last = int(rate.at[0]), int(rate.at[-1])
    idle = rate.at[rate.at > last_moving(rate)]
    first = int(idle[0]) if idle.size else last
    learns = next((c for c in (*features.training, *features.validation) if falls_after(c, first)), None)
    flat = next((c for c in features.training if c.n >= ENOUGH.evaluations), None)
    share = (last - first) / (last - begun) if last > begun else 0.0
    vetoes = []
    if learns is not None:
        vetoes.append(Veto("loss-falls", learns.tag, {"since": float(first)}))
    if idle.size < ENOUGH.evaluations // 2:
        vetoes.append(Veto("few-points", rate.tag, {"points": float(idle.size)}))
    return Evidence(
        rate.tags,
        (Measure("share of the run with a rate of 0 to the end", share, "idle", unit="ratio"),),
        "warning" if share >= PARAMS.costly and not smoke else "info",
        first_step=first,
        last_step=last,
        cause="zero-by-setting" if first == begun else "short-schedule",
        marks=(Mark("region", rate.tag, "rate of 0", (first, last)),),
        signs=() if flat is None else (Sign("loss-rests", flat.tag),),
        vetoes=tuple(vetoes),
    )


def _warming(features: RunFeatures, rates: list[Curve]) -> Evidence:
    """A warm-up counts as unfinished when every rate that changes at all is still rising."""
    rate = max(rates, key=lambda c: float(c.raw[-1]))
    first, last = int(rate.at[0]), int(rate.at[-1])
    warm = min(still_warming_up(c) for c in rates)
    epoch = features.epoch_length
    epochs = (last - first) / epoch if epoch else 0.0
    return Evidence(
        rate.tags,
        (Measure("share of the run in which the rate had not reached its top", warm, "warming", unit="ratio"),),
        "warning" if epochs >= PARAMS.long else "info",
        first_step=first,
        last_step=last,
        cause="long-warm-up" if epochs >= PARAMS.long else None,
        marks=(Mark("region", rate.tag, "warm-up", (first, last)),),
        facts=Warming(float(rate.raw[0]), float(rate.raw[-1]), epochs),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    tag, cause = evidence.tags[0], evidence.cause
    if isinstance(evidence.facts, Warming):
        its = evidence.facts
        lasting = f", {number(its.epochs, 2)} epochs" if its.epochs >= 1 else ""
        summary = (
            f"{tag} rises from {number(its.low)} to {number(its.high)} over the whole run{lasting}: "
            "its warm-up never ends"
        )
        return Words(summary, CAUSES[cause] if cause else None, advice=ADVICE["long-warm-up"])
    share = percent(evidence.measures[0].value)
    when = f"from step {step(evidence.first_step or 0)} to the end, {share} of the run"
    signs = tuple(f"{sign.tag} does not fall any more while it is 0" for sign in evidence.signs)
    cause = cause or "short-schedule"
    return Words(
        f"{tag} is 0 {'throughout' if cause == 'zero-by-setting' else when}", CAUSES[cause], signs, ADVICE[cause]
    )


def _dropped(points: int, at: int) -> np.ndarray:
    return np.where(np.arange(points) < at, 0.1 * (1 - np.arange(points) / at), 0.0)


def _held(points: int, at: int) -> np.ndarray:
    loss = falling(points, floor=0.0, rate=40.0)
    loss[at:] = loss[at]
    return loss + noise(points, 0.01)


DETECTOR = Detector(
    "learning-rate-stuck",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "0 from the first third on",
            "fires",
            lambda: made_run({"train/loss": _held(300, 100), "lr": _dropped(300, 100)}),
        ),
        Case(
            "a warm-up as long as the run",
            "fires",
            lambda: made_run({"train/loss": falling(300), "lr": np.linspace(1e-6, 1e-4, 300)}),
        ),
        Case(
            "a decay that ends with the run",
            "quiet",
            lambda: made_run({"train/loss": falling(300) + noise(300, 0.01), "lr": _dropped(300, 299)}),
        ),
        Case(
            "a rate that is too small for the logger's decimals",
            "almost",
            lambda: made_run({"train/loss": falling(300, rate=1.0), "lr": np.zeros(300)}),
        ),
        Case(
            "one frozen group",
            "almost",
            lambda: made_run({"train/loss": falling(300), "lr/pg0": np.zeros(300), "lr/pg1": np.full(300, 1e-3)}),
        ),
    ),
    yields_to=("plateau", "exploding-loss", "non-finite", "hidden-nan"),
    describe=describe,
)
