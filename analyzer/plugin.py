"""Everything that the author of a detector needs: what it reads, what it yields, and the cases that it carries.

A detector is a module with a docstring (the page of the symptom), a frozen dataclass `Limits`, a function `measure`
and `DETECTOR`. A detector of another package joins through the entry-point group `posthoc.detectors`, under the id of
its symptom. `analyzer.testing.check_detector` says whether it keeps the promises of its cases.
"""

from __future__ import annotations

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.model.case import Case, made_run
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Severity, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number, percent, step
from analyzer.model.run import Run, Series

Anatomy = RunFeatures
"""The old name of RunFeatures, kept for one release."""

__all__ = [
    "GRAVE",
    "Case",
    "Curve",
    "Detector",
    "Evidence",
    "Mark",
    "Measure",
    "Reading",
    "Run",
    "RunFeatures",
    "Series",
    "Severity",
    "Sign",
    "Unfit",
    "Veto",
    "Words",
    "made_run",
    "number",
    "percent",
    "step",
]
