"""Which checkpoint a loss and a metric would keep, and what each choice costs in the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analyzer.features.curve import Array, Curve
from analyzer.stats.robust import difference_sigma, median
from analyzer.stats.trend import centred_mean


@dataclass(frozen=True)
class Params:
    """How both curves are calmed before their best steps are compared."""

    window: int = field(
        default=15, metadata={"unit": "windows", "why": "a best step is one of about so many stretches of the run"}
    )


PARAMS = Params()
TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class Choice:
    """Best steps of both and the values at them (smoothed over `window` evaluations, in the units of the log).

    `apart`: distance of the steps as a share of the run; `noise`, `cost`: the smaller of the two losses made by
    asking the other one, in units of the smoothed noise and as a share of what that curve gained; `matters`: the same
    as a share of the best value.
    """

    loss_step: int
    metric_step: int
    loss_best: float
    loss_at_metric: float
    metric_best: float
    metric_at_loss: float
    apart: float
    noise: float
    cost: float
    matters: float
    window: int


def choice(loss: Curve, metric: Curve) -> Choice:
    """Return what keeping the checkpoint by one costs in the other."""
    sign = 1.0 if metric.role.direction == "lower" else -1.0
    window = 2 * max(1, min(loss.n, metric.n) // (2 * PARAMS.window)) + 1  # odd: so many points are averaged indeed
    ours, theirs = centred_mean(loss.raw, window), centred_mean(sign * metric.raw, window)
    at, there = int(np.argmin(ours)), int(np.argmin(theirs))
    loss_step, metric_step = int(loss.at[at]), int(metric.at[there])
    loss_then = float(np.interp(metric_step, loss.at, ours))
    metric_then = float(np.interp(loss_step, metric.at, theirs))
    costs = [
        _costs(loss.raw, ours, loss_then - float(ours[at]), window),
        _costs(sign * metric.raw, theirs, metric_then - float(theirs[there]), window),
    ]
    span = float(max(loss.at[-1], metric.at[-1]) - min(loss.at[0], metric.at[0]))
    return Choice(
        loss_step,
        metric_step,
        float(ours[at]),
        loss_then,
        sign * float(theirs[there]),
        sign * metric_then,
        abs(loss_step - metric_step) / span if span > 0 else 0.0,
        min(noise for noise, _ in costs),
        min(cost for _, cost in costs),
        min(abs(a - b) / max(abs(b), TINY) for a, b in ((loss_then, ours[at]), (metric_then, theirs[there]))),
        window,
    )


def _costs(values: Array, calm: Array, cost: float, window: int) -> tuple[float, float]:
    """Return the cost in units of the smoothed noise, and of what was gained."""
    rest = (values - calm)[window:]
    # counts of a few examples rest and then jump: their median change is 0, so the mean square counts as well
    noise = max(difference_sigma(values), float(np.std(rest)) * float(np.sqrt(window / (window - 1))))
    steps = np.abs(np.diff(values))
    grain = float(np.min(steps[steps > 0], initial=np.inf))  # one example more or less
    error = max(noise / float(np.sqrt(window)), grain / 2 if np.isfinite(grain) else 0.0, TINY)
    gained = median(values[:window]) - float(np.min(calm))
    return cost / error, cost / gained if gained > 0 else 0.0
