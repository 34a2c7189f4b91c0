"""What every detector needs to know of a run, worked out once and only when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from analyzer.features import epochs, health, knobs, role_resolution, schedule, step_axis
from analyzer.features.common_axis import on_axis, same_axis
from analyzer.features.course import MOST_OF_IT
from analyzer.features.curve import Curve, Steps
from analyzer.features.knobs import Knob
from analyzer.features.progress import Progress, course
from analyzer.features.resumed_points import ResumedPoints
from analyzer.features.rewards import Rewards, rewards_of
from analyzer.features.rises import Rise
from analyzer.features.single_values import Single, single_of
from analyzer.features.training_family import Family
from analyzer.model.health import Criterion
from analyzer.model.result import Event
from analyzer.model.reward_signals import Signal
from analyzer.model.roles import Role, RoleName, model_of
from analyzer.model.run import Note, Run, Series
from analyzer.model.vocabulary import Split
from analyzer.settings import RoleSetting
from analyzer.stats.robust import median

__all__ = ["Curve", "RunFeatures", "aligned", "on_axis_of"]

COURSE = 12  # finite points: fewer epoch means do not show a course

RESTART_NEAR = 0.03  # of the run: so far from a restart a dip that it made may begin


@dataclass(frozen=True, eq=False)
class RunFeatures:
    """A run opened up: its curves by role, the story of its learning rate, its epochs and seams.

    `given` are the roles that the user set; `ongoing`: whether the run is still being written.
    """

    run: Run
    given: Mapping[str, RoleSetting] = field(default_factory=dict)
    ongoing: bool = False

    @cached_property
    def _casting(self) -> role_resolution.RoleResolution:
        return role_resolution.cast(self.run.series, self.given, self.mixed, self.run.name)

    @property
    def roles(self) -> Mapping[str, Role]:
        """Role of every tag."""
        return self._casting.roles

    @cached_property
    def mixed(self) -> frozenset[str]:
        """Tags under which two curves lie interleaved."""
        return frozenset(step_axis.mixtures(self.run.series))

    @property
    def kind(self) -> Family:
        """The kind of training with the tags that show it."""
        return self._casting.family

    @property
    def family(self) -> str:
        """supervised, preference, gan, rl, boosting or unknown; losses are meant to fall in all but gan and rl."""
        return self.kind.name

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
        named = {role: [t for t, r in self.roles.items() if r.role == role] for role in ("loss", "metric")}
        found = step_axis.lineages(self.run.series, named["loss"] or named["metric"], self.mixed)
        if self.family == "boosting":
            found = step_axis.without_best_round(found, [t for t in (*named["loss"], *named["metric"]) if t in found])
        return {tag: Curve((tag,), self.roles[tag], points) for tag, points in found.items()}

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What was done so that the steps of the series count, of those that are judged, losses first."""
        told = [c for c in self.curves.values() if c.role.role not in ("constant", "counter", "system")]
        told.sort(key=lambda c: c.role.role != "loss")
        return tuple(step_axis.notes_of({c.tag: c.points for c in told}))

    def shown(self, curve: Curve) -> Series:
        """Return the series for pictures: with all points of the log, or on the axis that it is judged on."""
        series, points = self.run.series[curve.tag], curve.points
        return Series(curve.tag, points.steps, points.values, points.wall_times) if points.moved else series

    def having(self, role: RoleName, split: Split | None = None) -> list[Curve]:
        """Return the curves of a role (and split), in the order of the log."""
        return [c for c in self.curves.values() if c.role.role == role and (split is None or c.role.split == split)]

    @cached_property
    def training(self) -> list[Curve]:
        """Training losses that stand for the whole, in the order in which a course is judged by them.

        Means over epochs lead where the same loss is also logged by step and they have enough points to show a course
        (`train_loss_epoch` beside `train_loss_step`): their noise is that of an epoch. Then the finest; running means
        are last.
        """
        means = _means_of_epochs(self._whole_training)
        return sorted(self._whole_training, key=lambda c: (c.role.running, c not in means, c.role.per == "epoch", -c.n))

    @cached_property
    def finest(self) -> Curve | None:
        """The training loss with the most points that is no running mean: for spikes, periods and single points."""
        return min(self._whole_training, key=lambda c: (c.role.running, -c.n), default=None)

    @cached_property
    def _whole_training(self) -> list[Curve]:
        return _wholes(self.having("loss", "train"))

    @cached_property
    def validation(self) -> list[Curve]:
        """Validation losses that stand for the whole, then test losses, means before values by batch.

        Of twins it is the one on the training's axis.
        """
        whole = [_wholes(self.having("loss", split)) for split in ("validation", "test")]
        held = [c for curves in whole for c in sorted(curves, key=lambda c: c.role.per == "step")]
        return _different(held, self.training)

    @cached_property
    def losses(self) -> list[Curve]:
        """Every loss, totals and components."""
        return self.having("loss")

    @cached_property
    def rewards(self) -> Rewards:
        """The rewards of a run of reinforcement learning, the best goal first."""
        return rewards_of(self)

    def measuring(self, *signals: Signal) -> list[Curve]:
        """Return the curves that carry one of the signals of reinforcement learning or of a GAN, in this order.

        Long ones come as means of blocks: none of these signals is asked for single points.
        """
        return [c.coarse for s in signals for c in self.curves.values() if c.role.signal == s and c.n]

    @cached_property
    def single(self) -> Single | None:
        """The values of a run that logs one value a metric, None where the run has curves."""
        return single_of(self)

    @property
    def main(self) -> Curve | None:
        """The curve the run is told by: the training loss, else a validation loss, else the first metric.

        In reinforcement learning it is the reward that leads.
        """
        rewards = self.rewards.goals if self.family == "rl" else ()
        if rewards:
            return self.rewards.lead() or rewards[0]
        for group in (self.training, self.validation, self.losses, self.having("metric")):
            long = [c for c in group if c.n > 1] or group
            if long:
                return long[0]
        return None

    def partner(self, held_out: Curve) -> Curve | None:
        """Return the training loss that belongs to a validation or test loss, on the axis of the latter.

        The one with the same part and name before one of the whole; one of the same model, on the same axis, then with
        the same steps before others; epoch means before step values, so that both are measured alike. A partner that
        counts other steps is returned with its points placed on the axis of `held_out` (see on_axis_of), so that their
        steps can be compared.
        """
        if held_out.tags not in self._partners:
            found = self._partner(held_out)
            self._partners[held_out.tags] = found and on_axis_of(found, held_out)
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

        def fitness(curve: Curve) -> tuple[bool, bool, float, bool, int]:
            same = same_axis(held_out.points, curve.points)
            shared = float(np.mean(np.isin(steps, curve.steps))) if same and curve.n < 4 * held_out.n else 0.0
            of_model = model_of(curve.tag) == model_of(held_out.tag)
            return (of_model, same, round(shared, 1), curve.role.per == "epoch", curve.n)

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

    def knob_of(self, curve: Curve, rise: Rise) -> Knob | None:
        """Return the setting whose move accounts for the rise of a loss, None where there is none.

        It is moved between the last good point and the highest level after it, and half of the way up lies between
        the levels around its move: a climb that began earlier, or goes on long after it, is not its doing.
        """
        course = curve.course
        levels = course.levels[int(np.searchsorted(course.first, rise.onset)) :]
        top = min(int(course.first[course.m - levels.size + int(np.argmax(levels))]), curve.n - 1)
        whole = course.relapse  # a break may be the steepest part of a longer rise
        onset = rise.onset if whole is None or whole.errors <= 0 else min(rise.onset, whole.onset)
        knob = knobs.knob_at(self, (int(curve.at[onset]), int(curve.at[top])))
        if knob is None:
            return None
        first, last = np.searchsorted(curve.at[course.first], (knob.since, knob.last))
        before = median(course.levels[max(0, first + 1 - course.window) : first + 1])
        after = course.levels[min(int(last), course.m - 1) :][: course.window]
        height = float(np.max(levels)) - float(course.levels[int(np.searchsorted(course.first, onset))])
        return knob if median(after) - before >= MOST_OF_IT * height else None

    def event_near(self, step: int, reach: float, kinds: Iterable[str]) -> Event | None:
        """Return the event of one of the kinds that is nearest to the step, within `reach` steps before or at it."""
        wanted = set(kinds)
        near = [e for e in self.events if e.kind in wanted and -0.25 * reach <= step - e.step <= reach]
        return min(near, key=lambda e: abs(step - e.step), default=None)


