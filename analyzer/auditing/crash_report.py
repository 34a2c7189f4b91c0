"""What is said of a run that made the tool itself fail: the fault costs this run, and is told as one."""

from __future__ import annotations

from analyzer.diagnosis.findings import finding_of
from analyzer.model.evidence import Evidence
from analyzer.model.redaction import mask_text
from analyzer.model.result import Result
from analyzer.model.run import Run

ADVICE = "Please report this with the log; the other runs were judged."


def told(error: BaseException) -> str:
    """Return an exception as one line of at most 300 characters, secrets masked."""
    return mask_text(f"{type(error).__name__}: {error}".splitlines()[0])[:300]


def failed_judgement(run: Run, error: Exception) -> Result:
    """Return the result of a run whose judgement raised: failed, with the finding *detector-failed* that says why."""
    return lost(run, f"judging this run failed ({told(error)})")


def lost(run: Run, reason: str) -> Result:
    """Return the result of a run of which nothing can be said for a reason that is not in its log."""
    summary = f"{reason}; it was not checked for anything"
    finding = finding_of(run, "detector-failed", Evidence((), (), "error", summary, advice=(ADVICE,)))
    return Result(
        run=run.id,
        name=run.name,
        source=run.source,
        location=run.location,
        status="failed",
        reason=reason,
        findings=(finding,),
        notes=run.notes,
    )
