"""Whether a run stands where guessing would: in its loss and in its metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.features.curve import Array, Curve
from analyzer.model.evidence import Sign
from analyzer.model.roles import words_of
from analyzer.stats.robust import MEDIAN_ERROR, mad_sigma, median

if TYPE_CHECKING:
    from analyzer.features import RunFeatures

LN_TOLERANCE = 0.005  # nats, besides the run's own noise
LARGEST_TOLERANCE = 0.03  # of the level: however noisy the run, ln 100 is not 4.19
UNTRAINED = (
    0.6  # a fresh model's loss: ln k for k classes, about 1 for standardised squares; below, it may be fine-tuned
)
ABOVE_CHANCE = 0.55  # for accuracies: two classes alike give one half
MOVES = 0.003  # an accuracy that changes by more than this says that the model's answers do
NO_MARGIN = 0.005  # of ln 2: a loss that is nearer to it has not learnt to prefer anything
ANY_GUESS = 7.0  # nats: guessing among a thousand classes costs 6.9
LEAST_EACH = 4  # points of a metric that make a level
CLASS_WORDS = {"classes", "labels"}
VOCABULARY = (9.9, 12.6)  # nats: guessing among 20,000 to 300,000 tokens
FREQUENCIES = (6.3, 8.2)  # nats: the entropy of single tokens in text, for such vocabularies


def guessing(features: RunFeatures, level: float, curve: Curve) -> Sign | None:
    """Return a sign when a loss level is the cross entropy of guessing, else None.

    The number of classes comes from a parameter (`num_classes`), from an accuracy that stays at 1/k, or, for two
    classes, from an accuracy that is flat at the share of the majority (its entropy is then the loss); without any of
    these only ln 2 and ln 10 are recognised, and only in a loss that has never been lower.
    """
    if not 0 < level < 12:
        return None
    error = max(LN_TOLERANCE, 2.5 * curve.sigma * (level if curve.log else 1.0) / np.sqrt(max(1, curve.n // 8)))
    error = min(error, LARGEST_TOLERANCE * level)
    k = _classes(features)
    if k and abs(level - np.log(k)) < max(error, 0.01 * np.log(k)):
        return Sign("guessing-among", curve.tag, {"level": level, "classes": float(k)})
    flat = {c.tags for c in flat_accuracies(features)}
    for accuracy in (c for c in features.having("metric") if c.role.kind == "accuracy" and c.n >= 4):
        share = median(accuracy.raw[accuracy.n // 2 :])
        if not 1e-5 < share < 1:
            continue
        near = round(1 / share)
        above = level - float(np.log(near))  # weights that are thrown about guess too, and pay a little more for it
        at_chance_ = near >= 2 and abs(1 / share - near) < 0.12 * near
        if at_chance_ and -max(error, 0.02) < above < max(error, 0.04 * level):
            numbers = {"level": level, "classes": float(near), "above": above, "accuracy": share}
            return Sign("guessing-like-accuracy", accuracy.tag, numbers)
        entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
        if accuracy.tags in flat and abs(level - entropy) < max(error, 0.015):
            return Sign("class-shares", accuracy.tag, {"level": level, "accuracy": share})
    if k is None and float(np.min(curve.blocks.level)) >= (np.log(level) if curve.log else level) - 3 * curve.sigma:
        for small in (2, 10):
            near_start = level > 0.65 * curve.back(curve.start)  # from far above, it may be any level
            if near_start and abs(level - np.log(small)) < min(error, 0.01):
                return Sign("guessing-perhaps", curve.tag, {"level": level, "classes": float(small)})
    return None


def only_frequencies(level: float, curve: Curve) -> Sign | None:
    """Return a sign when the loss of a language model rests at the entropy of single tokens.

    A model without context that knows how often each token occurs reaches it: 7 to 8 nats in English text.
    Source: Shannon, Prediction and entropy of printed English (1951), for the entropy with and without context.
    """
    began = float(np.max(curve.raw))
    if not (VOCABULARY[0] < began < VOCABULARY[1] and FREQUENCIES[0] < level < FREQUENCIES[1]):
        return None
    return Sign("only-frequencies", curve.tag, {"level": level, "began": began})


def no_margin(features: RunFeatures, level: float, curve: Curve) -> Sign | None:
    """Return a sign when a loss of preference training rests where a policy starts that is still its reference: ln 2.

    Chosen and rejected answers are then equally likely under both, whatever the sign of their tiny differences says.
    """
    start = float(np.log(2))
    at_rest = max(abs(level / start - 1), abs(curve.back(curve.start) / start - 1)) <= NO_MARGIN
    if features.family != "preference" or not at_rest:
        return None
    return Sign("no-margin", curve.tag, {"level": level})


def _classes(features: RunFeatures) -> int | None:
    for name, value in features.run.params.items():
        words = set(words_of(name))
        if words & CLASS_WORDS and words & {"num", "n", "number", "nb"}:
            try:
                k = int(float(str(value)))
            except ValueError:
                continue
            if 2 <= k <= 100_000:
                return k
    return None


def flat_accuracies(features: RunFeatures) -> list[Curve]:
    """Return accuracies that do not rise: the second half is where the first quarter was, within its noise."""
    found = []
    for curve in features.having("metric"):
        if curve.role.kind != "accuracy" or curve.n < 4:
            continue
        early, late = curve.raw[: max(2, curve.n // 4)], curve.raw[curve.n // 2 :]
        noise = max(float(np.std(late)), float(np.std(early)), 0.005)
        if median(late) - float(np.min(early)) < 2.5 * noise:
            found.append(curve)
    return found


@dataclass(frozen=True, slots=True)
class AtChance:
    """A metric that never left the level of guessing: that level, and its own, in its units.

    `most`: the upper bound of its gain, as a share of the way from chance to a perfect value.
    """

    curve: Curve
    chance: float
    level: float
    most: float


CLEAR = 3.5  # standard errors
WHOLE = 100.0  # percent
IN_PERCENT = 1.5  # an accuracy above it is logged in percent
EVEN_CLASSES = 0.12  # of a number of classes, by which 1 / accuracy may be off
NO_SKILL = {"auc": (0.5, 0.03), "r2": (0.0, 0.03), "correlation": (0.0, 0.05)}  # level and tolerance


def unit_of(kind: str, *values: Array) -> float:
    """Return what one whole is in the log: 100 where any of the values is an accuracy in percent, else 1."""
    return WHOLE if kind == "accuracy" and max(float(np.max(one)) for one in values) > IN_PERCENT else 1.0


def never_left_chance(curve: Curve) -> AtChance | None:
    """Return the level of guessing where all of an accuracy, AUC, R² or correlation lies near it, None elsewhere.

    The gain is that from the first quarter of the points to their second half.
    """
    kind, values = curve.role.kind, curve.raw
    if kind not in ("accuracy", *NO_SKILL) or curve.n < 2 * LEAST_EACH:
        return None
    unit = unit_of(kind, values)
    early, late = values[: max(LEAST_EACH, curve.n // 4)] / unit, values[curve.n // 2 :] / unit
    level = median(late)
    chance, off = NO_SKILL.get(kind, (0.0, 0.0))
    if kind == "accuracy":
        if not 1e-5 < level < ABOVE_CHANCE:
            return None
        classes = round(1 / level)
        chance, off = 1 / classes, EVEN_CLASSES / classes
    sigma = max(mad_sigma(early - median(early)), mad_sigma(late - level))
    error = MEDIAN_ERROR * sigma * float(np.sqrt(1 / early.size + 1 / late.size))
    if abs(level - chance) > off or abs(median(early) - level) > CLEAR * error:
        return None
    most = (level - median(early) + CLEAR * error) / (1 - chance)
    return AtChance(curve, chance * unit, level * unit, most)


GOOD = {"auc": 0.75, "pr-auc": 0.75, "ap": 0.5, "iou": 0.5, "f1": 0.75, "r2": 0.3, "bleu": 0.1, "similarity": 0.5}
SMALL = {"wer": 0.6, "perplexity": 2.0}


def trained_well(features: RunFeatures) -> bool:
    """Whether a metric says that the model is good, so that a flat loss is a rest and no plateau."""
    blind = any(_auc_at_half(curve) for curve in features.having("metric"))  # one class alone makes a good F1
    for curve in features.having("metric"):
        if curve.n < 2 or (blind and curve.role.kind in ("accuracy", "f1")):
            continue
        kind, late = curve.role.kind, median(curve.raw[-max(2, curve.n // 5) :])
        if late > GOOD.get(kind, np.inf) or late < SMALL.get(kind, -np.inf):
            return True
        early = median(curve.raw[: max(1, curve.n // 10)])
        if kind == "accuracy" and late > 0.75 and (late > early + 0.05 or late > 0.9) and not _beside_zero(features):
            return True
    return False


def answers_move(features: RunFeatures) -> bool:
    """Whether an accuracy well above one half still changes: the model was trained, here or before."""
    accuracies = [c for c in features.having("metric") if c.role.kind == "accuracy" and c.n >= 8]
    late = [c.raw[c.n // 2 :] for c in accuracies]
    return any(median(values) > ABOVE_CHANCE and np.ptp(values) > MOVES for values in late)


def answers_improve(features: RunFeatures) -> bool:
    """Whether an accuracy is better late than early by more than it jumps: something is being learnt."""
    for curve in features.having("metric"):
        if curve.role.kind != "accuracy" or curve.n < 8:
            continue
        early, late = curve.raw[: curve.n // 4], curve.raw[curve.n // 2 :]
        if median(late) - median(early) > median(np.abs(np.diff(curve.raw))):
            return True
    return False


def metrics_rest(features: RunFeatures) -> Sign | None:
    """Return a sign when a held-out accuracy or R² has not risen at all and is not good, else None."""
    for curve in features.having("metric"):
        if curve.role.kind not in ("accuracy", "r2") or curve.n < 4 or curve.role.split == "train":
            continue
        late, early = median(curve.raw[curve.n // 2 :]), median(curve.raw[: max(1, curve.n // 8)])
        poor = late < (0.75 if curve.role.kind == "accuracy" else 0.1)
        still = 0.05 if late < ABOVE_CHANCE else MOVES
        if poor and np.ptp(curve.raw[curve.n // 2 :]) < still and late - early < 0.02:
            return Sign("metric-rests", curve.tag, {"early": early, "late": late})
    return None


def metrics_jump(features: RunFeatures) -> Sign | None:
    """Return a sign when a held-out metric in [0, 1] jumps up and down without getting better, else None."""
    for curve in features.having("metric"):
        if curve.role.kind not in ("accuracy", "auc", "f1", "r2") or curve.n < 8 or curve.role.split == "train":
            continue
        late = curve.raw[curve.n // 2 :]
        jump, gain = median(np.abs(np.diff(late))), median(late) - median(curve.raw[: curve.n // 2])
        if jump > (0.1 if curve.role.kind == "r2" else 0.02) and gain < jump:
            return Sign("metric-jumps", curve.tag, {"jump": jump})
    return None


def error_jumps(features: RunFeatures) -> Sign | None:
    """Return a sign when R² or an error of the held-out set still jumps at the end and gets no better, else None.

    The set is the same at each evaluation, however small: such a jump is one of the weights. (Accuracies of small sets
    jump by whole examples, and errors near 0 by multiples of themselves.)
    """
    for curve in features.having("metric"):
        if curve.role.kind not in ("r2", "error") or curve.n < 8 or curve.role.split == "train":
            continue
        late, first = curve.raw[curve.n // 2 :], median(curve.raw[: max(1, curve.n // 8)])
        jump, level = median(np.abs(np.diff(late))), median(late)
        better = level - median(curve.raw[: curve.n // 2])
        if curve.role.kind == "error":
            wide = jump > 0.08 * abs(level) and abs(level) > 0.2 * abs(first) and -better < jump
        else:
            wide = jump > 0.04 and better < jump
        if wide:
            return Sign("error-jumps", curve.tag, {"jump": jump, "level": level})
    return None


def far_above_guessing(features: RunFeatures, level: float) -> Sign | None:
    """Return a sign when a classifier's loss is far above any guess while its accuracy jumps, else None."""
    for curve in features.having("metric"):
        if curve.role.kind == "accuracy" and curve.n >= 8 and level > ANY_GUESS:
            jump = median(np.abs(np.diff(curve.raw[curve.n // 2 :])))
            if jump > 0.01:
                return Sign("far-above-guessing", curve.tag, {"level": level, "jump": jump})
    return None


def metrics_swing_together(features: RunFeatures) -> Sign | None:
    """Return a sign when a metric jumps alike on training and held-out data: the weights move, no sample does."""
    metrics = [c for c in features.having("metric") if c.role.kind in ("accuracy", "auc", "f1", "r2") and c.n >= 8]
    for held_out in metrics:
        for train in metrics:
            alike = train.role.kind == held_out.role.kind and np.array_equal(train.at, held_out.at)
            if train.role.split != "train" or held_out.role.split in ("train", None) or not alike:
                continue
            jumps = [np.diff(c.raw[c.n // 3 :]) for c in (held_out, train)]
            wide = min(median(np.abs(jump)) for jump in jumps) > (0.05 if train.role.kind == "r2" else 0.02)
            correlation = float(np.asarray(np.corrcoef(jumps[0], jumps[1]))[0, 1])
            if wide and correlation > 0.7:
                return Sign("swing-together", held_out.tag, {"correlation": correlation})
    return None


def _beside_zero(features: RunFeatures) -> bool:
    kinds = ("recall", "f1", "precision")
    return any(c.role.kind in kinds and c.n > 3 and median(c.raw[c.n // 2 :]) < 0.02 for c in features.having("metric"))


def _auc_at_half(curve: Curve) -> bool:
    return curve.role.kind == "auc" and curve.n >= 4 and abs(median(curve.raw[curve.n // 2 :]) - 0.5) < 0.03


def at_chance(features: RunFeatures) -> list[Sign]:
    """Return a sign for each metric that stands at chance in its later part."""
    found = []
    for curve in features.having("metric"):
        if curve.n < 4:
            continue
        late = curve.raw[curve.n // 2 :]
        level = median(late)
        kind = curve.role.kind
        chance = (
            _auc_at_half(curve)
            or (kind == "r2" and level < 0.03)
            or (kind in ("bleu", "iou") and level < 0.01)
            or (kind == "wer" and level > 0.85)
        )
        if chance and float(np.std(late)) < 0.05:
            found.append(Sign("at-chance", curve.tag, {"level": level}))
    return found


SENTENCES = {
    "only-frequencies": "its level {level} is that of single tokens without context; it began at {began}",
    "guessing-among": "its level {level} is ln {classes:count}, the loss of guessing among {classes:count} classes",
    "guessing-like-accuracy": "its level {level} is about ln {classes:count} and {tag} stays at {accuracy:2}: guessing",
    "no-margin": "its level {level} is that of a policy that is still its reference: it prefers no answer",
    "class-shares": "its level {level} is that of always giving the class shares ({tag} {accuracy:2})",
    "guessing-perhaps": "its level {level} is consistent with guessing among {classes:count} classes "
    "(ln {classes:count})",
    "metric-rests": "{tag} has not risen either: {early:2} at first, {late:2} later",
    "metric-jumps": "{tag} jumps by {jump:2} from one evaluation to the next and gets no better",
    "error-jumps": "{tag} still jumps by {jump:2} at each evaluation, at {level:2}",
    "far-above-guessing": "{level} is far above what guessing costs, and {tag} jumps by {jump:2} at each evaluation: "
    "it answers with great confidence, and often wrongly",
    "swing-together": "{tag} and its counterpart on training data jump up and down together to the end",
    "at-chance": "{tag} stays at {level:2}, which is chance",
}
"""The signs of this module in English; see model.wording.filled."""
