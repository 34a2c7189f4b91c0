"""The nouns of a comparison: sides, metrics, settings, the noise of seeds, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analyzer.model.display import rendered
from analyzer.model.result import json_number

SCHEMA_COMPARE = "posthoc-compare/1"

Array = NDArray[np.float64]
CompareVerdict = Literal["better", "worse", "no-difference", "cannot-tell"]
SettingKind = Literal["param", "code", "data", "plan", "environment"]


@dataclass(frozen=True, slots=True)
class SeedNoise:
    """How much one metric scatters between seeds, out of groups of replicates.

    `sd` and `df` are the prior's (None for fewer than four groups); a share of the level where `log`.
    `groups` are (name, runs, mean, sd).
    """

    metric: str
    sd: float | None
    df: float | None
    log: bool = False
    groups: tuple[tuple[str, int, float, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as strict JSON."""
        return {
            "metric": self.metric,
            "sd": self.sd,
            "df": self.df,
            "log": self.log,
            "groups": [
                {"name": name, "n": n, "mean": json_number(mean), "sd": json_number(sd)}
                for name, n, mean, sd in self.groups
            ],
        }


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run of a side: its id, what people call it, where it lies, and its outcome of the primary metric (or None).

    `curve` is x, y of the primary metric for pictures, float64[n] each.
    """

    run: str
    label: str
    location: str
    outcome: float | None = None
    reason: str = ""
    failed: bool = False
    curve: tuple[Array, Array] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the runs that are compared, and those that are taken out, with the reason."""

    name: str
    runs: tuple[ComparedRun, ...]
    excluded: tuple[ComparedRun, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return `base` or `candidate` of the document."""
        return {
            "name": self.name,
            "runs": [run.run for run in self.runs],
            "excluded": [{"run": run.run, "reason": run.reason} for run in self.excluded],
        }


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting that each side holds constant and that differs between them."""

    name: str
    base: str
    candidate: str
    kind: SettingKind

    def to_dict(self) -> dict[str, Any]:
        """Return an element of `settings`."""
        return {"name": self.name, "base": self.base, "candidate": self.candidate, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Spread:
    """The outcomes of a side in one metric."""

    values: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return n, mean, standard deviation (0 for one run) and the values."""
        return {"n": len(self.values), "mean": self.mean, "sd": self.sd, "values": list(self.values)}

    @property
    def mean(self) -> float:
        """The mean."""
        return float(np.mean(self.values))

    @property
    def sd(self) -> float:
        """The standard deviation with n - 1; 0 for one run."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """One metric compared; differences are candidate minus base in the metric's unit.

    `noise` is (sd of a run, where from, groups of the pool, df); `more_runs` (a side, for which difference);
    `crossing` the step at which the leader changes; `correlation` that of the pairs.
    """

    tag: str
    better: Literal["lower", "higher"]
    base: Spread
    candidate: Spread
    difference: float
    relative: float | None
    interval: tuple[float, float] | None
    level: float
    p_value: float | None
    p_adjusted: float | None
    test: str | None
    df: float | None
    noise: tuple[float, str, int, float] | None
    improvement: float | None
    detectable: float | None
    more_runs: tuple[int, float, float] | None
    worth: float | None
    crossing: float | None
    verdict: CompareVerdict
    sentence: str
    at: float | None = None
    correlation: float | None = None
    measurement_error: float | None = None
    equivalent: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return an element of `metrics`."""
        noise, more = self.noise, self.more_runs
        return {
            "tag": self.tag,
            "better": self.better,
            "base": self.base.to_dict(),
            "candidate": self.candidate.to_dict(),
            "difference": self.difference,
            "relative": self.relative,
            "interval": list(self.interval) if self.interval else None,
            "level": self.level,
            "p_value": self.p_value,
            "p_adjusted": self.p_adjusted,
            "test": self.test,
            "df": self.df,
            "noise": {"sd": noise[0], "from": noise[1], "groups": noise[2], "df": noise[3]} if noise else None,
            "improvement": self.improvement,
            "detectable": self.detectable,
            "more_runs": {"per_group": more[0], "for": more[1], "power": more[2]} if more else None,
            "worth": self.worth,
            "crossing": {"step": _whole(self.crossing)} if self.crossing is not None else None,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "at": _whole(self.at) if self.at is not None else None,
            "correlation": self.correlation,
            "measurement_error": self.measurement_error,
            "equivalent": self.equivalent,
        }


@dataclass(frozen=True, slots=True)
class Band:
    """The difference (candidate minus base) over the axis: `x`, `difference` and, where known, `low` and `high`."""

    x: Array
    difference: Array
    low: Array | None
    high: Array | None


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Everything that is said of two sides; immutable. `metrics` has the primary one first.

    `table` are rows of (difference, [(runs more a side, power)…]); `extra` holds further keys of the document
    (failures, tasks, anova, varies, confounding); `notes` are further sentences; `rivals` are the comparisons of
    several candidates with the same base, this one among them.
    """

    version: str
    verdict: CompareVerdict
    sentence: str
    base: Side
    candidate: Side
    by: str
    at: float
    reason: str
    outcome: str
    paired: bool
    settings: tuple[SettingRow, ...]
    metrics: tuple[ComparedMetric, ...]
    band: Band | None = None
    table: tuple[tuple[float, tuple[tuple[int, float], ...]], ...] = ()
    method: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    rivals: tuple[Comparison, ...] = ()

    @property
    def primary(self) -> ComparedMetric:
        """The metric that the verdict rests on."""
        return self.metrics[0]

    def __repr__(self) -> str:
        return f"<Comparison of {self.candidate.name} with {self.base.name}: {self.verdict}. {self.sentence}>"

    def to_dict(self) -> dict[str, Any]:
        """Return the document (schema posthoc-compare/1)."""
        document = self._own() | {"schema": SCHEMA_COMPARE}
        if len(self.rivals) > 1:
            document["candidates"] = [rival._own() for rival in self.rivals]
        return {"schema": document.pop("schema"), "tool": {"name": "posthoc", "version": self.version}} | document

    def _own(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "primary": self.primary.tag,
            "base": self.base.to_dict(),
            "candidate": self.candidate.to_dict(),
            "aligned": {"by": self.by, "at": _whole(self.at), "reason": self.reason},
            "outcome": self.outcome,
            "paired": self.paired,
            "settings": [row.to_dict() for row in self.settings],
            "metrics": [metric.to_dict() for metric in self.metrics],
            "notes": list(self.notes),
        } | dict(self.extra)

    def _repr_html_(self) -> str:
        return str(rendered("comparison", self))


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value
