"""Which settings differ between two sides, which vary within one, and which of these go with the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.auditing.cross_run.phrases import plain_number
from analyzer.auditing.cross_run.run_settings import is_label
from analyzer.comparing.subject import Subject
from analyzer.model.comparison import SettingKind, SettingRow
from analyzer.model.formatting import number
from analyzer.model.roles import read_role, words_of
from analyzer.writers.truncation import short

CODE = {
    "mlflow.source.git.commit": "git commit",
    "mlflow.source.git.branch": "git branch",
    "mlflow.source.git.repoURL": "git repository",
    "mlflow.source.name": "script",
    "git_commit": "git commit",
    "commit": "git commit",
    "git_branch": "git branch",
}
"""Tags and params that name the code, and what people call them; the commit comes first where several say it."""

ENVIRONMENT = frozenset(
    {"python", "torch", "pytorch", "cuda", "cudnn", "gpu", "gpus", "device", "driver", "platform", "os", "tensorflow"}
    | {"jax", "version", "world", "nodes", "precision_backend", "hardware", "accelerator", "image", "docker"}
)
DATA = frozenset({"data", "dataset", "datasets", "corpus", "split"})
PLAN = frozenset({"steps", "epochs", "iterations", "batch", "warmup", "tokens", "duration"})
KINDS: tuple[tuple[SettingKind, frozenset[str]], ...] = (("environment", ENVIRONMENT), ("data", DATA), ("plan", PLAN))

ABSENT = "not set"
LONGEST = 80  # characters of a value in a table
VARIES_NAMED = 6  # values of a setting that varies within a side that are named
CHANCE = 0.05  # chance below which a setting that varies within a side is named as going with the outcome
LEAST_LEVEL = 2  # runs with a value: a single one says nothing
SAME_PLAN = 0.02  # of the larger: ends and peaks that differ by less are the same plan


@dataclass(frozen=True, slots=True)
class SettingsDiff:
    """`rows`: constant on each side and different; `varies`: (name, side, values); `confounding`: (name, p-value)."""

    rows: tuple[SettingRow, ...]
    varies: tuple[tuple[str, str, tuple[str, ...]], ...]
    confounding: tuple[tuple[str, float], ...]


def settings_diff(
    base: Sequence[Subject], candidate: Sequence[Subject], tag: str, outcomes: Mapping[tuple[str, str], float]
) -> SettingsDiff:
    """Return how the settings of two sides differ; `outcomes` are those of the primary metric by run's identity."""
    sides = [[_settings(subject) for subject in side] for side in (base, candidate)]
    names = dict.fromkeys(name for side in sides for own in side for name in own)
    rows, varies = [], []
    for name in names:
        values = [sorted({own.get(name, ("", ABSENT))[1] for own in side}) for side in sides]
        kind = next(own[name][0] for side in sides for own in side if name in own)
        if all(len(own) == 1 for own in values):
            if values[0] != values[1]:
                rows.append(SettingRow(name, values[0][0], values[1][0], kind))
            continue
        if kind == "code" and values[0] == values[1]:
            continue
        for side, own in zip(("base", "candidate"), values, strict=True):
            if len(own) > 1:
                varies.append((name, side, tuple(own[:VARIES_NAMED])))
    rows += _plans(base, candidate, tag, {row.name for row in rows})
    order = {"param": 0, "data": 1, "plan": 2, "code": 3, "environment": 4}
    rows.sort(key=lambda row: (order[row.kind], row.name))
    return SettingsDiff(tuple(rows), tuple(varies), tuple(_confounding((base, candidate), sides, varies, outcomes)))


def setting_of(subject: Subject, name: str) -> str | None:
    """Return the value of a param or tag as text, None where there is none; `experiment` and `folder` count, too."""
    if name in subject.run.params:
        return text_of(subject.run.params[name])
    if name in subject.run.tags:
        return str(subject.run.tags[name])
    if name == "experiment":
        return subject.run.experiment or None
    if name == "folder":
        return subject.run.id.rpartition("/")[0] or None
    return None


def text_of(value: object) -> str:
    """Return a setting's value as people type it: 0.001, 128, adamw."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return str(value)
    try:
        return plain_number(float(value))
    except (ValueError, OverflowError):
        return str(value)


def key_of(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Return what two replicates have in common: every setting that is no label, and the experiment."""
    own = [(name, text) for name, (kind, text) in _settings(subject).items() if kind not in {"code", "environment"}]
    return (("experiment", subject.run.experiment), *sorted(own))


