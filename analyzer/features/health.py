"""What a healthy run must show: it learnt, it kept what it learnt, it stayed finite and calm, held-out data agree.

Each criterion is shown or refuted by numbers of the log, or it does not apply, or the log is too weak for an answer
(*unclear*). A run is healthy only when every criterion that applies is shown; see model.summary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.features import gan_health, reward_health, single_health
from analyzer.features.chance_level import trained_well
from analyzer.features.curve import Curve
from analyzer.features.last_points import last_evaluation
from analyzer.features.rises import Fall, Rise
from analyzer.model.formatting import counted, number, percent, step
from analyzer.model.health import Criterion

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


@dataclass(frozen=True)
class Params:
    """What shapes the criteria."""

    enough: int = field(default=8, metadata={"unit": "points", "why": "fewer show a fault, but never health"})
    clear: float = field(default=3.5, metadata={"unit": "standard errors", "why": "a difference that is no noise"})
    gain: float = field(default=0.01, metadata={"unit": "of the start", "why": "the smallest gain that is learning"})
    flat: int = field(default=20, metadata={"unit": "points", "why": "without a gain, they show that there is none"})
    rise: float = field(default=0.1, metadata={"unit": "of the level", "why": "a worse end that matters"})
    drop: float = field(default=0.25, metadata={"unit": "of the start", "why": "a metric that ends below its start"})
    lost: float = field(default=0.1, metadata={"unit": "of the gain", "why": "a worse end of a metric, besides"})
    undone: float = field(default=0.1, metadata={"unit": "of the run or gain", "why": "a worse end undoes something"})
    usual: float = field(default=0.6, metadata={"unit": "of the rise", "why": "an earlier one that was made good"})
    cost: float = field(default=0.1, metadata={"unit": "of the run", "why": "until a break is made good"})
    guessed: float = field(default=0.4, metadata={"unit": "of the start", "why": "gain that one answer may bring"})
    still: float = field(default=0.1, metadata={"unit": "of the gain", "why": "later gain of a loss that stands still"})
    taught: float = field(default=0.3, metadata={"unit": "of the start", "why": "gain that held-out data should share"})


PARAMS = Params()
HELD_OUT = ("validation", "test")


def criteria(features: RunFeatures) -> tuple[Criterion, ...]:
    """Return every health criterion of a run."""
    checks: tuple[Callable[[RunFeatures], Criterion], ...] = (
        enough_data,
        finite,
        learnt,
        kept,
        calm,
        held_out,
        metrics,
    )
    if features.family == "rl":
        of_rewards = (reward_health.enough_data, finite, reward_health.learnt, reward_health.kept, calm)
        checks = (*of_rewards, reward_health.held_out)
    elif features.family == "gan":
        checks = (
            gan_health.enough_data,
            finite,
            gan_health.learnt,
            kept if _leading_metrics(features) else gan_health.kept,
            gan_health.calm,
            gan_health.held_out,
            metrics,
        )
    if features.single is not None:
        checks = single_health.CHECKS
    return tuple(check(features) for check in checks)


def judged_losses(features: RunFeatures) -> list[Curve]:
    """Return the losses whose shape tells how the run went: none in adversarial and reinforcement learning."""
    if not features.falls:
        return []
    known = [*features.training, *features.validation]
    steady = [c for c in known if not c.role.running]
    return [c for c in (steady or known) if c.n]


def judged_metrics(features: RunFeatures) -> list[Curve]:
    """Return the metrics with a known direction that have a course; in reinforcement learning the rewards."""
    if features.family == "rl":
        return [c for c in features.rewards.goals if c.n > 1]
    return [c for c in features.having("metric") if c.role.direction is not None and c.n > 1]


def enough_data(features: RunFeatures) -> Criterion:
    """Whether any judged curve is long enough to show health."""
    curves = [*judged_losses(features), *judged_metrics(features)]
    if not curves:
        why = "no loss or metric with a known direction is logged" if features.falls else _silent(features)
        return Criterion("enough-data", "unclear", why)
    longest = max(curves, key=lambda c: c.n)
    numbers = {"points": float(longest.n), "needed": float(PARAMS.enough)}
    text = f"{longest.name} has {counted(longest.n, 'finite point')}"
    if longest.n < PARAMS.enough:
        return Criterion("enough-data", "unclear", f"{text}; {PARAMS.enough} are needed", numbers, longest.tags)
    return Criterion("enough-data", "shown", text, numbers, longest.tags)


def _silent(features: RunFeatures) -> str:
    return f"{features.why_not}, and no metric is logged"


def finite(features: RunFeatures) -> Criterion:
    """Whether every loss is finite throughout."""
    curves = [c for c in features.losses if c.values.size]
    if not curves:
        return Criterion("finite", "not-applicable", "no loss is logged")
    bad = [c for c in curves if not c.finite.all()]
    if not bad:
        text = (
            f"all points of {curves[0].name if len(curves) == 1 else counted(len(curves), 'loss', 'losses')} are finite"
        )
        return Criterion("finite", "shown", text, {"points": float(sum(c.n for c in curves))})
    missing = int((~bad[0].finite).sum())
    text = f"{bad[0].name} has {counted(missing, 'point')} that {'is' if missing == 1 else 'are'} NaN or infinite"
    return Criterion("finite", "refuted", text, {"points": float(missing)}, tuple(c.tag for c in bad))


def learnt(features: RunFeatures) -> Criterion:
    """Whether a loss or a metric got better by more than noise, and by an amount that matters."""
    curves = [*judged_losses(features), *judged_metrics(features)]
    # three points or four show no noise that a gain could be compared with
    falls = [(c, c.course.fall) for c in curves if c.course.fall is not None and c.course.relapse is not None]
    gains = [(c, f) for c, f in falls if f is not None and f.errors >= PARAMS.clear and f.best_size >= PARAMS.gain]
    if gains:
        # training losses come first: what was learnt is told by the curve that the run was trained on
        curve, fall = gains[0]
        if (early := _at_once(features)) and all(c.role.role == "loss" for c, _ in gains):
            return early
        return Criterion("learnt", "shown", _went(curve, fall), _fall_numbers(fall), curve.tags)
    if not falls:
        return Criterion("learnt", "unclear", "no curve is long enough to show a gain")
    curve, fall = max(falls, key=lambda f: f[0].n)
    same = abs(fall.size) < PARAMS.gain
    text = f"{curve.name} {'ends where it began' if same else 'has not clearly got better'}: {_course(fall)}"
    numbers = _fall_numbers(fall)
    # what had been gained and was lost again is the matter of `kept`
    if fall.errors <= -PARAMS.clear and fall.size <= -PARAMS.rise and fall.best_size < PARAMS.rise:
        return Criterion(
            "learnt", "refuted", f"{curve.name} ends worse than it began: {_course(fall)}", numbers, curve.tags
        )
    most = fall.size + PARAMS.clear * abs(fall.size / fall.errors) if fall.errors else abs(fall.size)
    # a loss may rest at an optimum that was reached before the log begins; whether it does, plateau judges by its signs
    refuted = curve.role.role == "metric" and curve.n >= PARAMS.flat and most < 2 * PARAMS.gain
    return Criterion("learnt", "refuted" if refuted else "unclear", text, numbers, curve.tags)


def _at_once(features: RunFeatures) -> Criterion | None:
    """Return that a loss fell in the first tenth of the run only, and by so little that guessing well explains it.

    A model that gives one answer learns the best one in a few steps: the entropy of the classes, the mean of a target.
    """
    judged = features.course
    if isinstance(judged, str):
        return None
    curve, far = judged
    if not 0 < far.gain < PARAMS.guessed or max(far.later_most, abs(far.later_gain)) > PARAMS.still * far.gain:
        return None
    text = (
        f"{curve.name} fell from {number(far.start)} to {number(far.end)} in the first tenth of the run and has stood "
        "still since: one answer for every example, if it is the best one, does as well; log a metric on held-out data"
    )
    numbers = {"gain": far.gain, "later_gain": far.later_gain, "later_most": far.later_most}
    return Criterion("learnt", "unclear", text, numbers, curve.tags)


def kept(features: RunFeatures) -> Criterion:
    """Whether losses and metrics end within noise of their best level."""
    looked = [c for c in [*judged_losses(features), *_leading_metrics(features)] if c.course.relapse is not None]
    if not looked:
        return Criterion("kept", "unclear", "no curve is long enough to compare its end with its best")
    worse = [(c, r) for c in looked if (r := c.course.relapse) is not None and _lost(c, r)]
    worse = [(c, r) for c, r in worse if c.role.role == "loss" or _agree(c, looked, [w[0] for w in worse])]
    last = [
        (c, r) for c in looked if c.role.split in HELD_OUT and (r := last_evaluation(c)) is not None and _lost(c, r)
    ]
    if not worse and last:
        curve, rise = max(last, key=lambda w: w[1].matters)
        text = (
            f"the last evaluation of {curve.name} jumps from {number(rise.before)} to {number(rise.after)}: the model "
            "that the run ends with is worse than those before it"
        )
        return Criterion("kept", "refuted", text, _rise_numbers(curve, rise) | {"evaluations": 1.0}, curve.tags)
    if not worse:
        curve = looked[0]
        best = curve.course.relapse
        numbers = {"errors": best.errors, "size": best.size, "best": best.before, "end": best.after} if best else {}
        near = best is None or best.errors < PARAMS.clear or best.size < PARAMS.gain
        level = "near its best level" if near else "with most of its gain; its best level was"
        text = f"{curve.name} ends at {number(numbers['end'])}, {level} {number(numbers['best'])}"
        return Criterion("kept", "shown", text, numbers, curve.tags)
    curve, rise = max(worse, key=lambda w: w[1].matters)
    text = (
        f"{curve.name} ends at {number(rise.after)} and had been at {number(rise.before)} around step "
        f"{step(int(curve.at[rise.onset]))}: {undone(rise.of_progress, rise.setback)}"
    )
    return Criterion("kept", "refuted", text, _rise_numbers(curve, rise), curve.tags)


def undone(of_progress: float, setback: float) -> str:
    """Return what a rise undoes, by the larger of the share of the gain and the share of the run."""
    if of_progress >= 1:
        return "all that was gained is lost"
    if of_progress > setback:
        return f"{percent(of_progress)} of what was gained is lost"
    return f"{percent(setback)} of the run is undone"


def _lost(curve: Curve, rise: Rise) -> bool:
    """Whether an end that is worse than the best is clear, matters, undoes something, and is not the usual."""
    clear = rise.errors >= PARAMS.clear and rise.usual < PARAMS.usual
    if curve.role.role == "metric" and not (rise.of_progress >= PARAMS.lost and rise.size >= PARAMS.rise):
        return False
    return clear and rise.matters >= PARAMS.rise and rise.undone >= PARAMS.undone


def _agree(metric: Curve, looked: list[Curve], worse: list[Curve]) -> bool:
    """Whether most of the leading metrics of its split lost as well: a threshold trades some for others."""
    beside = [c for c in looked if c.role.role == "metric" and c.role.split == metric.role.split]
    return 2 * sum(c in worse for c in beside) > len(beside)


def _leading_metrics(features: RunFeatures) -> list[Curve]:
    """Return the metrics that speak for the run: of several of one kind and split the one in the middle at its end."""
    groups: dict[tuple[str, str | None], list[Curve]] = {}
    for curve in judged_metrics(features):
        if curve.n >= PARAMS.enough:
            groups.setdefault((curve.role.kind, curve.role.split), []).append(curve)
    middle = [sorted(group, key=lambda c: float(c.raw[-1])) for group in groups.values()]
    return [group[len(group) // 2] for group in middle]


def calm(features: RunFeatures) -> Criterion:
    """Whether the level of no loss breaks upwards for good or for a large part of the run."""
    curves = [c for c in judged_losses(features) if c.n >= PARAMS.enough]
    if not curves:
        return Criterion("calm", "not-applicable", "no loss is long enough to show a break")
    for curve in curves:
        shift = curve.course.shift
        # of held-out losses a bump that heals is the evaluation's own matter
        heals = shift is not None and shift.healed and curve.role.split == "train" and shift.cost >= PARAMS.cost
        lasting = shift is not None and (not shift.healed or heals)
        if shift is not None and lasting and _lost(curve, shift):
            at = step(int(curve.at[shift.onset]))
            text = f"the level of {curve.name} breaks from {number(shift.before)} to {number(shift.after)} at step {at}"
            return Criterion("calm", "refuted", text, _rise_numbers(curve, shift), curve.tags)
    return Criterion("calm", "shown", f"the level of {curves[0].name} has no lasting break upwards", {}, curves[0].tags)


def held_out(features: RunFeatures) -> Criterion:
    """Whether held-out data agree that something was learnt: a curve of theirs got better, or stands well."""
    curves = [*judged_losses(features), *judged_metrics(features)]
    held = [c for c in curves if c.role.split in HELD_OUT and c.n >= PARAMS.enough]
    if not held:
        return Criterion("held-out", "not-applicable", "no held-out loss or metric is long enough")
    falls = [(c, f) for c in held if (f := c.course.fall) is not None]
    better = [(c, f) for c, f in falls if f.best_size >= PARAMS.gain and f.errors >= PARAMS.clear / 2]
    if better:
        curve, fall = better[0]
        return Criterion("held-out", "shown", _went(curve, fall), _fall_numbers(fall), curve.tags)
    curve, fall = next(((c, f) for c, f in falls if c.role.role == "loss"), falls[0])
    trained = [c for c in features.training if c in curves and (f := c.course.fall) and f.errors >= PARAMS.clear]
    begun = max((f.start for c in trained if (f := c.course.fall) and f.size >= PARAMS.taught), default=None)
    numbers = _fall_numbers(fall) | ({} if begun is None else {"training_start": begun})
    if trained_well(features) or (begun is not None and curve.role.role == "loss" and fall.end < begun):
        # the first evaluation may come after most has been learnt
        return Criterion("held-out", "shown", f"{curve.name} stands at {number(fall.end)}", numbers, curve.tags)
    text = f"{curve.name} has not got better: {_course(fall)}"
    taught = begun is not None and curve.role.role == "loss" and curve.n >= PARAMS.flat
    return Criterion("held-out", "refuted" if taught else "unclear", text, numbers, curve.tags)


def metrics(features: RunFeatures) -> Criterion:
    """Whether no leading metric is clearly worse at the end than at the start, nor all of them worse by much."""
    found = [(c, f) for c in _leading_metrics(features) if (f := c.course.fall) is not None]
    if not found:
        return Criterion("metrics", "not-applicable", "no metric is long enough")
    worse = [(c, f) for c, f in found if f.errors <= -PARAMS.clear and f.size <= -PARAMS.drop]
    if worse:
        curve, fall = min(worse, key=lambda w: w[1].size)
        text = f"{curve.name} is worse at the end than at the start: {number(fall.start)}, then {number(fall.end)}"
        return Criterion("metrics", "refuted", text, _fall_numbers(fall), curve.tags)
    curve, fall = max(found, key=lambda f: f[1].size)
    if fall.size <= -PARAMS.drop:
        text = f"no metric is better at the end than at the start: {_went(curve, fall)}, which may be noise"
        return Criterion("metrics", "unclear", text, _fall_numbers(fall), curve.tags)
    return Criterion("metrics", "shown", _went(curve, fall), _fall_numbers(fall), curve.tags)


def _went(curve: Curve, fall: Fall) -> str:
    verb = "rose" if fall.end > fall.start else "fell"
    if abs(fall.size) < PARAMS.gain:
        verb = "went"
    return f"{curve.name} {verb} from {number(fall.start)} to {number(fall.end)}"


def _course(fall: Fall) -> str:
    return f"{number(fall.start)} at first, {number(fall.end)} at the end"


def _fall_numbers(fall: Fall) -> dict[str, float]:
    return {"start": fall.start, "end": fall.end, "best": fall.best, "gain": fall.size, "errors": fall.errors}


def _rise_numbers(curve: Curve, rise: Rise) -> dict[str, float]:
    return {
        "before": rise.before,
        "after": rise.after,
        "size": rise.size,
        "errors": rise.errors,
        "setback": rise.setback,
        "of_progress": rise.of_progress,
        "step": float(curve.at[rise.onset]),
        "last_step": float(curve.at[-1]),
    }
