"""What one logged number is a score of: the kind of metric, the set of data it was measured on, how it was averaged.

A metric that is logged once is called by its name alone: `train_accuracy`, `accuracy_score_X_test` and
`training_roc_auc_score` of MLflow's autologging, `validation_1-logloss` of XGBoost, `eval/F1`. Names are read as words
(see `roles.words_of`), never as parts of words. What the words do not say is not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from analyzer.model.reward_signals import has_phrase
from analyzer.model.roles import words_of
from analyzer.model.vocabulary import MODEL, SPLIT_WORDS, Split

Kind = Literal[
    "accuracy", "balanced-accuracy", "auc", "pr-auc", "f1", "precision", "recall", "specificity", "mcc", "kappa", "r2",
    "log-loss", "mse", "rmse", "mae", "error", "loss", "score",
]  # fmt: skip
Average = Literal["macro", "weighted", "micro", ""]


@dataclass(frozen=True, slots=True)
class Score:
    """The reading of one name; `negated`: the number is the negative of an error (`neg_log_loss`)."""

    kind: Kind
    split: Split | None
    average: Average = ""
    negated: bool = False
    of_class: bool = False


KINDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("mcc", ("mcc", "matthews", "matthews corrcoef", "phi coefficient")),
    ("kappa", ("kappa", "cohen")),
    ("pr-auc", ("pr auc", "prauc", "auprc", "aucpr", "auc pr", "precision recall auc", "average precision",
                "averageprecision")),
    ("balanced-accuracy", ("balanced accuracy", "balanced acc", "bal acc", "balancedaccuracy")),
    ("auc", ("auc", "auroc", "rocauc", "roc auc", "roc")),
    ("r2", ("r2", "r2score", "rsquared", "r squared", "r 2", "r^2", "coefficient of determination",
            "explained variance")),
    ("specificity", ("specificity", "tnr", "true negative rate")),
    ("recall", ("recall", "sensitivity", "tpr", "true positive rate")),
    ("precision", ("precision", "ppv")),
    ("f1", ("f1", "f1score", "fscore", "f score", "dice")),
    ("accuracy", ("accuracy", "acc")),
    ("log-loss", ("log loss", "logloss", "mlogloss", "crossentropy", "cross entropy", "nll", "bce", "ce", "xent",
                  "neg log likelihood")),
    ("rmse", ("rmse", "root mean squared error", "root mean square error")),
    ("mse", ("mse", "mean squared error", "mean square error")),
    ("mae", ("mae", "mean absolute error")),
    ("error", ("error", "err", "mape", "smape", "rmsle", "medae", "merror", "brier", "deviance")),
    ("loss", ("loss", "losses")),
    ("score", ("score",)),
)  # fmt: skip
"""Kinds by the phrases that name them, the more special ones first."""

ACCURACIES = frozenset({"accuracy", "balanced-accuracy", "auc", "pr-auc", "f1", "precision", "recall", "specificity"})
"""Kinds that lie between 0 and 1, higher being better."""

OTHERS = frozenset(
    {"std", "stdev", "var", "stderr", "sem", "min", "max", "ci", "lower", "upper", "top", "top5", "top3", "top10",
     "threshold", "thresholds", "time", "support", "count", "gap", "diff", "difference", "delta", "drop", "ratio",
     "calibration", "ece", "map", "map50", "map5095", "iou", "ndcg", "rank", "optuna", "target", "change"}
)  # fmt: skip
"""Words of spreads, extremes, times and of metrics whose chance level is not known."""

CLUSTERING = frozenset(
    {"silhouette", "calinski", "davies", "homogeneity", "completeness", "vmeasure", "rand", "inertia", "mutual", "nmi",
     "ari", "bouldin"}
)  # fmt: skip
"""Words of measures of clusterings, for which no verdict is known."""

REFERENCES = frozenset({"baseline", "dummy", "majority", "chance", "random"})
"""Words of a value to compare with: what a model reaches that has learnt nothing."""

AVERAGES: dict[str, Average] = {"macro": "macro", "weighted": "weighted", "micro": "micro"}
OF_CLASS = frozenset({"class", "label", "pos", "neg", "positive", "negative", "minority"})


@lru_cache(maxsize=16384)
def score_of(tag: str) -> Score | None:
    """Return what a name says that its number is, None where it is no score that can be judged by its value alone."""
    words = _words(tag)
    own = set(words)
    if own & (OTHERS | CLUSTERING | REFERENCES) or not own:
        return None
    kind = next((kind for kind, phrases in KINDS if any(has_phrase(words, phrase) for phrase in phrases)), None)
    if kind is None:
        return None
    negated = words[:1] == ("neg",) or ("neg" in own and kind in ("log-loss", "mse", "rmse", "mae", "error"))
    numbered = words[-1].isdigit() and f"-{words[-1]}" not in tag and kind in ("f1", "precision", "recall")
    average: Average = next((AVERAGES[w] for w in words if w in AVERAGES), "")
    return Score(kind, split_of(tag), average, negated, numbered or bool(own & OF_CLASS and not negated))


@lru_cache(maxsize=16384)
def reference_of(tag: str) -> Kind | None:
    """Return the kind of metric for which a name gives the value of a model that has learnt nothing, None for others.

    `baseline_accuracy`, `dummy/auc`, `majority_accuracy`.
    """
    words = _words(tag)
    if not set(words) & REFERENCES or set(words) & (OTHERS | CLUSTERING):
        return None
    return next((kind for kind, phrases in KINDS if any(has_phrase(words, phrase) for phrase in phrases)), None)


def split_of(tag: str) -> Split | None:
    """Return the split that a name says, held-out words before training words, the last part of a path first."""
    *folders, last = MODEL.sub("", tag).split("/")
    known: dict[str, Split] = {"oob": "validation", **SPLIT_WORDS}  # a forest's out-of-bag examples are held out
    for part in (last, *folders[::-1]):
        found = [known[w] for w in words_of(part) if w in known]
        if found:
            return next((split for split in found if split != "train"), "train")
    return None


def is_clustering(tag: str) -> bool:
    """Whether a name is that of a measure of clusterings."""
    return bool(set(words_of(tag)) & CLUSTERING)


def _words(tag: str) -> tuple[str, ...]:
    """Return the words of a name without what names a logged model (`accuracy (model m1)`)."""
    return words_of(MODEL.sub("", tag))
