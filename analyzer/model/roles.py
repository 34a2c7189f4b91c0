"""What a tag means: its role, split and direction of good, read from its words and never from substrings.

A tag is cut into words at `/ _ . - ( ) [ ] : , ;`, blanks and changes of case; names such as mAP, IoU, AUROC
and R2 stay whole. The part after the last slash speaks before the folders, so that `train/val_loss` is a
validation loss. An unknown name is an unknown series, never a loss. The words are those of the loggers
themselves: Keras, Lightning, Transformers, fastai, Ultralytics, Stable-Baselines3, Detectron2, TF Object
Detection, nanoGPT, Megatron-LM, NeMo, clu, MLflow's autologs, and the common habits of add_scalar.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from analyzer.model.vocabulary import (
    CAMEL,
    CONSTANTS,
    COUNTED,
    COUNTERS,
    CUTS,
    KIND,
    LAYERS,
    LOSS,
    LOSS_ITSELF,
    MACHINES,
    METRICS,
    MODEL,
    NUMBERED,
    OF_MACHINES,
    OVER,
    PLAIN,
    REFERENCE_FOLDERS,
    REFERENCES,
    SPLIT_WORDS,
    STRONG_SYSTEM,
    SYSTEM,
    TIMED,
    WHOLE,
    Direction,
    Split,
)

RoleName = Literal["loss", "metric", "learning-rate", "gradient-norm", "counter", "system", "constant", "unknown"]
ROLES: tuple[RoleName, ...] = (
    "loss",
    "metric",
    "learning-rate",
    "gradient-norm",
    "counter",
    "system",
    "constant",
    "unknown",
)
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Role:
    """The reading of one tag. `why` gives the words it rests on; `kind` is the metric's standard name.

    `part` tells components of a loss (`box`, `generator`, …) from the total (""); `per` is "epoch" or "step"
    when the name says which it is; `running` marks values averaged since the epoch began; `given` marks a
    role that the user set. In reinforcement learning and in a GAN, `signal` is what the series measures beside the
    goal (`model.signals.Signal`), and `goal` what a reward is worth as one (`model.signals.Goal`).
    """

    role: RoleName
    split: Split | None = None
    direction: Direction | None = None
    why: str = ""
    kind: str = ""
    part: str = ""
    per: Literal["epoch", "step", ""] = ""
    running: bool = False
    given: bool = False
    signal: str = ""
    goal: str = ""


def is_monitored(words: tuple[str, ...]) -> bool:
    """Whether a tag is the `r` of Stable-Baselines3's Monitor, under the number of its environment or alone."""
    return words[-1:] == ("r",) and all(word.isdigit() or word == "monitor" for word in words[:-1])


@lru_cache(maxsize=65536)  # the runs of an audit have the same tags and parameters by the hundred
def words_of(text: str) -> tuple[str, ...]:
    """Return the lower-case words of a tag or of one of its parts."""
    marked = WHOLE.sub(lambda m: f" {m.group().replace('-', '').replace('_', '').lower()} ", text) if text else ""
    found = []
    for piece in CUTS.split(marked):
        found += [w.lower() for w in CAMEL.split(piece) if w]
    return tuple(found)


def model_of(tag: str) -> str:
    """Return which of several logged models of a run a series belongs to, "" where its tag names none."""
    found = MODEL.search(tag)
    return found.group() if found else ""


@lru_cache(maxsize=65536)
def read_role(tag: str) -> Role:
    """Return what the tag's own words say. What needs the other tags of the run is settled by `read_roles`."""
    *folders, last = MODEL.sub("", tag).split("/")
    if folders and not any(w for w in words_of(last) if not w.isdigit() and w not in NUMBERED):
        last = "/".join((*folders[-1:], last))  # `val_loss/dataloader_idx_0`, `valid_loss_step/epoch_0`
        folders = folders[:-1]
    words, before = without_axis(words_of(last)), tuple(w for f in folders for w in words_of(f))
    per, words = _per((*before, *words)), _without_suffix(words, before)
    split, split_word = _split(words, before)
    everything = (*before, *words)
    role, kind, why = _role(words, before, everything)
    direction: Direction | None = None
    if role == "loss":
        direction = "lower"
    elif role == "metric":
        direction = METRICS[kind][1]
    if split_word:
        why += f"; split from “{split_word}”"
    return Role(
        role,
        split,
        direction,
        why,
        kind,
        part=_part(everything) if role == "loss" else "",
        per=per,
        running=role in ("loss", "metric") and words[:1] == ("batch",),
    )


