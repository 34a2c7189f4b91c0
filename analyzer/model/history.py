"""What a history of nights holds: since when a metric is at another level, by how much, what changed with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analyzer.model.display import rendered
from analyzer.model.formatting import iso, number, percent

Better = Literal["lower", "higher"]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting whose value differs between the last night before a change and the first night of it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Another metric of the job that changed with the first, and its levels before and after."""

    metric: str
    better: Better
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Change:
    """One lasting change of a metric. `index` counts the job's runs by start time from 0, as all indices here do.

    `night` is the start of the first run of it (Unix seconds), `interval` the first and last index at which it may
    have begun, `until` the last index of a drift. `sd` is the scatter from night to night, `nights` how many there
    are, `told` the index of the night that would have told it (None: not yet clear enough for an alarm). `also` are
    other metrics that changed within two nights. `p_value` is of the two levels, with no correction for the search.
    """

    job: str
    metric: str
    better: Better
    index: int
    night: float
    run: str
    interval: tuple[int, int]
    shape: Literal["step", "drift"]
    until: int | None
    before: float
    after: float
    sd: float
    nights: int
    p_value: float
    told: int | None
    announced: bool
    matters: bool
    changed: tuple[Setting, ...] = ()
    code: tuple[str, str] | None = None
    outliers: tuple[int, ...] = ()
    also: tuple[Moved, ...] = ()
    state: Literal["new", "persisting", "resolved"] | None = None

    @property
    def difference(self) -> float:
        """Level after minus level before, in the metric's unit."""
        return self.after - self.before

    @property
    def direction(self) -> Literal["worse", "better"]:
        """Whether the change is for the worse."""
        return "better" if (self.difference < 0) == (self.better == "lower") else "worse"

    @property
    def severity(self) -> Literal["warning", "info"]:
        """A warning when somebody should look: worse, not announced by a setting, and large enough to matter."""
        return "warning" if self.direction == "worse" and not self.announced and self.matters else "info"

    @property
    def sentence(self) -> str:
        """The change in words: since when, from what to what, and what changed with it."""
        since = f"since night {iso(self.night)[:10]}"
        what = "drifts" if self.shape == "drift" else "is"
        size = abs(self.difference) / abs(self.before) if self.before else math.inf
        share = f", {percent(size)}" if math.isfinite(size) else ""
        text = (
            f"{self.metric} {what} {self.direction} {since}: {number(self.after, 4)} after {number(self.before, 4)}"
            f" ({'+' if self.difference > 0 else ''}{number(self.difference)}{share})"
        )
        return f"{text}{self._with()}{self._others()}"

    def _with(self) -> str:
        if self.changed:
            listed = ", ".join(f"{one.name} {one.before} → {one.after}" for one in self.changed)
            return f"; came with {listed}"
        return f"; first run with commit {self.code[1][:8]}" if self.code else ""

    def _others(self) -> str:
        if not self.also:
            return ""
        names = ", ".join(one.metric for one in self.also[:3])
        more = f" and {len(self.also) - 3} more" if len(self.also) > 3 else ""
        return f"; with it {names}{more}"

    def to_dict(self) -> dict[str, Any]:
        """Return the object `history` of an entry in findings.json, one of `changes` and `alarms` elsewhere."""
        return {
            "job": self.job,
            "metric": self.metric,
            "better": self.better,
            "index": self.index,
            "night": iso(self.night),
            "run": self.run,
            "interval": list(self.interval),
            "shape": self.shape,
            "until": self.until,
            "direction": self.direction,
            "before": self.before,
            "after": self.after,
            "difference": self.difference,
            "sd": self.sd,
            "nights": self.nights,
            "p_value": self.p_value,
            "told": self.told,
            "announced": self.announced,
            "changed": [{"name": one.name, "from": one.before, "to": one.after} for one in self.changed],
            "code": {"from": self.code[0], "to": self.code[1]} if self.code else None,
            "outliers": list(self.outliers),
            "state": self.state,
            "severity": self.severity,
            "sentence": self.sentence,
            "also": [
                {"metric": one.metric, "better": one.better, "before": one.before, "after": one.after}
                for one in self.also
            ],
        }


@dataclass(frozen=True, eq=False, slots=True)
class Track:
    """One metric of a job over its nights, for charts: `values` has NaN where a run has none.

    `levels` is the level at each night (with the trend, where there is one), `outliers` are indices.
    """

    metric: str
    better: Better
    values: Array
    levels: Array
    sd: float
    correlation: float
    outliers: tuple[int, ...] = ()
    direction_known: bool = True


@dataclass(frozen=True, eq=False, slots=True)
class History:
    """A job's nights: its changes by the account of all nights, and what would have been reported on which night.

    `times` are Unix seconds in order, `runs` the ids of the runs. `flags` are settings that changed at an index, each
    with the index. `replayed` says whether `alarms` were asked for. `notes` say what could not be looked at.
    """

    job: str
    times: Array
    runs: tuple[str, ...]
    tracks: tuple[Track, ...]
    changes: tuple[Change, ...]
    alarms: tuple[Change, ...] = ()
    replayed: bool = False
    flags: tuple[tuple[int, Setting], ...] = ()
    commits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The history in one sentence: its newest warning, else its newest change, else that there is none."""
        warned = [one for one in self.changes if one.severity == "warning"]
        newest = max(warned or self.changes, key=lambda one: one.index, default=None)
        if newest is None:
            return f"no lasting change in {len(self.times)} nights"
        return newest.sentence

    def to_dict(self) -> dict[str, Any]:
        """Return the history as plain JSON values: `changes`, `alarms`, and what they rest on."""
        return {
            "changes": [one.to_dict() for one in self.changes],
            "alarms": [one.to_dict() for one in self.alarms],
            "job": self.job,
            "nights": len(self.times),
            "metrics": [
                {"metric": one.metric, "better": one.better, "sd": one.sd, "correlation": one.correlation,
                 "outliers": list(one.outliers)}
                for one in self.tracks
            ],
            "notes": list(self.notes),
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"<History of {self.job or 'a job'}: {len(self.times)} nights, {len(self.changes)} changes>"

    def _repr_html_(self) -> str:
        return str(rendered("history", self))
