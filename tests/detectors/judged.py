"""What one detector alone says of made curves."""

from analyzer.diagnosis import judge_run
from analyzer.model.case import made_run
from analyzer.model.result import Finding
from analyzer.settings import Settings


def found(symptom: str, curves, **params) -> Finding | None:
    """Return the symptom's finding on the run, None where it has none; only this detector looks."""
    result = judge_run(made_run(curves, **params), Settings(select=frozenset({symptom})), now=2e9)
    return next((f for f in result.findings if f.symptom == symptom), None)


def alarmed(symptom: str, curves, **params) -> bool:
    """Whether it raises an alarm: a finding of warning or worse that counts."""
    finding = found(symptom, curves, **params)
    return finding is not None and finding.counts and finding.severity != "info"