def without_axis(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of `lm loss` for those of `lm loss vs samples`: what a value is plotted against is no value."""
    over = words.index("vs") if "vs" in words else 0
    return words[:over] if over and words[over + 1 :] and all(word in OVER for word in words[over + 1 :]) else words


def _without_suffix(words: tuple[str, ...], before: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words without Lightning's `_step` or `_epoch`, which say how often a value is logged.

    `global_step` and `train_epoch` are counters: what stands before the suffix names no value. In a folder of a loss or
    metric (`Loss/train_epoch`) it names the split of one.
    """
    if words[-1:] not in (("step",), ("epoch",), ("iter",)):
        return words
    of_folder = words[:-1] and all(w in SPLIT_WORDS for w in words[:-1]) and (set(before) & LOSS or _metric(before))
    counted = all(w in SPLIT_WORDS or w in COUNTED for w in words[:-1])
    return words if (counted or words[-1] == "iter") and not of_folder else words[:-1]


def _split(words: tuple[str, ...], before: tuple[str, ...]) -> tuple[Split | None, str]:
    for group in (words, before[::-1]):
        hits = [(w, SPLIT_WORDS[w]) for w in group if w in SPLIT_WORDS]
        held = [h for h in hits if h[1] != "train"]
        if hits:
            word, split = (held or hits)[0]
            return split, word
    return None, ""


def _role(  # noqa: PLR0911, PLR0912 - an ordered list of rules, each one line
    words: tuple[str, ...], before: tuple[str, ...], everything: tuple[str, ...]
) -> tuple[RoleName, str, str]:
    own = set(words)
    if words == ("hp", "metric"):
        return "constant", "", "“hp_metric” is a placeholder"
    if own & {"lr", "lrs"} and own & {"momentum", "decay"}:
        return "constant", "", "a setting of the optimizer beside its learning rate"
    for role, hit in (("learning-rate", _is_learning_rate(words, before)), ("gradient-norm", _is_gradient(everything))):
        if hit:
            return role, "", f"“{hit}”"  # type: ignore[return-value]  # one of the two literals above
    if before[:1] == ("system",) or (before[:1] == ("time",) and not own & LOSS):
        return "system", "", f"folder “{before[0]}”"
    if "loss" in own and own & {"scale", "scaler"}:
        return "constant", "", "the loss scale of mixed precision"
    if {"total", "time"} <= own or ("per" in own and own & {"second", "sec", "s"}):
        return "system", "", "a speed or time"
    strong = next((w for w in words if w in STRONG_SYSTEM), None)
    if strong and not own & LOSS and not _is_other_time(own):
        return "system", "", f"“{strong}”"
    if own & {"ppl", "perplexity"}:
        return "metric", "perplexity", "“perplexity”"
    hit = next((w for w in words if w in LOSS), None) or _pair(words, "cross", "entropy")
    coefficient = own & {"coef", "coefficient", "weight", "lambda"}
    if hit and not (coefficient and "loss" not in own):
        compared = _compared_loss(words)
        return ("constant", "", f"“{compared}” names a value to compare with") if compared else ("loss", "", f"“{hit}”")
    if is_monitored((*before, *words)):
        return "metric", "reward", "“r”, the reward of an episode"
    metric = _metric(words)
    reference = _reference(words, before) if metric else None
    if reference:
        return "constant", "", f"“{reference}” names a value to compare with"
    in_layer = bool(set(everything) & LAYERS)
    counter = None if in_layer else _plain(words, COUNTERS, "counter")
    machine = (
        None if _is_other_time(own) or (own & OF_MACHINES and not own & MACHINES) else _plain(words, SYSTEM, "system")
    )
    for reading in (metric, counter, machine):
        if reading:
            return reading
    hit = next((w for w in before if w in LOSS), None) or _pair(before, "cross", "entropy")
    if hit and not (own & CONSTANTS):
        return "loss", "", f"folder “{hit}”"
    lesson = _plain(before, {"lesson"}, "constant")  # Unity numbers the lessons of a curriculum by parameter
    return _plain(words, CONSTANTS, "constant") or lesson or _metric(before) or ("unknown", "", "no word that is known")


def _metric(words: tuple[str, ...]) -> tuple[RoleName, str, str] | None:
    joined = ["".join(pair) for pair in itertools.pairwise(words)]
    for word in (*joined, *words):
        bare = word.rstrip("0123456789") if word not in KIND else word
        known = word if word in KIND else bare if len(bare) > 2 and bare in KIND else None
        if known == "return" and "time" in words:
            continue
        if known:
            return "metric", KIND[known], f"“{word}”"
    return None


def _reference(words: tuple[str, ...], before: tuple[str, ...]) -> str | None:
    """Return the word that makes a metric a reference: a baseline, a target, a best so far; None when there is none.

    A number behind *threshold* is the threshold at which the metric is measured (`accuracy_threshold_0.5`).
    """
    for word, after in itertools.zip_longest(words, words[1:], fillvalue=""):
        if word in REFERENCES and not (word.startswith("thr") and after.isdigit()):
            return word
    if before[-1:] == ("best",):
        return "best"
    return next((w for w in before if w in REFERENCE_FOLDERS), None)


def _compared_loss(words: tuple[str, ...]) -> str | None:
    """Return the word that makes a loss a reference: *best* anywhere, others behind the loss (`loss_threshold`).

    Before it they name a component (`baseline_loss`, `prior_loss`, `target_loss`).
    """
    if "best" in words:
        return "best"
    at = next((i for i, w in enumerate(words) if w in LOSS), len(words))
    return _reference(words[at + 1 :], ())


def _is_other_time(own: set[str]) -> bool:
    """Whether a time is measured that is none of the program's, as `travel_time` of a simulated world."""
    return "time" in own and not all(w in TIMED or w in SPLIT_WORDS or w in PLAIN or w.isdigit() for w in own)


def _plain(words: tuple[str, ...], known: set[str], role: RoleName) -> tuple[RoleName, str, str] | None:
    hit = next((w for w in words if w in known), None)
    return (role, "", f"“{hit}”") if hit else None


def _is_learning_rate(words: tuple[str, ...], before: tuple[str, ...]) -> str | None:
    if any(w.rstrip("0123456789") in ("lr", "lrs") for w in words):
        return "lr"
    if "learningrate" in words or _pair(words, "learning", "rate"):
        return "learning rate"
    in_folder = "lr" in before and all(w.startswith("pg") or w.isdigit() for w in words)
    return "lr" if in_folder or before == ("lr",) else None


def _is_gradient(words: tuple[str, ...]) -> str | None:
    if {"gnorm", "gradnorm", "gradientnorm"} & set(words):
        return "gradient norm"
    if {"grad", "grads", "gradient", "gradients"} & set(words) and {"norm", "norms", "l2", "magnitude"} & set(words):
        return "gradient norm"
    return None


def _pair(words: tuple[str, ...], first: str, second: str) -> str | None:
    return f"{first} {second}" if (first, second) in itertools.pairwise(words) else None


def _part(words: tuple[str, ...]) -> str:
    """Return the component of a loss, "" for a total: what is left of its words without splits and plain words.

    A kind of loss is a component where the word *loss* stands beside it (`loss_ce` of a detector), else it is the loss.
    """
    plainly = any(w in LOSS_ITSELF for w in words)
    if _pair(words, "cross", "entropy") and not plainly:
        words = tuple(w for w in words if w not in ("cross", "entropy"))
    silent = LOSS_ITSELF if plainly else LOSS
    rest = [
        w
        for w in words
        if w not in silent and w not in SPLIT_WORDS and w not in PLAIN and w not in NUMBERED and not w.isdigit()
    ]
    return " ".join(dict.fromkeys(rest))


def _per(words: tuple[str, ...]) -> Literal["epoch", "step", ""]:
    if "epoch" in words:
        return "epoch"
    return "step" if "step" in words or "batch" in words or "iter" in words else ""
