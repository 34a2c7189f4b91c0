"""What a reader hands over: a run, its series, and what had to be mended on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.model.display import rendered

if TYPE_CHECKING:
    import pandas as pd

NoteKind = Literal[
    "torn-tail",  # the last record or line is not complete: the writer may still be at it
    "damage",  # bytes in the middle could not be read; what is intact around them is kept
    "unreadable",  # nothing of the run, or of one of its files, could be read
    "layout",  # how several files or folders were understood as one run, or as several
    "limit",  # a limit of the reader was reached and something was left out
    "not-scalar",  # values that are not scalars (shape, type) were left out
    "metadata",  # params, tags or status could not be read; the series are whole
]

LOSSES: frozenset[NoteKind] = frozenset({"damage", "unreadable", "limit"})
"""Kinds of note that say that points may be missing."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader had to mend, guess or leave out, in one sentence for the user.

    `file` is relative to the source; `offset` and `size` are bytes in that file.
    """

    kind: NoteKind
    message: str
    file: str | None = None
    offset: int | None = None
    size: int | None = None


def _frozen(values: ArrayLike, dtype: type[np.generic]) -> NDArray[np.generic]:
    array = np.array(values, dtype=dtype) if not isinstance(values, np.ndarray) else values.astype(dtype, copy=False)
    if array.ndim != 1:
        raise ValueError(f"a series is one-dimensional, not {array.ndim}-dimensional")
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Series:
    """The points of one tag in the order written; NaN and ±inf are data.

    `steps` int64[n], `values` float64[n], `wall_times` float64[n] in Unix seconds; read-only. Steps may
    repeat or go back (a restart). Raises ValueError unless the three are one-dimensional and of one length.
    """

    tag: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    wall_times: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name, dtype in (("steps", np.int64), ("values", np.float64), ("wall_times", np.float64)):
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype))
        if not self.steps.size == self.values.size == self.wall_times.size:
            raise ValueError(f"{self.tag}: steps, values and wall times differ in length")

    def __repr__(self) -> str:
        if not self.points:
            return f"<Series {self.tag}: no points>"
        first, last = int(self.steps.min()), int(self.steps.max())
        return f"<Series {self.tag}: {self.points:,} points, steps {first} to {last}, last {self.values[-1]:.6g}>"

    @property
    def points(self) -> int:
        """Number of points, non-finite ones included."""
        return int(self.steps.size)


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Run:
    """One training as its logs tell it.

    `id` is the stable name within the source (findings.json's `run`), `location` a path or a masked URI,
    `params` hyper-parameters, `tags` what the tracker knows besides (MLflow's tags), `declared` the status the
    producer gave (MLflow: RUNNING, FINISHED, FAILED, KILLED) or None, `experiment` what the tracker groups it under
    ("" where it does not), `written` (Unix seconds) when files without times were last written to. Secrets are masked
    by the reader.
    A run of which nothing could be read has no series and a note of kind *unreadable*.
    """

    id: str
    name: str
    source: str
    location: str
    series: Mapping[str, Series] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    declared: str | None = None
    experiment: str = ""
    written: float | None = None

    def __post_init__(self) -> None:
        for name in ("series", "params", "tags"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def could_be_read(self) -> bool:
        """Whether anything of it could: a series, or a log that is whole and has none."""
        return bool(self.series) or not any(note.kind in LOSSES for note in self.notes)

    @property
    def last_event(self) -> float | None:
        """Unix seconds of the youngest point, or of the last change of logs that have no times; None if unknown."""
        times = [s.wall_times[np.isfinite(s.wall_times)] for s in self.series.values()]
        latest = [float(t.max()) for t in times if t.size]
        return max(latest) if latest else self.written

    def __repr__(self) -> str:
        points = sum(one.points for one in self.series.values())
        notes = f", {len(self.notes)} notes" if self.notes else ""
        return " ".join(f"<Run {self.id}: {self.source}, {len(self.series)} series, {points:,} points{notes}>".split())

    def _repr_html_(self) -> str:
        return str(rendered("run", self))

    def to_frame(self, *, pivot: bool = False) -> pd.DataFrame:
        """Return the run's points as a pandas frame with tbparse's columns (extra `frames`); see analyzer.scalars."""
        frame: pd.DataFrame = rendered("run-frame", self, pivot=pivot)
        return frame
