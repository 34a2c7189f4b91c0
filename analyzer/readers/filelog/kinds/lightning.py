"""Lightning's CSVLogger: `metrics.csv`, its columns sorted or in the order of their appearance, with `hparams.yaml`.

A blank is a metric that was not logged in that row, `nan` one that was NaN. The file is written whole whenever a
metric appears that is new, and may be met half-written.
"""

from __future__ import annotations

import re

from analyzer.readers.filelog.kind import Candidate, TableKind

_VERSION = re.compile(r"version_\d+")


class LightningCsv(TableKind):
    """Rows of training and of validation apart, on the global step."""

    name = "lightning-csv"
    names = ("metrics.csv",)
    sides = ("hparams.yaml",)
    axes = ("step", "epoch")

    def is_one(self, candidate: Candidate) -> bool:
        """Whether the header has a step, and the rest of it, or what lies around it, is Lightning's."""
        header = candidate.header
        if "step" not in header or len(header) < 2:
            return False
        folder = candidate.folder.rpartition("/")[2]
        known = candidate.lies_beside("hparams.yaml") or _VERSION.fullmatch(folder) is not None
        in_order = header[0] != "step" and list(header) == sorted(header)
        return known or ("epoch" in header and (in_order or header[0] not in ("step", "epoch")))


KIND = LightningCsv()
