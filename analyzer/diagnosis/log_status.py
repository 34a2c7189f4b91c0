"""The state of the log itself: whole, still growing, damaged, unreadable."""

from __future__ import annotations

from analyzer.diagnosis.findings import finding_of
from analyzer.model.evidence import Evidence
from analyzer.model.result import Finding, Status
from analyzer.model.run import LOSSES, Note, Run


def status_of(run: Run, now: float, stale_after: float) -> tuple[Status, str]:
    """Return the status of a run's log and the reason in words ("" for ok)."""
    points = sum(s.points for s in run.series.values())
    lost = next((n for n in run.notes if n.kind in LOSSES), None)
    if not points and lost is not None:
        return "failed", _inside(run, lost)
    if not points and lost is None:
        return "skipped", "no metrics were logged (no scalar series)"
    if lost is not None:
        return "partial", _inside(run, lost)
    open_end = _open_end(run)
    if open_end is None:
        return "ok", ""
    if is_ongoing(run, now, stale_after):
        return "in-progress", open_end
    return "partial", f"{open_end}, and nothing has been added for a long time"


def is_ongoing(run: Run, now: float, stale_after: float) -> bool:
    """Return whether the run is still being written: its end is open, and its last point is young."""
    last = run.last_event
    # a clock that runs ahead of ours by more than a day tells nothing
    return _open_end(run) is not None and last is not None and -86_400 < now - last < stale_after


def _open_end(run: Run) -> str | None:
    """Return what says that more may come: a torn tail or the tracker's word; None where nothing does."""
    torn = next((n for n in run.notes if n.kind == "torn-tail"), None)
    if torn is not None:
        return torn.message
    return "the tracker says that it is running" if run.declared == "RUNNING" else None


def findings_of_the_log(run: Run) -> list[Finding]:
    """Return the findings about the log itself: unreadable, or damaged in part."""
    damage = [n for n in run.notes if n.kind in LOSSES]
    if not damage:
        return []
    points = sum(s.points for s in run.series.values())
    more = f" (and {len(damage) - 1} more places)" if len(damage) > 1 else ""
    again = "Copy the log again from where it was written"
    if not points:
        summary, advice = (
            f"nothing could be read: {_inside(run, damage[0])}{more}",
            f"{again}, or check who may read it.",
        )
        return [finding_of(run, "unreadable-log", Evidence((), (), "error", summary, advice=(advice,)))]
    summary, advice = (
        f"part of the log could not be read: {_inside(run, damage[0])}{more}",
        f"{again}; what is intact is judged.",
    )
    return [finding_of(run, "damaged-log", Evidence((), (), "warning", summary, advice=(advice,)))]


def _inside(run: Run, note: Note) -> str:
    """Return a note as it reads beside the run's name: what lies in the run's own folder without that folder."""
    return note.message.removeprefix(f"{run.id}/")
