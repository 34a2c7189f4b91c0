"""The loss falls, but a metric stays at zero or never moves; or two rewards tell opposite stories.

Why it matters
--------------
The loss says that the model learns, the metric says that it is useless: one of them misleads, and a choice of model by
the metric is a choice by chance.

How it is measured
------------------
The loss of the run must have fallen clearly (in noise and as a share of its start). A metric contradicts it when, after
its first quarter, nearly all of its values are 0 (recall, precision, F1, AP, IoU, …; or none of these reaches half a
hundredth), or one and the same number, up to the last. A metric that moved and then rests at its best has converged and
is no contradiction. In reinforcement learning the reward collected in training is laid beside the evaluated one
(medians of the first and the last third): it contradicts when the first has clearly risen and the second has not, or
has fallen.

When it is wrong
----------------
Recall and AP stay at 0 for the first evaluations of many healthy runs: a late riser is waited for, and fewer than
five evaluations prove nothing. A metric over a class that does not occur in the split is 0 by right. A metric that is
perfect rests too.

What to do
----------
Lower the decision threshold and look at metrics that need none (AUC, average precision). Weigh or resample the rare
class. If the metric is one constant that is not zero, check that it is fed with the model's predictions. Where rewards
disagree, evaluate the very policy that is trained: same normalisation, same environment, with and without exploration.

References
----------
Google, Machine Learning Crash Course: interpreting loss curves; classification: thresholds. Saito and Rehmsmeier, The
precision-recall plot is more informative than the ROC plot on imbalanced datasets (2015).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.metrics import Apart, rewards_apart
from analyzer.anatomy.progress import Progress, progress
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import counted, number, percent

LEAST = 5  # evaluations
COUNTING = frozenset(
    {"recall", "precision", "f1", "ap", "iou", "specificity", "bleu", "accuracy", "correlation", "pr-auc", "r2"}
)
SHARES = frozenset({"recall", "precision", "f1", "ap", "iou"})  # of what there is to find; 1 is all of it
NEXT_TO_NOTHING = 0.005  # such a share is written 0.00 by most loggers


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    fall: float = field(
        default=0.15, metadata={"why": "fall of the loss that counts as learning, as a share of its start"}
    )
    clear: float = field(default=4.0, metadata={"why": "fall of the loss, in standard errors"})
    rise: float = field(default=5.0, metadata={"why": "rise of the collected reward, in units of its noise"})
    follows: float = field(default=0.05, metadata={"why": "gain of the evaluated reward, over that rise"})
    still: float = field(
        default=0.9, metadata={"why": "share of the metric's values, after its first quarter, that are the same"}
    )


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the metrics that stay at zero, and one for those that never move; in RL one of rewards."""
    apart = rewards_apart(anatomy) if anatomy.family == "rl" else None
    if apart is not None:
        yield _rewards(apart)
        return
    metrics = [c for c in anatomy.having("metric") if c.role.kind in COUNTING | {"auc"}]
    if not metrics:
        yield Unfit("no metric such as recall, precision, F1, AP, accuracy or AUC is logged")
        return
    long = [c for c in metrics if c.n >= LEAST]
    if not long:
        yield Unfit(f"{metrics[0].tag} has {counted(metrics[0].n, 'point')}; {LEAST} are needed")
        return
    losses = [(c, p) for c in (*anatomy.training, *anatomy.validation) if (p := progress(c) or _few(c)) is not None]
    if not losses:
        yield Unfit("no loss with enough points to compare with")
        return
    loss, far = max(losses, key=lambda lp: (min(lp[1].gain, 0.3) * min(lp[1].moved, 10.0), lp[1].gain))
    still = [(c, *_stillness(c)) for c in long]
    zero = [(c, s) for c, s, level in still if level == 0 and c.role.kind in COUNTING]
    stuck = [
        (c, s) for c, s, level in still if level not in (0, 1, 100) and s > 0 and not _rests_well(anatomy, c, level)
    ]
    for group, kind in ((zero, "zero"), (stuck, "constant")):
        if group:
            group.sort(key=lambda g: _first_choice(g[0]))
            yield _reading(anatomy, loss, far, group, kind)
    if not zero and not stuck:
        yield _reading(anatomy, loss, far, [(long[0], 0.0)], "zero")