def on_axis_of(curve: Curve, partner: Curve) -> Curve:
    """Return the curve with its points at the steps of its partner; the curve itself where both count alike.

    Series on different axes (epochs and iterations) are brought together by wall time, or by share of the run where
    the times say nothing: their raw steps must never be compared.
    """
    points = on_axis(curve.points, partner.points)
    return curve if points is curve.points else replace(curve, points=points)


def aligned(held_out: Curve, train: Curve) -> Steps:
    """Return, for each finite point of a held-out curve, its step on the axis of the training curve."""
    return on_axis_of(held_out, train).at


def _means_of_epochs(curves: list[Curve]) -> list[Curve]:
    """Return the epoch means, long enough to show a course, of losses that are logged by step as well."""
    by_step = {_stem(c) for c in curves if c.role.per == "step" and not c.role.running}
    return [c for c in curves if c.role.per == "epoch" and c.n >= COURSE and _stem(c) in by_step]


def _stem(curve: Curve) -> str:
    """Return the tag without the suffix that says per step or per epoch."""
    return curve.tag.removesuffix(f"_{curve.role.per}")


def _different(curves: list[Curve], training: list[Curve]) -> list[Curve]:
    """Leave out curves that repeat another's values, keeping the one on the axis of the training loss.

    Keras logs each evaluation twice: by epoch and by iteration.
    """
    counts_alike = [bool(training) and same_axis(c.points, training[0].points) for c in curves]
    kept: list[int] = []
    for i in sorted(range(len(curves)), key=lambda i: not counts_alike[i]):
        if not any(_repeats(curves[i], curves[other]) for other in kept):
            kept.append(i)
    return [curves[i] for i in sorted(kept)]


def _repeats(one: Curve, other: Curve) -> bool:
    """Whether the shorter of two curves is the beginning of the longer, of which it is more than half."""
    short, long = sorted((one.values.size, other.values.size))
    same = bool(np.array_equal(one.values[:short], other.values[:short], equal_nan=True))
    return same and 2 * short > long


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
    return Curve(tags, role, ResumedPoints(first.steps, total, first.points.wall_times, first.points.restarts))
