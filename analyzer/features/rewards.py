"""Which reward a run of reinforcement learning is judged by, and which others stand beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analyzer.features.curve import Curve
from analyzer.features.reward_level import PARAMS as STANDING
from analyzer.features.reward_level import RewardLevels, standing
from analyzer.model.reward_signals import GOALS

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


@dataclass(frozen=True)
class Params:
    """How many values a reward needs."""

    least: int = field(default=12, metadata={"unit": "values", "why": "fewer show no course of a noisy reward"})
    solved: float = field(default=0.9, metadata={"unit": "of the tasks", "why": "there is little left to learn"})
    most: float = field(default=0.5, metadata={"unit": "of the tasks", "why": "more than half of them are solved"})
    gain: float = field(
        default=0.1, metadata={"unit": "of level or range", "why": "the smallest gain that is learning"}
    )
    lost: float = field(default=0.3, metadata={"unit": "of the gain", "why": "evaluations swing by so much"})
    within: float = field(
        default=3.0, metadata={"unit": "standard errors", "why": "an end that noise puts below the best"}
    )
    rises: float = field(default=3.0, metadata={"unit": "standard errors", "why": "a gain that is not noise"})
    evaluations: int = field(
        default=6, metadata={"unit": "values", "why": "of an independent score that is compared with a reward"}
    )


PARAMS = Params()


@dataclass(frozen=True, eq=False)
class Change:
    """What a reward did after a step: its level there, and the change to its end in standard errors."""

    curve: Curve
    at: RewardLevels
    before: float
    errors: float

    @property
    def rises(self) -> bool:
        """Whether it clearly gained."""
        return self.errors >= PARAMS.rises

    @property
    def numbers(self) -> dict[str, float]:
        """The levels, for sentences."""
        return {"before": self.before, "after": self.at.end}


@dataclass(frozen=True, eq=False)
class Rewards:
    """The rewards of a run, the best goal first: independent scores, evaluated and collected rewards, components."""

    curves: tuple[Curve, ...]

    @cached_property
    def goals(self) -> tuple[Curve, ...]:
        """Rewards that may lead: all but components, unless nothing else is logged."""
        return tuple(c for c in self.curves if c.role.goal != "component") or self.curves

    def lead(self, least: int = PARAMS.least) -> Curve | None:
        """Return the reward that a judgement with so many values is made by, None where there is none."""
        return next((c for c in self.goals if c.n >= least), None)

    @cached_property
    def independent(self) -> Curve | None:
        """The score that no optimiser sees: an oracle, held-out tasks, success."""
        return next((c for c in self.curves if c.role.goal == "independent" and c.n >= PARAMS.evaluations), None)

    @cached_property
    def optimised(self) -> Curve | None:
        """The reward that training raises."""
        kinds = ("episode", "score", "reward", "net")
        return next((c for c in self.curves if c.role.goal in kinds and c.n >= PARAMS.least), None)

    @cached_property
    def components(self) -> tuple[Curve, ...]:
        """Parts of the reward."""
        return tuple(c for c in self.curves if c.role.goal == "component" and c.n >= PARAMS.least)

    def standing(self, curve: Curve) -> RewardLevels | None:
        """Return where a reward stands."""
        if curve.tag not in self._known:
            self._known[curve.tag] = standing(curve.raw)
        return self._known[curve.tag]

    def since(self, step: int) -> Change | None:
        """Return what a reward did from a step to its end, None without one that is long enough.

        An independent score decides where there is one; else, of evaluated and collected rewards, the one that gained
        most clearly: evaluations are few and noisy.
        """
        score = self.independent
        judges = [score] if score is not None and score.n >= PARAMS.least else self.goals
        found = [self._since(c, step) for c in judges if c.n >= PARAMS.least]
        return max((f for f in found if f is not None), key=lambda f: f.errors, default=None)

    def _since(self, curve: Curve, step: int) -> Change | None:
        """Return what one reward did from a step to its end; nothing, where too few points follow."""
        at = self.standing(curve)
        if at is None:
            return None
        first = int(np.searchsorted(curve.at, step))
        if first + 2 * at.tail > at.n:
            return Change(curve, at, at.end, 0.0)
        before = float(np.mean(at.values[first : first + at.tail]))
        return Change(curve, at, before, at.errors(at.end - before, at.tail, at.tail))

    @cached_property
    def share_solved(self) -> float | None:
        """The share of held-out tasks that is solved at the end, None where no such share is logged."""
        score = self.standing(self.independent) if self.independent is not None else None
        if score is None or float(np.min(score.values)) < 0 or float(np.max(score.values)) > 1:
            return None
        return score.end

    @cached_property
    def solved(self) -> bool:
        """Whether nearly all held-out tasks are solved, or the leading reward ends at a known ceiling."""
        if self.share_solved is not None:
            return self.share_solved >= PARAMS.solved
        lead = self.lead()
        at = self.standing(lead) if lead is not None else None
        return at is not None and at.at_ceiling

    @cached_property
    def earned(self) -> bool:
        """Whether a reward has clearly gained and kept it, and most held-out tasks are solved where they are logged."""
        if self.share_solved is not None and self.share_solved < PARAMS.most:
            return False
        return any(at is not None and gained(c, at) and kept(at) for c in self.goals if (at := self.standing(c)))

    @cached_property
    def _known(self) -> dict[str, RewardLevels | None]:
        return {}


def gained(curve: Curve, at: RewardLevels) -> bool:
    """Whether a gain matters and is clear: by its two ends, or, where the first points are few, by the whole way."""
    if at.gain < PARAMS.gain * at.scale:
        return False
    return at.gain_errors >= STANDING.clear or _whole_way(curve) >= STANDING.clear


def _whole_way(curve: Curve) -> float:
    """Return the gain of a reward in standard errors, by its levels and by how steadily they rise."""
    with np.errstate(all="ignore"):
        fall = curve.course.fall
    return fall.errors if fall is not None else 0.0


def kept(at: RewardLevels) -> bool:
    """Whether a reward ends near its best level, or at its ceiling."""
    return at.lost <= PARAMS.lost * at.gain or at.lost_errors <= PARAMS.within or at.at_ceiling


def rewards_of(features: RunFeatures) -> Rewards:
    """Return the rewards of a run, the best goal first, of several alike the longest; long ones as means of blocks."""
    found = [c for c in features.having("metric") if c.role.kind == "reward" and _rank(c) is not None]
    return Rewards(tuple(c.coarse for c in sorted(found, key=lambda c: (_rank(c) or 0, -c.n))))


def _rank(curve: Curve) -> int | None:
    """Return the place of a reward's worth as a goal; one that the user named is collected."""
    if curve.role.goal:
        return GOALS.index(curve.role.goal)
    return GOALS.index("reward") if curve.role.given else None