def _rewards(apart: Apart) -> Evidence:
    collected, evaluated = apart.collected, apart.evaluated
    first, last = int(evaluated.at[0]), int(evaluated.at[-1])

    def course(curve: Curve) -> str:
        third = curve.n // 3
        return f"{number(float(np.median(curve.raw[:third])))} to {number(float(np.median(curve.raw[-third:])))}"

    return Evidence(
        (evaluated.tag, collected.tag),
        (
            Measure("rise of the collected reward", apart.rise, "rise", unit="× noise"),
            Measure("gain of the evaluated reward", apart.follows, "follows", "below", "of that rise"),
        ),
        "warning",
        f"{collected.tag} goes from {course(collected)} between the first and the last third, {evaluated.tag} from "
        f"{course(evaluated)}",
        first,
        last,
        "the policy that is evaluated does not do what the trained one does",
        (),
        (
            "Evaluate with the normalisation statistics of training (observations, rewards), and the same environment.",
            "Compare the evaluation with and without exploration noise: the mean action alone may be poor.",
            "Choose checkpoints by the evaluated reward.",
        ),
        marks=(Mark("region", evaluated.tag, "does not follow", (first, last)),),
    )


def _rests_well(anatomy: Anatomy, curve: Curve, level: float) -> bool:
    """A good metric may rest: unless it is the accuracy of a model whose recall is 0."""
    return curve.n < 8 or (level >= 0.9 and not _zero_beside(anatomy))


def _first_choice(curve: Curve) -> tuple[bool, int, str]:
    order = ("recall", "f1", "precision", "ap", "iou")
    kind = curve.role.kind
    return (curve.role.split == "train", order.index(kind) if kind in order else len(order), curve.tag)


def _few(curve: Curve) -> Progress | None:
    """Progress of a loss with five to eleven points, by its ends alone."""
    if curve.n < LEAST:
        return None
    raw = curve.raw
    start, end = float(np.median(raw[:2])), float(np.median(raw[-3:]))
    noise_ = max(float(np.median(np.abs(np.diff(raw)))), 1e-12)
    gain = (start - end) / max(abs(start), 1e-12)
    return Progress(
        start,
        end,
        float(raw.min()),
        gain,
        gain,
        gain,
        gain,
        gain,
        leaps=0.0,
        swing=0.0,
        rho=0.0,
        moved=(start - end) / noise_,
    )


