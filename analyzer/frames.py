"""Runs as pandas frames with tbparse's column names: one changed line gives its users complete and fast reading.

Needs the extra `frames` (pandas). Long form: one row a point, sorted by `tag` and `step`; wide form (`pivot=True`):
one row a step, one column a tag, lists where a step has several values of a tag.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.errors import UsageError
from analyzer.model.run import Run
from analyzer.readers import open_source

if TYPE_CHECKING:
    import pandas as pd

EXTRA = ("wall_time", "dir_name")


def scalars(
    source: str | os.PathLike[str], *, pivot: bool = False, extra_columns: Collection[str] = ()
) -> pd.DataFrame:
    """Return every scalar point of every run of a source as a frame, as `tbparse.SummaryReader(...).scalars` does.

    `extra_columns` may hold "wall_time" (Unix seconds) and "dir_name" (the run's name in the source, "" where the
    source itself is the run). UsageError for other columns; SourceError and NoRunsError as open_runs().
    """
    unknown = set(extra_columns) - set(EXTRA)
    if unknown:
        raise UsageError(f"extra_columns has {', '.join(sorted(unknown))}; there are {' and '.join(EXTRA)}")
    return frame_of(open_source(os.fspath(source)), os.fspath(source), pivot=pivot, extra_columns=extra_columns)


def frame_of(
    runs: Iterable[Run], source: str = "", *, pivot: bool = False, extra_columns: Collection[str] = ()
) -> pd.DataFrame:
    """Return the points of the runs as one frame; see scalars()."""
    import pandas as pd  # noqa: PLC0415 - an extra that only frames need

    columns: dict[str, list[Any]] = {"step": [], "tag": [], "value": [], "wall_time": [], "dir_name": []}
    here = os.path.basename(os.path.normpath(source)) if source else ""  # noqa: PTH119 - addresses are sources too
    for run in runs:
        for tag, one in run.series.items():
            columns["step"].append(one.steps)
            columns["value"].append(one.values)
            columns["wall_time"].append(one.wall_times)
            columns["tag"].append(np.full(one.points, tag, dtype=object))
            columns["dir_name"].append(np.full(one.points, "" if run.id == here else run.id, dtype=object))
    if not columns["step"]:
        return pd.DataFrame({name: [] for name in ("step", "tag", "value", *(c for c in EXTRA if c in extra_columns))})
    whole = pd.DataFrame({name: np.concatenate(parts) for name, parts in columns.items()})
    order = [*(["dir_name"] if "dir_name" in extra_columns else []), "tag", "step"]
    whole = whole.sort_values(order, kind="stable", ignore_index=True)
    kept = whole[["step", "tag", "value", *(c for c in EXTRA if c in extra_columns)]]
    return _wide(kept, extra_columns) if pivot else kept


def _wide(long: pd.DataFrame, extra_columns: Collection[str]) -> pd.DataFrame:
    keys = [*(["dir_name"] if "dir_name" in extra_columns else []), "step"]
    wide = long.groupby([*keys, "tag"], sort=True)["value"].agg(_one_or_list).unstack("tag")
    if "wall_time" in extra_columns:
        wide["wall_time"] = long.groupby(keys, sort=True)["wall_time"].agg(_one_or_list)
    wide = wide.reset_index()
    wide.columns.name = None
    wide = wide.infer_objects()
    last = [c for c in EXTRA if c in extra_columns]
    return wide[["step", *(c for c in wide.columns if c not in {"step", *last}), *last]]


def _one_or_list(values: pd.Series[Any]) -> Any:
    return values.iloc[0] if len(values) == 1 else values.tolist()
