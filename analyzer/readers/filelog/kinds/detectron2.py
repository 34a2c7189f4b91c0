"""Detectron2's `metrics.json`: JSON lines with `iteration`; rows of an evaluation have few keys."""

from __future__ import annotations

from analyzer.readers.filelog.kind import Candidate, LineKind


class Detectron2(LineKind):
    """The JSON writer of Detectron2's trainers."""

    name = "detectron2"
    names = ("metrics.json",)
    axes = ("iteration",)

    def is_one(self, candidate: Candidate) -> bool:
        """Whether the first object counts iterations, and neither steps nor epochs."""
        rows = candidate.objects
        return bool(rows) and "iteration" in rows[0] and not {"step", "epoch"} & set(rows[0])


KIND = Detectron2()