def _stillness(curve: Curve) -> tuple[float, float]:
    """Share of the values after the first quarter that equal the commonest one, and that value.

    0 when the last values are different, or when the commonest value is the best the metric has reached.
    """
    later = curve.raw[curve.n // 4 :]
    if curve.role.kind in SHARES and np.max(later) < NEXT_TO_NOTHING:
        later = np.zeros_like(later)  # a chance hit among thousands is no recall
    values, counts = np.unique(np.round(later, 9), return_counts=True)
    common = float(values[np.argmax(counts)])
    share = float(counts.max() / later.size)
    last = later[-max(2, later.size // 5) :]
    if np.mean(np.round(last, 9) == common) < 0.8:
        return 0.0, common
    if common != 0 and np.any(np.abs(curve.raw[: curve.n // 4] - common) > 1e-9):
        return 0.0, common  # it moved at first and came to rest
    return share, common


def _reading(anatomy: Anatomy, loss: Curve, far: Progress, group: list[tuple[Curve, float]], kind: str) -> Evidence:
    lead, share = group[0]
    value = float(np.median(lead.raw[lead.n // 2 :]))
    first, last = int(lead.at[0]), int(lead.at[-1])
    cause, speaks, advice = _cause(anatomy, lead, kind, value)
    names = [c.tag for c, s in group]
    summary = (
        f"{lead.tag} stays at {number(value)} while {loss.tag} falls from {number(far.start)} to {number(far.end)}"
    )
    return Evidence(
        (lead.tag, *loss.tags),
        (
            Measure("fall of the loss", far.gain, "fall", unit="of its start"),
            Measure("fall of the loss", far.moved, "clear", unit="× standard error"),
            Measure("share of the metric's values that are the same", share, "still", unit="ratio"),
        ),
        "warning",
        summary,
        first,
        last,
        cause,
        speaks,
        advice,
        marks=(Mark("region", lead.tag, f"stays at {number(value)}", (first, last)),),
        also=tuple(names[1:]),
    )


def _cause(  # noqa: PLR0911 - the causes in the order in which they are told apart
    anatomy: Anatomy, lead: Curve, kind: str, value: float
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    threshold = "Lower the decision threshold (libraries use 0.5), and choose it on the validation set."
    free = "Log metrics that need no threshold: AUC, average precision."
    weigh = "Weigh or resample the rare class."
    wired = f"Check that {lead.tag} is fed with the model's predictions and that its classes occur in the data."
    if kind == "constant":
        if lead.role.kind == "accuracy" and _zero_beside(anatomy):
            text = f"{_zero_beside(anatomy)} is 0 beside it: one class is always given"
            return "the majority class is always predicted", (text,), (threshold, weigh, free)
        return "a metric that is not wired up, or a model that always gives one answer", (), (wired, free)
    if lead.role.kind == "accuracy":
        return "a metric that is not wired up", ("not one example in the whole run was right",), (wired, free)
    aucs = [c for c in anatomy.having("metric") if c.role.kind in ("auc", "pr-auc") and c.n >= 2]
    auc = next((c for c in aucs if c.role.split == lead.role.split), aucs[0] if aucs else None)
    accuracy = next((c for c in anatomy.having("metric") if c.role.kind == "accuracy" and c.n >= 2), None)
    if auc is not None and auc.role.kind == "auc":
        level = float(np.median(auc.raw[-max(2, auc.n // 4) :]))
        if level > 0.6:
            text = f"{auc.tag} reaches {number(level, 2)}: the ranking is good, the threshold is not"
            return "no probability passes the decision threshold: imbalanced classes", (text,), (threshold, weigh)
        text = f"{auc.tag} stays at {number(level, 2)}: the model cannot rank the classes either"
        return "no signal for the rare class", (text,), ("Check that the features can predict the rare class.", weigh)
    if accuracy is not None and float(np.median(accuracy.raw[-2:])) > 0.7:
        text = f"{accuracy.tag} is {percent(float(np.median(accuracy.raw[-2:])))}: the majority class is always given"
        return "no probability passes the decision threshold: imbalanced classes", (text,), (threshold, free, weigh)
    return None, (), (threshold, free, weigh, wired)


def _zero_beside(anatomy: Anatomy) -> str:
    for curve in anatomy.having("metric"):
        if (
            curve.role.kind in ("recall", "f1", "precision")
            and curve.n >= 3
            and np.median(curve.raw[curve.n // 4 :]) == 0
        ):
            return curve.tag
    return ""


def _late(points: int, quiet: int) -> np.ndarray:
    values = np.zeros(points)
    values[quiet:] = 0.8 * (1 - np.exp(-np.arange(points - quiet) / 5.0)) + noise(points - quiet, 0.01)
    return values


def _rewarded(share: float) -> dict[str, np.ndarray]:
    rise = 1 - falling(60, 1.0, 0.0)
    return {
        "rollout/ep_rew_mean": 900 * rise + noise(60, 15.0, 1),
        "eval/mean_reward": 900 * share * rise + noise(60, 40.0, 2),
        "train/policy_loss": noise(60, 0.1, 3),
    }


DETECTOR = Detector(
    "contradictory-metrics",
    __doc__,
    measure,
    Limits(),
    (
        Case("recall stays at 0", "fires", lambda: made_run({"train/loss": falling(60), "val/recall": np.zeros(60)})),
        Case(
            "an accuracy that is not wired up",
            "fires",
            lambda: made_run({"train/loss": falling(60), "val/accuracy": np.full(60, 0.5)}),
        ),
        Case(
            "both improve",
            "quiet",
            lambda: made_run({"train/loss": falling(60), "val/recall": 1 - falling(60, 1.0, 0.1)}),
        ),
        Case("rewards that part", "fires", lambda: made_run(_rewarded(-0.6))),
        Case("an evaluation that follows", "almost", lambda: made_run(_rewarded(0.7))),
        Case(
            "recall that rises late",
            "almost",
            lambda: made_run({"train/loss": falling(60), "val/recall": _late(60, 15)}),
        ),
        Case(
            "a perfect accuracy",
            "almost",
            lambda: made_run({"train/loss": falling(60), "val/accuracy": np.r_[0.7, 0.9, np.ones(58)]}),
        ),
    ),
)
