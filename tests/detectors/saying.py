"""What the whole diagnosis says of a made run: the findings by symptom."""

from collections.abc import Mapping

from analyzer.diagnosis import judge_run
from analyzer.model.case import made_run
from analyzer.model.result import Finding


def findings(curves: Mapping[str, object], **params: object) -> dict[str, Finding]:
    """Return the findings of a run made from values by tag, by symptom."""
    return {f.symptom: f for f in judge_run(made_run(curves, **params), now=2e9).findings}


def alarms(curves: Mapping[str, object], **params: object) -> set[str]:
    """Return the symptoms that count and are a warning or worse."""
    return {s for s, f in findings(curves, **params).items() if f.counts and f.severity != "info"}