def _settings(subject: Subject) -> dict[str, tuple[SettingKind, str]]:
    found: dict[str, tuple[SettingKind, str]] = {}
    for name, value in (*subject.run.params.items(), *subject.run.tags.items()):
        known = CODE.get(name)
        if known is not None:
            found.setdefault(known, ("code", short(str(value), LONGEST)))
    for name, value in subject.run.params.items():
        if name not in CODE and not is_label(name) and not _is_place(value) and not _is_outcome(name, subject):
            found[short(name, LONGEST)] = (_kind(name), short(text_of(value), LONGEST))
    for name, value in subject.run.tags.items():
        if name not in CODE and not name.startswith("mlflow.") and not is_label(name) and not _is_place(value):
            kind = _kind(name)
            found.setdefault(short(name, LONGEST), (kind, short(str(value), LONGEST)))
    return found


def _kind(name: str) -> SettingKind:
    words = set(words_of(name))
    return next((kind for kind, known in KINDS if words & known), "param")


def _is_place(value: object) -> bool:
    return isinstance(value, str) and (value.startswith(("/", "~", "./", "../")) or "://" in value)


def _is_outcome(name: str, subject: Subject) -> bool:
    """Whether a param repeats a result: it has the name of a series, or of a loss or metric without saying a weight."""
    if name in subject.run.series:
        return True
    weights = {
        "weight",
        "weights",
        "coef",
        "coefficient",
        "lambda",
        "scale",
        "alpha",
        "target",
        "fn",
        "function",
        "type",
    }
    return read_role(name).role in {"loss", "metric"} and not set(words_of(name)) & weights and _numeric(subject, name)


def _numeric(subject: Subject, name: str) -> bool:
    try:
        float(str(subject.run.params[name]))
    except ValueError:
        return False
    return True


def _plans(base: Sequence[Subject], candidate: Sequence[Subject], tag: str, told: Iterable[str]) -> list[SettingRow]:
    """Return what the curves show of the plan: how far the runs went, and the peak of the learning rate."""
    rows = []
    peaks = [_peaks(side) for side in (base, candidate)]
    rates_told = any({"lr", "rate"} & set(words_of(name)) for name in told)
    if all(peaks) and not rates_told and _apart(*peaks):
        rows.append(SettingRow("peak of the learning rate", number(peaks[0][0]), number(peaks[1][0]), "plan"))
    ends = [[t.end for s in side if (t := s.track(tag)) is not None] for side in (base, candidate)]
    if all(ends) and _apart(*ends):
        rows.append(
            SettingRow(f"last {base[0].axis} of {tag}", plain_number(ends[0][0]), plain_number(ends[1][0]), "plan")
        )
    return rows


def _peaks(side: Sequence[Subject]) -> list[float]:
    found = [s.features.rate for s in side]
    return [float(rate.raw.max()) for rate in found if rate is not None and rate.n]


def _apart(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether each side is constant and the two differ."""
    width = SAME_PLAN * max(map(abs, (*one, *other)))
    constant = all(max(side) - min(side) <= width for side in (one, other))
    return constant and abs(float(np.median(one)) - float(np.median(other))) > width


def _confounding(
    subjects: Sequence[Sequence[Subject]],
    sides: Sequence[Sequence[Mapping[str, tuple[SettingKind, str]]]],
    varies: Sequence[tuple[str, str, tuple[str, ...]]],
    outcomes: Mapping[tuple[str, str], float],
) -> list[tuple[str, float]]:
    """Return the settings that vary within a side and go with the outcome there (F test, Bonferroni over settings)."""
    from scipy.special import fdtrc  # noqa: PLC0415 - slow to import

    names = list(dict.fromkeys(name for name, _, _ in varies))
    found = []
    for name in names:
        between, within, levels, n = 0.0, 0.0, 0, 0
        for side, settings in zip(subjects, sides, strict=True):
            groups: dict[str, list[float]] = {}
            for subject, own in zip(side, settings, strict=True):
                if subject.identity in outcomes:
                    groups.setdefault(own.get(name, ("", ABSENT))[1], []).append(outcomes[subject.identity])
            kept = [np.asarray(group) for group in groups.values() if len(group) >= LEAST_LEVEL]
            if len(kept) < 2:  # a side where it does not vary
                continue
            centre = float(np.mean(np.concatenate(kept)))
            between += sum(g.size * (float(g.mean()) - centre) ** 2 for g in kept)
            within += sum(float(np.sum((g - g.mean()) ** 2)) for g in kept)
            levels, n = levels + len(kept) - 1, n + sum(g.size for g in kept) - len(kept)
        if levels and n and within > 0:
            p = float(fdtrc(levels, n, between / levels / (within / n))) * len(names)
            if p < CHANCE:
                found.append((name, min(1.0, p)))
    return found
