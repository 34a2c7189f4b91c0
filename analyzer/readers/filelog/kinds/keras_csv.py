"""Keras' CSVLogger: free separator, `NA` where nothing was measured, arrays as text; appending restarts the epoch."""

from __future__ import annotations

from analyzer.readers.filelog import labels
from analyzer.readers.filelog.kind import LOOSE, Candidate, TableKind
from analyzer.readers.filelog.rows import AXES

_FINER = frozenset(AXES) - {"epoch", "epochs"}
"""Columns that count within epochs, which Keras does not write."""


class KerasCsv(TableKind):
    """Tables that begin with the epoch, under the names that are usual for them or with Keras' own columns."""

    name = "keras-csv"
    names = ("*.csv", "*.log", "*.tsv")
    axes = ("epoch",)
    rank = LOOSE
    own_folder = False

    def is_one(self, candidate: Candidate) -> bool:
        """Whether it has Keras' pairs of columns, or begins with the epoch under a usual name."""
        header = candidate.header
        if len(header) < 2 or not candidate.table.size or _FINER & {name.lower() for name in header}:
            return False
        if candidate.table.labels or labels.may_hold_runs(candidate.table):
            return False  # Keras writes numbers, of one training
        usual = header[0] == "epoch" and candidate.name.lower().startswith(("training", "train_log", "history", "log."))
        paired = "loss" in header and any(f"val_{name}" in header for name in header)
        return usual or paired


KIND = KerasCsv()
