"""What every detector needs to know of a run, worked out once and only when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from analyzer.anatomy import casting, epochs, health, schedule
from analyzer.anatomy.course import Rise
from analyzer.anatomy.curve import Curve, Lineage, lineage, without_summary
from analyzer.anatomy.progress import Progress, course
from analyzer.model.health import Criterion
from analyzer.model.result import Event
from analyzer.model.roles import Role, RoleName
from analyzer.model.run import Run
from analyzer.model.vocabulary import Split
from analyzer.settings import RoleSetting

__all__ = ["Anatomy", "Curve"]

RESTART_NEAR = 0.03  # of the run: so far from a restart a dip that it made may begin


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A run opened up: its curves by role, the story of its learning rate, its epochs and seams."""

    run: Run
    given: Mapping[str, RoleSetting] = field(default_factory=dict)

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """Role of every tag."""
        return casting.cast(self.run.series, self.given)

    @cached_property
    def family(self) -> str:
        """supervised, gan, rl, boosting or unknown; rules that need a falling loss hold for the first and third."""
        return casting.family(self.roles)

    @property
    def falls(self) -> bool:
        """Whether the run's losses are meant to fall."""
        return self.family not in ("gan", "rl")

    @property
    def why_not(self) -> str:
        """Why losses that are not meant to fall are not judged by their shape."""
        kind = "reinforcement learning" if self.family == "rl" else "adversarial training (GAN)"
        return f"the losses of {kind} are not judged by their shape"

    @cached_property
    def curves(self) -> Mapping[str, Curve]:
        """Every series as a curve, by tag."""
        found = {t: Curve((t,), self.roles[t], lineage(s)) for t, s in self.run.series.items() if s.points}
        return without_summary(found) if self.family == "boosting" else found

    def having(self, role: RoleName, split: Split | None = None) -> list[Curve]:
        """Return the curves of a role (and split), in the order of the log."""
        return [c for c in self.curves.values() if c.role.role == role and (split is None or c.role.split == split)]

    @cached_property
    def training(self) -> list[Curve]:
        """Training losses that stand for the whole, the finest first; running means last."""
        return sorted(
            _wholes(self.having("loss", "train")), key=lambda c: (c.role.running, c.role.per == "epoch", -c.n)
        )

    @cached_property
    def validation(self) -> list[Curve]:
        """Validation losses that stand for the whole, then test losses."""
        return _different([*_wholes(self.having("loss", "validation")), *_wholes(self.having("loss", "test"))])

    @cached_property
    def losses(self) -> list[Curve]:
        """Every loss, totals and components."""
        return self.having("loss")

    @property
    def main(self) -> Curve | None:
        """The curve the run is told by: the training loss, else a validation loss, else the first metric."""
        for group in (self.training, self.validation, self.losses, self.having("metric")):
            long = [c for c in group if c.n > 1] or group
            if long:
                return long[0]
        return None

    def partner(self, held_out: Curve) -> Curve | None:
        """Return the training loss that belongs to a validation or test loss.

        The one with the same part and name before one of the whole; the same steps before others; epoch means
        before step values, so that both are measured alike.
        """
        if held_out.tags not in self._partners:
            self._partners[held_out.tags] = self._partner(held_out)
        return self._partners[held_out.tags]

    @cached_property
    def _partners(self) -> dict[tuple[str, ...], Curve | None]:
        return {}

    def _partner(self, held_out: Curve) -> Curve | None:
        mates = [c for c in self.having("loss", "train") if c.role.part == held_out.role.part and not c.role.running]
        mates = mates or [c for c in self.training if c.n > 1]
        if not mates:
            return None
        steps = np.unique(held_out.steps)

        def fitness(curve: Curve) -> tuple[float, bool, int]:
            shared = float(np.mean(np.isin(steps, curve.steps))) if curve.n < 4 * held_out.n else 0.0
            return (round(shared, 1), curve.role.per == "epoch", curve.n)

        return max(mates, key=fitness)

    @cached_property
    def course(self) -> tuple[Curve, Progress] | str:
        """The loss that the run's course is judged by with its progress, or why it cannot be judged."""
        return course(self)

    @cached_property
    def health(self) -> tuple[Criterion, ...]:
        """The health criteria of the run, before any finding is known."""
        return health.criteria(self)

    @cached_property
    def rate(self) -> Curve | None:
        """The learning rate; of several the longest."""
        return max(self.having("learning-rate"), key=lambda c: c.n, default=None)

    @cached_property
    def gradient(self) -> Curve | None:
        """The gradient norm: the one over all parameters before those of layers."""
        found = self.having("gradient-norm")
        return min(found, key=lambda c: (len(c.tag), -c.n), default=None)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Restarts and phases of the learning rate, by step."""
        found = (*schedule.restart_events(self.curves.values()), *schedule.rate_events(self.rate))
        return tuple(sorted(found, key=lambda e: e.step))

    @cached_property
    def epoch_length(self) -> float | None:
        """Steps in an epoch, from an epoch series or the cadence of evaluation; None when the log does not tell."""
        return epochs.epoch_length(self)

    @cached_property
    def rate_period(self) -> float | None:
        """Steps in a cycle of the learning rate, None when it has none."""
        return schedule.rate_period(self.rate)

    def restart_undone(self, curve: Curve, rise: Rise) -> Event | None:
        """Return the restart behind which the loss had dipped, where a rise only ends the dip; None for another rise.

        Examples that are seen a second time after a restart make such a dip.
        """
        reached, near = int(curve.at[rise.reached]), RESTART_NEAR * float(curve.at[-1] - curve.at[0])
        restarts = [e for e in self.events if e.kind == "restart" and abs(e.step - reached) <= near]
        return min(restarts, key=lambda e: abs(e.step - reached), default=None)

    def event_near(self, step: int, reach: float, kinds: Iterable[str]) -> Event | None:
        """Return the event of one of the kinds that is nearest to the step, within `reach` steps before or at it."""
        wanted = set(kinds)
        near = [e for e in self.events if e.kind in wanted and -0.25 * reach <= step - e.step <= reach]
        return min(near, key=lambda e: abs(step - e.step), default=None)


def _different(curves: list[Curve]) -> list[Curve]:
    """Leave out curves that repeat another's values (Keras logs each evaluation by epoch and by iteration)."""
    kept: list[Curve] = []
    for curve in curves:
        if not any(np.array_equal(curve.values, other.values, equal_nan=True) for other in kept):
            kept.append(curve)
    return kept


def _wholes(curves: list[Curve]) -> list[Curve]:
    totals = [c for c in curves if not c.role.part]
    if totals:
        return totals
    parts = {c.role.part for c in curves}
    if len(parts) < 2:
        return curves
    summed = _summed(curves)
    return [summed] if summed else curves[:1]


def _summed(curves: list[Curve]) -> Curve | None:
    """Return the sum of components that share all steps (detectors that log no total), None when they do not."""
    first = max(curves, key=lambda c: c.steps.size)
    alike = [c for c in curves if np.array_equal(c.steps, first.steps)]
    if len(alike) < 2 or len(alike) < len(curves) - 1:
        return None
    total = np.sum([c.values for c in alike], axis=0)
    role = Role("loss", first.role.split, "lower", "sum of the components", part="")
    tags = tuple(sorted(c.tag for c in alike))
    return Curve(tags, role, Lineage(first.steps, total, first.points.wall_times, first.points.restarts))
