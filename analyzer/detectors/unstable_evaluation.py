"""The held-out loss jumps from one evaluation to the next, further than any sampling explains.

Why it matters
--------------
The same held-out data give a loss of 0.2 and then one of 2: the weights, or what is computed from them in evaluation
mode, change for the worse and back between two evaluations. Which checkpoint is kept is a matter of luck, and the
training loss shows nothing of it.

How it is measured
------------------
After the first quarter of a positive held-out loss, the upper quartile of the changes from one evaluation to the next
must be large twice: as a factor (a sample of one example changes by a factor of 7 so often, one of three by less than
4), and compared with all that was gained in training or validation. The size of the held-out set is not known; no set
that anybody uses swings so far by sampling alone.

When it is wrong
----------------
A held-out set of one or two examples, drawn again at each evaluation. A loss near 0 changes by large factors, which is
why the change must also be large compared with what was gained.

What to do
----------
Evaluate one checkpoint twice: two different values are a fault of the evaluation. Check that evaluation mode is
switched on, and look at the statistics of batch normalisation (momentum, batch size, devices). If the values agree, the
weights swing: lower the learning rate, or evaluate a mean of the last weights.

References
----------
Ioffe and Szegedy, Batch normalization (2015), for the statistics that are used in evaluation mode. Izmailov et al.,
Averaging weights leads to wider optima and better generalization (2018).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.knobs import knob_at
from analyzer.features.paired_losses import beside
from analyzer.features.run_size import is_smoke_test
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.features.sample_size import settled
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, times
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    factor: float = field(
        default=5.0,
        metadata={"unit": "×", "why": "change from one evaluation to the next (upper quartile), as a factor"},
    )
    gained: float = field(
        default=0.25,
        metadata={"unit": "of what was gained", "why": "the same change, as a share of what training has gained"},
    )


@dataclass(frozen=True)
class Params:
    """What is judged, and what is measured of it."""

    upper: float = field(
        default=0.75,
        metadata={"unit": "quantile", "why": "one bad evaluation in six makes a quarter of the changes large"},
    )
    together: float = field(
        default=0.5,
        metadata={"unit": "correlation", "why": "a metric that swings with the loss shows the same weights"},
    )


PARAMS = Params()
TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class Facts:
    """What the sentences need: a usual low and high value."""

    low: float
    high: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for each held-out loss."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    judged = [c.coarse for c in features.validation if c.n >= ENOUGH.evaluations]
    positive = [c for c in judged if c.raw.min() >= 0 and c.raw.max() > 0]
    if not positive:
        few = f"fewer than {ENOUGH.evaluations} values of a validation loss"
        yield Unfit(
            "a held-out loss that may be negative" if judged else few if features.validation else "no validation loss"
        )
        return
    for curve in positive:
        yield _reading(features, curve)


def _reading(features: RunFeatures, curve: Curve) -> Evidence:
    late = settled(curve.raw)
    start = curve.n - late.size
    factor = float(np.exp(np.quantile(np.abs(np.diff(np.log(np.maximum(late, TINY)))), PARAMS.upper)))
    change = float(np.quantile(np.abs(np.diff(late)), PARAMS.upper))
    region = (int(curve.at[start]), int(curve.at[-1]))
    knob = knob_at(features, region)
    return Evidence(
        (curve.tag,),
        (
            Measure("change between evaluations", factor, "factor", unit="×"),
            Measure(
                "change between evaluations", change / max(_gained(features, curve), TINY), "gained", unit="of the gain"
            ),
            Measure("evaluations", float(curve.n), unit="count"),
        ),
        "info" if is_smoke_test(features) else "warning",
        first_step=region[0],
        last_step=region[1],
        cause="evaluation-mode-or-rate",
        marks=(Mark("region", curve.tag, "jumps", region),),
        explained_by=knob.event if knob is not None else None,
        signs=_signs(features, curve, factor),
        facts=Facts(float(np.quantile(late, 1 - PARAMS.upper)), float(np.quantile(late, PARAMS.upper))),
    )


def _gained(features: RunFeatures, curve: Curve) -> float:
    """Return what the training loss has gained, or the held-out loss since its first value where that is more."""
    mate = features.partner(curve)
    fall = mate.course.fall if mate is not None else None
    return max(float(curve.raw[0] - curve.raw.min()), fall.start - fall.end if fall is not None else 0.0)


def _signs(features: RunFeatures, curve: Curve, factor: float) -> tuple[Sign, ...]:
    """Return what supports it: a training loss that stays calm, a held-out metric that swings with the loss."""
    found = []
    mate = features.partner(curve)
    if mate is not None and mate.n >= ENOUGH.evaluations and mate.course.log:
        scatter = float(np.exp(2 * median(mate.course.noise)))
        if scatter < factor:
            found.append(Sign("training-calm", mate.tag, {"factor": scatter}))
    for metric in features.having("metric", curve.role.split):
        pair = beside(curve, metric.coarse) if metric.n >= ENOUGH.evaluations else None
        if pair is None or np.ptp(pair.theirs) == 0:
            continue
        moves = np.diff(np.log(np.maximum(pair.ours, TINY))), np.diff(pair.theirs)
        correlation = float(np.corrcoef(*moves)[0, 1]) if min(np.ptp(m) for m in moves) > 0 else 0.0
        if abs(correlation) > PARAMS.together:
            found.append(Sign("metric-swings", metric.tag, {"correlation": correlation}))
            break
    return tuple(found)


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    factor = times(evidence.measures[0].value)
    return Words(
        f"{evidence.tags[0]} changes by {factor} or more at every fourth evaluation, between about "
        f"{number(facts.low, 2)} and {number(facts.high, 2)}: more than any sampling of held-out examples explains",
        "statistics of batch normalisation or an evaluation mode that do not follow the weights, or a learning rate "
        "that is too high",
        tuple(_sentence(sign) for sign in evidence.signs),
        (
            "Evaluate one checkpoint twice: if the two values differ, the evaluation is at fault.",
            "Check that evaluation mode is on, and the momentum and batch size behind the statistics of batch "
            "normalisation.",
            "If the values agree, lower the learning rate or evaluate a mean of the last weights.",
        ),
    )


def _sentence(sign: Sign) -> str:
    if sign.id == "training-calm":
        return f"{sign.tag} stays calm, within a factor of {number(sign.numbers['factor'], 2)}"
    return f"{sign.tag} jumps together with it: the answers change, not only their certainty"


def _jumping(points: int, high: float, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    good = falling(points, 2.3, 0.15) * np.exp(noise(points, 0.1, seed))
    return good + np.where(rng.random(points) < 0.4, high * rng.uniform(0.6, 1.4, points), 0.0)


DETECTOR = Detector(
    "unstable-evaluation",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "every second evaluation is far off",
            "fires",
            lambda: made_run({"train/loss": falling(60, 2.3, 0.1), "val/loss": _jumping(60, 2.0)}),
        ),
        Case(
            "a calm evaluation",
            "quiet",
            lambda: made_run({"train/loss": falling(60, 2.3, 0.1), "val/loss": _jumping(60, 0.0)}),
        ),
        Case(
            "a handful of held-out examples, drawn again each time",
            "almost",
            lambda: made_run(
                {
                    "train/loss": falling(80, 2.3, 0.1),
                    "val/loss": falling(80, 2.3, 0.2) * np.random.default_rng(1).gamma(3.0, 1 / 3.0, 80),
                }
            ),
        ),
    ),
    yields_to=(*GRAVE, "repetitive-loss"),
    describe=describe,
)
