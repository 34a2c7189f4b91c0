"""A run as a comparison sees it: its curves by tag on the axis that is asked for, its settings, and who it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import UsageError
from analyzer.features import Curve, RunFeatures
from analyzer.model.roles import Role, words_of
from analyzer.model.run import Run
from analyzer.settings import RoleSetting

Array = NDArray[np.float64]
Axis = Literal["step", "epoch", "time", "tokens"]

COUNTERS: Mapping[str, frozenset[str]] = {
    "epoch": frozenset({"epoch", "epochs"}),
    "tokens": frozenset({"tokens", "token"}),
}
"""Words of a series that counts what an axis asks for."""


@dataclass(frozen=True, eq=False, slots=True)
class Track:
    """A curve on the axis of the comparison: finite points, `x` rising strictly, `y` float64[n]; `end` is the last x.

    `end` counts points that are not finite, too; `broken` is the x from which on no finite value came any more.
    """

    x: Array
    y: Array
    end: float
    broken: float | None = None


@dataclass(frozen=True, eq=False)
class Subject:
    """One run of a comparison; `label` is what people call it, `given` the roles that the user set."""

    run: Run
    label: str
    given: Mapping[str, RoleSetting] = field(default_factory=dict)
    axis: Axis = "step"

    @cached_property
    def features(self) -> RunFeatures:
        """The run opened up."""
        return RunFeatures(self.run, self.given)

    @cached_property
    def tracks(self) -> Mapping[str, Track]:
        """Every loss and metric with a finite point or a point at all, by tag, on the axis of the comparison."""
        found = {}
        for tag, curve in self.features.curves.items():
            if self.roles[tag].role in {"loss", "metric"} and curve.steps.size:
                found[tag] = self._track(curve)
        return found

    def track(self, tag: str) -> Track | None:
        """Return the track of any series, None where the run has no such series."""
        if tag in self.tracks:
            return self.tracks[tag]
        curve = self.features.curves.get(tag)
        return self._track(curve) if curve is not None and curve.steps.size else None

    @property
    def roles(self) -> Mapping[str, Role]:
        """Role of every tag."""
        return self.features.roles

    @property
    def identity(self) -> tuple[str, str]:
        """What tells one run from another however it was reached: where it lies, and the end of its id."""
        return identity_of(self.run.location, self.run.id)

    def _track(self, curve: Curve) -> Track:
        every = self._places(curve)
        finite = curve.finite
        x, y = every[finite], curve.raw
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
        last = np.append(np.diff(x) > 0, True) if x.size else np.empty(0, dtype=bool)  # of one place the last counts
        broken = float(every[int(np.flatnonzero(finite)[-1]) + 1]) if finite.any() and not finite[-1] else None
        if not finite.any():
            broken = float(every[0])
        return Track(x[last], y[last], float(np.max(every)), broken)

    def _places(self, curve: Curve) -> Array:
        """Return where the points lie on the axis of the comparison, float64[n]."""
        steps = curve.steps.astype(np.float64)
        if self.axis == "step":
            return steps
        if self.axis == "time":
            return self._seconds(curve)
        counted = self._counter(self.axis)
        if counted is None:
            if self.axis == "epoch" and self.roles[curve.tag].per == "epoch":
                return steps
            raise UsageError(
                f"{self.label}: it logs no series that counts {_called(self.axis)}; leave --at {self.axis} out"
            )
        return np.interp(steps, counted.at.astype(np.float64), counted.raw)

    def _counter(self, axis: str) -> Curve | None:
        words = COUNTERS[axis]
        named = [c for c in self.features.curves.values() if words & set(words_of(c.tag)) and c.n > 1]
        rising = [
            c for c in named if bool(np.all(np.diff(c.raw) >= 0)) and self.roles[c.tag].role not in {"loss", "metric"}
        ]
        return max(rising, key=lambda c: c.n, default=None)

    def _seconds(self, curve: Curve) -> Array:
        times = [s.wall_times[np.isfinite(s.wall_times)] for s in self.run.series.values()]
        first = min((float(t.min()) for t in times if t.size), default=float("nan"))
        places = curve.wall_times - first
        if not np.all(np.isfinite(places)):
            raise UsageError(f"{self.label}: its log has no times; leave --at time out")
        return places


def identity_of(location: str, run: str) -> tuple[str, str]:
    """Return what tells a run from others: its id depends on the source it was found in, the end of it does not."""
    return os.path.realpath(location) if "://" not in location else location, run.rpartition("/")[2]


def _called(axis: str) -> str:
    return {"epoch": "epochs", "tokens": "tokens"}[axis]
