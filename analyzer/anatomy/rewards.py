"""Which reward a run of reinforcement learning is judged by, and which others stand beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from analyzer.anatomy.curve import Curve
from analyzer.anatomy.standing import Standing, standing
from analyzer.model.signals import GOALS

if TYPE_CHECKING:
    from analyzer.anatomy import Anatomy


@dataclass(frozen=True)
class Params:
    """How many values a reward needs."""

    least: int = field(default=12, metadata={"unit": "values", "why": "fewer show no course of a noisy reward"})
    evaluations: int = field(
        default=6, metadata={"unit": "values", "why": "of an independent score that is compared with a reward"}
    )


PARAMS = Params()


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

    def standing(self, curve: Curve) -> Standing | None:
        """Return where a reward stands."""
        if curve.tag not in self._known:
            self._known[curve.tag] = standing(curve.raw)
        return self._known[curve.tag]

    @cached_property
    def _known(self) -> dict[str, Standing | None]:
        return {}


def rewards_of(anatomy: Anatomy) -> Rewards:
    """Return the rewards of a run, the best goal first, of several alike the longest."""
    found = [c for c in anatomy.having("metric") if c.role.kind == "reward" and _rank(c) is not None]
    return Rewards(tuple(sorted(found, key=lambda c: (_rank(c) or 0, -c.n))))


def _rank(curve: Curve) -> int | None:
    """Return the place of a reward's worth as a goal; one that the user named is collected."""
    if curve.role.goal:
        return GOALS.index(curve.role.goal)
    return GOALS.index("reward") if curve.role.given else None
