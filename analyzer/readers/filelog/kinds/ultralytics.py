"""Ultralytics' `results.csv`: a row per epoch, names padded with blanks in older versions; a resumed run goes on."""

from __future__ import annotations

from analyzer.readers.filelog.kind import Candidate, TableKind


class Ultralytics(TableKind):
    """YOLO's results, with the arguments of the training."""

    name = "ultralytics"
    names = ("results.csv", "results.txt.csv")
    sides = ("args.yaml", "opt.yaml", "hyp.yaml")
    axes = ("epoch",)

    def is_one(self, candidate: Candidate) -> bool:
        """Whether the header counts epochs and has the sections of Ultralytics."""
        header = candidate.header
        return "epoch" in header and any(name.startswith(("train/", "metrics/", "val/")) for name in header)


KIND = Ultralytics()
