"""What the curves beside a reward did shortly before it changed: the witness of a cause must move first.

Curves of one run may count steps, episodes or updates. They are paired on the axis of the reward, by wall time or by
share of the run where they count differently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analyzer.features.common_axis import on_axis
from analyzer.features.curve import Array, Curve
from analyzer.model.evidence import Sign
from analyzer.model.reward_signals import Signal
from analyzer.model.roles import words_of
from analyzer.stats.robust import median

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


@dataclass(frozen=True)
class Params:
    """Where a witness is looked at, and how far it must have moved."""

    reach: float = field(default=0.1, metadata={"unit": "of the run", "why": "before the change, where a cause shows"})
    lag: float = field(default=2.0, metadata={"unit": "points", "why": "a mean over episodes follows the policy later"})
    few: int = field(default=5, metadata={"unit": "points", "why": "before that, which show what is usual"})
    first: float = field(
        default=0.05, metadata={"unit": "of the run", "why": "its first updates are larger than usual"}
    )
    stopped: float = field(default=0.35, metadata={"unit": "×", "why": "entropy, over its usual level"})
    apart: float = field(
        default=3.0, metadata={"unit": "×", "why": "divergence or clipped share, over its usual level"}
    )
    wild: float = field(default=4.0, metadata={"unit": "×", "why": "value loss or estimate, over its usual level"})
    blind: float = field(default=0.3, metadata={"unit": "explained variance", "why": "it had been useful above this"})
    rate: float = field(default=2.0, metadata={"unit": "×", "why": "learning rate, over its usual level"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Moved:
    """A witness that moved: its tag, the usual level before, the level reached, and the step where it had left it."""

    id: str
    tag: str
    usual: float
    reached: float
    step: int

    @property
    def sign(self) -> Sign:
        """The move as a sign of the finding."""
        return Sign(self.id, self.tag, {"from": self.usual, "to": self.reached, "step": float(self.step)})


def entropy_of(curve: Curve) -> Array:
    """Return the entropy at the finite points of a curve, with the sign turned where minus the entropy is logged.

    Losses hold minus the entropy in most libraries, the entropy itself in some: a policy begins with some entropy.
    """
    loss = {"loss", "losses"} & set(words_of(curve.tag.rpartition("/")[2]))
    first = median(curve.raw[: PARAMS.few])
    return np.asarray(-curve.raw if loss and first < 0 else curve.raw)


def moved_before(features: RunFeatures, reward: Curve, onset: int) -> list[Moved]:
    """Return the witnesses that moved before the reward changed at the step `onset`, the first to move first."""
    found: list[Moved] = []
    for rule in RULES:
        for curve in features.measuring(*rule.signals) if rule.signals else _rates(features):
            one = _moved(curve, reward, onset, rule)
            if one is not None:
                found.append(one)
                break
    return sorted(found, key=lambda m: m.step)


def _rates(features: RunFeatures) -> list[Curve]:
    return [features.rate] if features.rate is not None and features.rate.n else []


def _above(factor: float) -> Callable[[float, float], bool]:
    return lambda value, usual: value > factor * usual > 0


def _entropy_gone(value: float, usual: float) -> bool:
    return usual > 0 and value < PARAMS.stopped * usual


def _blind(value: float, usual: float) -> bool:
    return usual > PARAMS.blind and value <= 0


def _raw(curve: Curve) -> Array:
    return curve.raw


def _size(curve: Curve) -> Array:
    return np.abs(curve.raw)


@dataclass(frozen=True, slots=True)
class Rule:
    """A witness: the signals that may show it, the first that is logged before others, and when it has left its level.

    `values` turns a curve into what is compared; `leaves` says whether a value is far from the usual one.
    """

    sign: str
    signals: tuple[Signal, ...]
    values: Callable[[Curve], Array]
    leaves: Callable[[float, float], bool]


RULES: tuple[Rule, ...] = (
    Rule("rate-raised", (), _raw, _above(PARAMS.rate)),
    Rule("update-too-large", ("step-kl", "clip-share"), _size, _above(PARAMS.apart)),
    Rule("entropy-collapsed", ("entropy",), entropy_of, _entropy_gone),
    Rule("value-diverged", ("value-loss", "value-estimate"), _size, _above(PARAMS.wild)),
    Rule("value-diverged", ("explained-variance",), _raw, _blind),
    Rule("left-the-reference", ("reference-kl",), _size, _above(PARAMS.apart)),
)


def _moved(curve: Curve, reward: Curve, onset: int, rule: Rule) -> Moved | None:
    """Return the move of a witness within reach of the onset and not after it, None where it made none."""
    values = rule.values(curve)
    points = on_axis(curve.points, reward.points)
    at = points.steps[curve.finite]
    span = float(reward.at[-1] - reward.at[0])
    begin = reward.at[0] + PARAMS.first * span
    since, until = onset - PARAMS.reach * span, onset + PARAMS.lag * reward.cadence
    before = values[(at >= begin) & (at < since)]
    near = np.flatnonzero((at >= since) & (at <= until))
    if before.size < PARAMS.few or near.size < 2:
        return None
    usual = median(before[-max(PARAMS.few, before.size // 2) :])
    left = [i for i in near if rule.leaves(float(values[i]), usual)]
    if len(left) < 2:  # one value that leaps and returns is noise
        return None
    reached = [float(values[i]) for i in left]
    return Moved(rule.sign, curve.tag, usual, median(np.asarray(reached)), int(at[left[0]]))
