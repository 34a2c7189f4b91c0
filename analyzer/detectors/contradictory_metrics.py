"""The loss falls, but a metric stays at zero or never moves; or two rewards tell opposite stories.

Why it matters
--------------
The loss says that the model learns, the metric says that it is useless: one of them misleads, and a choice of model by
the metric is a choice by chance.

How it is measured
------------------
A loss of the run must have fallen clearly (in standard errors and as a share of its start). A metric contradicts it
when, after its first quarter, nearly all of its values are 0 (recall, precision, F1, AP, IoU, …; or none of these
reaches half a hundredth), or one and the same number, up to the last. A metric that moved and then rests at its best
has converged and is no contradiction. An accuracy, AUC, R² or correlation also contradicts the loss when all of it lies
at the level of guessing and the upper bound of its gain is small. While another metric of the same kind and split
moves, a constant one is no contradiction (a target, a baseline), and one that stays at 0 is a note (a class that is not
found). In reinforcement learning the reward collected in training is compared with the evaluated one (medians of the
first and the last third): it contradicts when the first has clearly risen and the second has not, or has fallen.

When it is wrong
----------------
Recall and AP stay at 0 for the first evaluations of many healthy runs: a late riser is waited for, and fewer than
five evaluations prove nothing. A metric over a class that does not occur in the split is 0 by design. A metric that is
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
from typing import Literal

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.chance_level import never_left_chance
from analyzer.features.held_out_metrics import RewardGap, rewards_apart
from analyzer.features.rises import Fall
from analyzer.features.run_size import is_smoke_test
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.features.sample_size import settled
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import counted, number, percent
from analyzer.stats.robust import median

COUNTING = frozenset(
    {"recall", "precision", "f1", "ap", "iou", "specificity", "bleu", "accuracy", "correlation", "pr-auc", "r2"}
)
SHARES = frozenset({"recall", "precision", "f1", "ap", "iou"})  # of what there is to find; 1 is all of it
FOUND = ("recall", "f1", "precision", "ap", "iou")  # the metric that leads, in this order
PERFECT = (1.0, 100.0)  # a share and a percentage of which there is no more
Kind = Literal["zero", "one-class", "constant"]


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    fall: float = field(
        default=0.15,
        metadata={
            "unit": "of its start",
            "why": "fall of the loss that counts as learning, as a share of its start",
        },
    )
    clear: float = field(
        default=4.0, metadata={"unit": "standard errors", "why": "fall of the loss, in standard errors"}
    )
    rise: float = field(
        default=5.0, metadata={"unit": "× noise", "why": "rise of the collected reward, in units of its noise"}
    )
    follows: float = field(
        default=0.05, metadata={"unit": "of that rise", "why": "gain of the evaluated reward, over that rise"}
    )
    gain: float = field(
        default=0.1,
        metadata={
            "unit": "of the way to a perfect value",
            "why": "most that a metric at chance can have gained (upper bound)",
        },
    )
    still: float = field(
        default=0.9,
        metadata={
            "unit": "ratio",
            "why": "share of the metric's values, after its first quarter, that are the same",
        },
    )


@dataclass(frozen=True)
class Params:
    """How stillness is measured, and what distinguishes the causes."""

    least: int = field(
        default=5,
        metadata={"unit": "evaluations", "why": "late risers are 0 for a handful of them; a fifth of them is the end"},
    )
    nothing: float = field(
        default=0.005, metadata={"unit": "ratio", "why": "most loggers write a smaller share as 0.00"}
    )
    resting: float = field(
        default=0.8, metadata={"unit": "of the last fifth", "why": "the metric must stand still to the end, too"}
    )
    good: float = field(
        default=0.9, metadata={"unit": "ratio", "why": "so good a metric rests because it has converged"}
    )
    ranks: float = field(default=0.6, metadata={"unit": "AUC", "why": "clearly above ½: the model ranks the classes"})


PARAMS = Params()

CAUSES = {
    "policies-differ": "the policy that is evaluated does not do what the trained one does",
    "majority-class": "the majority class is always predicted",
    "not-wired-or-one-answer": "a metric that is not wired up, or a model that always gives one answer",
    "not-wired": "a metric that is not wired up",
    "no-better-than-chance": "the metric is computed on labels that do not belong to the predictions, or what the loss "
    "rewards is not what the metric asks for",
    "threshold": "no probability passes the decision threshold: imbalanced classes",
    "no-signal": "no signal for the rare class",
    "one-class-missed": "a class that is rare, or that does not occur in the split",
}
THRESHOLD = "Lower the decision threshold (libraries use 0.5), and choose it on the validation set."
FREE = "Log metrics that need no threshold: AUC, average precision."
WEIGH = "Weigh or resample the rare class."
WIRED = "Check that {tag} is fed with the model's predictions and that its classes occur in the data."
ADVICE = {
    "policies-differ": (
        "Evaluate with the normalisation statistics of training (observations, rewards), and the same environment.",
        "Compare the evaluation with and without exploration noise: the mean action alone may be poor.",
        "Choose checkpoints by the evaluated reward.",
    ),
    "majority-class": (THRESHOLD, WEIGH, FREE),
    "not-wired-or-one-answer": (WIRED, FREE),
    "not-wired": (WIRED, FREE),
    "no-better-than-chance": (
        "Compute {tag} by hand on one batch: predictions beside labels, in the same order.",
        "Check that labels and predictions have the same shape and coding, and that no shuffling divides them.",
        "Compare the metric on the training data: there it must follow the loss.",
    ),
    "threshold": (THRESHOLD, FREE, WEIGH),
    "no-signal": ("Check that the features can predict the rare class.", WEIGH),
    "one-class-missed": ("Check how many examples of this class the split holds.", WEIGH),
}
UNKNOWN = (THRESHOLD, FREE, WEIGH, WIRED)


@dataclass(frozen=True)
class Still:
    """A metric that may stand still: the share of its later values that are one, that one, and what clears it."""

    curve: Curve
    share: float
    level: float
    kind: Kind
    vetoes: tuple[Veto, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What the sentences need: the level of the metric, and the loss that falls meanwhile."""

    level: float
    loss: str
    fall: Fall


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for each way in which metrics stand still and each loss, the clearest first; in RL of rewards."""
    apart = rewards_apart(features) if features.family == "rl" else None
    if apart is not None:
        yield _rewards(apart)
        return
    metrics = [c for c in features.having("metric") if c.role.kind in COUNTING | {"auc"}]
    if not metrics:
        yield Unfit("no metric such as recall, precision, F1, AP, accuracy or AUC is logged")
        return
    long = [c for c in metrics if c.n >= PARAMS.least]
    if not long:
        yield Unfit(f"{metrics[0].tag} has {counted(metrics[0].n, 'point')}; {PARAMS.least} are needed")
        return
    losses = [c for c in (*features.training, *features.validation) if c.n >= PARAMS.least]
    falls = [(c, fall) for c in losses if (fall := c.course.fall) is not None]
    if not falls:
        yield Unfit("no loss with enough points to compare with")
        return
    falls.sort(key=lambda found: -found[1].errors)
    stillness = {c.tag: _stillness(c) for c in long}
    moving = [c for c in long if stillness[c.tag][0] < PARAMS.resting]
    yield from _at_chance(features, long, moving, falls)
    still = [_still(features, c, *stillness[c.tag], moving) for c in long]
    groups = [[s for s in still if s.kind == kind and not s.vetoes] for kind in ("zero", "one-class", "constant")]
    groups = [group for group in groups if group] or [sorted(still, key=lambda s: -s.share)[:1]]
    for group in groups:
        for loss, fall in falls:
            yield _reading(features, loss, fall, sorted(group, key=_order))


def _at_chance(
    features: RunFeatures, metrics: list[Curve], moving: list[Curve], falls: list[tuple[Curve, Fall]]
) -> Iterator[Evidence]:
    """Yield a reading for the first metric that moves by noise alone, at the level of guessing."""
    guessing = {c.tag: never_left_chance(c) for c in metrics}
    found = [a for c in moving if (a := guessing[c.tag]) is not None]
    found.sort(key=lambda a: (a.curve.role.split == "train", a.curve.tag))
    if not found or features.family == "preference":
        return
    lead = found[0]
    # the loss of the same data contradicts it; the training loss alone may have been memorised, so where the metric
    # does not say of which data it is, each loss must fall
    same = [f for f in falls if f[0].role.split == lead.curve.role.split] or falls[::-1]
    sibling = next((c for c in metrics if guessing[c.tag] is None and _is_sibling(c, lead.curve)), None)
    loss, fall = same[0]
    first, last = int(lead.curve.at[0]), int(lead.curve.at[-1])
    yield Evidence(
        (lead.curve.tag, *loss.tags),
        (
            Measure("fall of the loss", fall.size, "fall", unit="of its start"),
            Measure("fall of the loss", fall.errors, "clear", unit="× standard error"),
            Measure(
                "upper bound of the metric's gain",
                lead.most,
                "gain",
                "below",
                "of the way to a perfect value",
            ),
        ),
        "info" if is_smoke_test(features) else "warning",
        first_step=first,
        last_step=last,
        cause="no-better-than-chance",
        marks=(Mark("region", lead.curve.tag, f"stays at {number(lead.level)}", (first, last)),),
        also=tuple(a.curve.tag for a in found[1:]),
        signs=(Sign("chance", lead.curve.tag, {"chance": lead.chance}),),
        vetoes=() if sibling is None else (Veto("sibling-moves", sibling.tag),),
        facts=Facts(lead.level, loss.tag, fall),
    )


def _still(features: RunFeatures, curve: Curve, share: float, level: float, moving: list[Curve]) -> Still:
    """Return how still a metric stands; `moving` are the metrics that do not."""
    sibling = next((c for c in moving if _is_sibling(c, curve)), None)
    if level == 0 and curve.role.kind in COUNTING:
        return Still(curve, share, level, "zero" if sibling is None else "one-class")
    vetoes = []
    if sibling is not None:
        vetoes.append(Veto("sibling-moves", sibling.tag))
    if level in PERFECT:
        vetoes.append(Veto("perfect", curve.tag, {"level": level}))
    if curve.n < ENOUGH.evaluations:
        vetoes.append(Veto("few-evaluations", curve.tag, {"evaluations": float(curve.n)}))
    good = level / PERFECT[1] if level > 1 else level
    if good >= PARAMS.good and not _zero_partner(features):
        vetoes.append(Veto("rests-well", curve.tag, {"level": level}))
    return Still(curve, share, level, "constant", tuple(vetoes))


def _is_sibling(other: Curve, curve: Curve) -> bool:
    """Whether another metric measures the same: its kind, on the same split (any, where the curve names none)."""
    same_split = curve.role.split in (None, other.role.split)
    return other is not curve and other.role.kind == curve.role.kind and same_split


def _stillness(curve: Curve) -> tuple[float, float]:
    """Share of the values after the first quarter that equal the commonest one, and that value.

    The share is 0 when the last values are different, or when the metric moved at first and then came to rest.
    """
    later = settled(curve.raw)
    early = curve.raw[: curve.n - later.size]
    if curve.role.kind in SHARES and np.max(later) < PARAMS.nothing:
        later = np.zeros_like(later)  # a chance hit among thousands is no recall
    values, counts = np.unique(later.astype(np.float32), return_counts=True)
    common = values[np.argmax(counts)]
    last = later[-max(2, later.size // PARAMS.least) :].astype(np.float32)
    moved_first = bool(common != 0 and np.any(early.astype(np.float32) != common))
    if np.mean(last == common) < PARAMS.resting or moved_first:
        return 0.0, float(common)
    return float(counts.max() / later.size), float(common)


def _order(still: Still) -> tuple[bool, bool, int, str]:
    """Return what sorts metrics: those that stand still first, held-out ones before those of training."""
    kind, split = still.curve.role.kind, still.curve.role.split
    rank = FOUND.index(kind) if kind in FOUND else len(FOUND)
    return still.share < PARAMS.resting, split == "train", rank, still.curve.tag


def _reading(features: RunFeatures, loss: Curve, fall: Fall, group: list[Still]) -> Evidence:
    lead = group[0]
    curve = lead.curve
    first, last = int(curve.at[0]), int(curve.at[-1])
    cause, signs = _cause(features, lead)
    level = median(curve.raw[curve.n // 2 :])
    note = lead.kind == "one-class" or is_smoke_test(features)
    return Evidence(
        (curve.tag, *loss.tags),
        (
            Measure("fall of the loss", fall.size, "fall", unit="of its start"),
            Measure("fall of the loss", fall.errors, "clear", unit="× standard error"),
            Measure("share of the metric's values that are the same", lead.share, "still", unit="ratio"),
        ),
        "info" if note else "warning",
        first_step=first,
        last_step=last,
        cause=cause,
        marks=(Mark("region", curve.tag, f"stays at {number(level)}", (first, last)),),
        also=tuple(s.curve.tag for s in group[1:] if s.share >= PARAMS.resting),
        signs=signs,
        vetoes=lead.vetoes,
        facts=Facts(level, loss.tag, fall),
    )


def _cause(  # noqa: PLR0911 - the causes in the order in which they are distinguished
    features: RunFeatures, lead: Still
) -> tuple[str | None, tuple[Sign, ...]]:
    kind = lead.curve.role.kind
    if lead.kind == "one-class":
        return "one-class-missed", ()
    if lead.kind == "constant":
        zero = _zero_partner(features)
        if kind == "accuracy" and zero is not None:
            return "majority-class", (Sign("zero-partner", zero.tag),)
        return "not-wired-or-one-answer", ()
    if kind == "accuracy":
        return "not-wired", (Sign("nothing-right", lead.curve.tag),)
    aucs = [c for c in features.having("metric") if c.role.kind == "auc" and c.n >= 2]
    auc = next((c for c in aucs if c.role.split == lead.curve.role.split), aucs[0] if aucs else None)
    if auc is not None:
        level = median(settled(auc.raw))
        if level > PARAMS.ranks:
            return "threshold", (Sign("auc-good", auc.tag, {"level": level}),)
        return "no-signal", (Sign("auc-poor", auc.tag, {"level": level}),)
    accuracy = next((c for c in features.having("metric") if c.role.kind == "accuracy" and c.n >= 2), None)
    if accuracy is not None and median(accuracy.raw[-2:]) > PARAMS.ranks:
        return "threshold", (Sign("majority-given", accuracy.tag, {"level": median(accuracy.raw[-2:])}),)
    return None, ()


def _zero_partner(features: RunFeatures) -> Curve | None:
    """Return a recall, F1 or precision that is 0 at most evaluations after the first quarter."""
    for curve in features.having("metric"):
        if curve.role.kind in FOUND[:3] and curve.n >= PARAMS.least and median(settled(curve.raw)) == 0:
            return curve
    return None


def _rewards(apart: RewardGap) -> Evidence:
    first, last = int(apart.evaluated.at[0]), int(apart.evaluated.at[-1])
    return Evidence(
        (apart.evaluated.tag, apart.collected.tag),
        (
            Measure("rise of the collected reward", apart.rise, "rise", unit="× noise"),
            Measure("gain of the evaluated reward", apart.follows, "follows", "below", "of that rise"),
        ),
        "warning",
        first_step=first,
        last_step=last,
        cause="policies-differ",
        marks=(Mark("region", apart.evaluated.tag, "does not follow", (first, last)),),
        facts=apart,
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    cause, facts = evidence.cause, evidence.facts
    advice = tuple(text.format(tag=evidence.tags[0]) for text in (ADVICE[cause] if cause else UNKNOWN))
    if isinstance(facts, RewardGap):
        summary = (
            f"{facts.collected.tag} goes from {_thirds(facts.collected)} between the first and the last third, "
            f"{facts.evaluated.tag} from {_thirds(facts.evaluated)}"
        )
        return Words(summary, CAUSES["policies-differ"], advice=advice)
    its: Facts = facts
    summary = (
        f"{evidence.tags[0]} stays at {number(its.level)} while {its.loss} falls from {number(its.fall.start)} to "
        f"{number(its.fall.end)}"
    )
    return Words(summary, CAUSES[cause] if cause else None, tuple(map(_sentence, evidence.signs)), advice)


def _thirds(curve: Curve) -> str:
    third = curve.n // 3
    return f"{number(median(curve.raw[:third]))} to {number(median(curve.raw[-third:]))}"


def _sentence(sign: Sign) -> str:
    level = sign.numbers.get("level", float("nan"))
    return {
        "chance": f"{number(sign.numbers.get('chance', level), 2)} is what guessing gives",
        "zero-partner": f"{sign.tag} is 0 at the same time: one class is always given",
        "nothing-right": "not one example in the whole run was right",
        "auc-good": f"{sign.tag} reaches {number(level, 2)}: the ranking is good, the threshold is not",
        "auc-poor": f"{sign.tag} stays at {number(level, 2)}: the model cannot rank the classes either",
        "majority-given": f"{sign.tag} is {percent(level)}: the majority class is always given",
    }[sign.id]


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
            "an accuracy that moves by noise alone, at chance",
            "fires",
            lambda: made_run({"val/loss": falling(60), "val/accuracy": 0.1 + noise(60, 0.01)}),
        ),
        Case(
            "an accuracy that rises slowly from chance",
            "almost",
            lambda: made_run({"val/loss": falling(60), "val/accuracy": np.linspace(0.1, 0.14, 60) + noise(60, 0.01)}),
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
    describe=describe,
    yields_to=("hidden-nan", "reward-collapse", "reward-hacking"),
)
