"""How many hours each finding cost: from its onset to the end of the run, by what the run lost from there on.

Three kinds. A run that went on after its best step would have been as good without those hours. A run that collapsed
(NaN, explosion, lost reward) trained on what was broken. A run without a learning signal learnt nothing at any time.
Pauses are left out: nothing was computed in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analyzer.features import Curve, RunFeatures
from analyzer.model.cost import HOUR, Cost, Kind
from analyzer.model.result import Finding
from analyzer.settings import Price

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("overfitting", "wasted-tail", "reward-plateau"), "after-best-step"),
    **dict.fromkeys(
        (
            "non-finite", "hidden-nan", "exploding-loss", "slow-divergence", "lost-progress", "frozen-values",
            "reward-collapse", "entropy-collapse", "kl-blow-up", "value-divergence", "discriminator-wins",
        ),
        "after-collapse",
    ),
    **dict.fromkeys(
        (
            "not-converging", "plateau", "never-improved", "no-learning-signal", "learning-rate-stuck",
            "vanishing-gradient", "chance-level", "constant-predictor",
        ),
        "no-learning-signal",
    ),
}  # fmt: skip

LEAST = 0.01
"""Hours (36 s) below which a finding cost nothing worth a word."""

PAUSE, LONG = 20.0, 600.0
"""Two points are parted by a pause when the time between them is so many times the usual one, and so many seconds."""


def with_costs(features: RunFeatures, findings: Iterable[Finding], price: Price | None) -> tuple[Finding, ...]:
    """Return the findings, those that nothing explains with what they cost where the log has times."""
    return tuple(_with_cost(features, finding, price) for finding in findings)


def _with_cost(features: RunFeatures, finding: Finding, price: Price | None) -> Finding:
    kind = KINDS.get(finding.symptom)
    if kind is None or finding.explained_by is not None:
        return finding
    curve = next((features.curves[tag] for tag in finding.tags if tag in features.curves), None)
    hours = 0.0 if curve is None else _hours(curve, _onset(curve, finding, kind))
    if hours < LEAST:
        return finding
    money = None if price is None else hours * price.gpu_hour * price.gpus
    return replace(finding, cost=Cost(hours, kind, money, price.currency if price is not None else ""))


def _onset(curve: Curve, finding: Finding, kind: Kind) -> float:
    """Return the step from which on nothing was gained."""
    first = float(finding.first_step) if finding.first_step is not None else -np.inf
    if kind != "after-best-step" or not curve.n or curve.role.direction is None:
        return first
    best = curve.at[int(np.argmin(curve.raw) if curve.role.direction == "lower" else np.argmax(curve.raw))]
    return float(max(best, first)) if finding.symptom != "overfitting" else float(best)


def _hours(curve: Curve, onset: float) -> float:
    """Return the hours of training from a step on, without pauses; 0 where points have no times."""
    known = np.isfinite(curve.wall_times)
    times = curve.wall_times[known]
    between = np.diff(times)
    counted = between[(curve.steps[known][1:] > onset) & ~_is_pause(between)]
    return float(np.sum(counted[counted > 0])) / HOUR


def _is_pause(between: NDArray[np.float64]) -> NDArray[np.bool_]:
    usual = float(np.median(between)) if between.size else 0.0
    return np.asarray((between > PAUSE * usual) & (between > LONG))
