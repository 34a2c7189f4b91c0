"""One run, all detectors, one verdict: isolation, false-alarm control, who explains whom, the sentence that says it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analyzer import detectors
from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.health import further_checks, reasons
from analyzer.detectors import Detector
from analyzer.model.result import (
    Checked,
    Finding,
    JudgedMeasure,
    NotChecked,
    Result,
    SeriesRow,
    Status,
    Verdict,
    fingerprint,
)
from analyzer.model.run import LOSSES, Run
from analyzer.model.thinning import thin
from analyzer.model.verdict import SEVERITIES, Evidence, Found, Unfit, judge
from analyzer.settings import Settings
from analyzer.stats.multiplicity import holm

CURVE_POINTS = 2000  # kept of each series for pictures


def judge_run(run: Run, settings: Settings | None = None, now: float | None = None) -> Result:
    """Return everything that is said of one run.

    Each detector is isolated: one that raises becomes the finding *detector-failed* and the others go on. The
    p-values of all readings of the run are corrected together (Holm), so that the chance of any false alarm
    in it stays at `settings.alpha` however many series it has; nothing is corrected across runs.
    """
    settings = settings or Settings()
    anatomy = Anatomy(run, settings.roles)
    status, reason = status_of(run, time.time() if now is None else now, settings.stale_after)
    chosen = _selected(settings)
    readings, findings, not_checked = _measured(run, anatomy, chosen)
    found, checked = _judged(run, readings, settings)
    findings = _explained([*_of_the_log(run), *findings, *found], chosen)
    main = anatomy.main
    verdict = _verdict(status, findings, checked, anatomy)
    rows = tuple(_row(anatomy, curve) for curve in anatomy.curves.values())
    times = [c.points.wall_times for c in anatomy.curves.values()]
    return Result(
        run=run.id,
        name=run.name,
        source=run.source,
        location=run.location,
        status=status,
        reason=reason,
        verdict=verdict,
        sentence=_sentence(verdict, status, reason, findings, not_checked),
        series=rows,
        findings=tuple(findings),
        checked=tuple(checked),
        not_checked=tuple(not_checked),
        notes=run.notes,
        events=anatomy.events,
        params=tuple(run.params.items()),
        family=anatomy.family,
        main_tag=main.tag if main else None,
        reasons=reasons(anatomy) if verdict == "healthy" else (),
        further_checks=further_checks(anatomy) if verdict == "healthy" else (),
        started=min((float(np.nanmin(t)) for t in times if np.isfinite(t).any()), default=None),
        ended=run.last_event,
    )


def status_of(run: Run, now: float, stale_after: float) -> tuple[Status, str]:
    """Return the status of a run's log and the reason in words ("" for ok)."""
    points = sum(s.points for s in run.series.values())
    if not points and any(n.kind == "unreadable" for n in run.notes):
        return "failed", next(n.message for n in run.notes if n.kind == "unreadable")
    lost = next((n for n in run.notes if n.kind in LOSSES), None)
    if not points and lost is None:
        return "skipped", "no scalar series"
    last = run.last_event
    fresh = last is not None and now - last < stale_after
    torn = next((n for n in run.notes if n.kind == "torn-tail"), None)
    if lost is not None:
        return "partial", lost.message
    if torn is not None or run.declared == "RUNNING":
        why = torn.message if torn is not None else "the tracker says that it is running"
        return ("in-progress", why) if fresh else ("partial", f"{why}, and nothing has been added for a long time")
    return "ok", ""


def _selected(settings: Settings) -> list[Detector]:
    return [
        d
        for name, d in sorted(detectors.known().items())
        if (settings.select is None or name in settings.select) and name not in settings.ignore
    ]


@dataclass(frozen=True)
class _Read:
    detector: Detector
    evidence: Evidence


def _measured(
    run: Run, anatomy: Anatomy, chosen: Iterable[Detector]
) -> tuple[list[_Read], list[Finding], list[NotChecked]]:
    readings: list[_Read] = []
    crashed: list[Finding] = []
    not_checked: list[NotChecked] = []
    for detector in chosen:
        try:
            with np.errstate(all="ignore"):
                all_readings = list(detector.measure(anatomy))
        except Exception as error:
            crashed.append(_crash(run, detector, error))
            not_checked.append(NotChecked(detector.symptom, "its detector failed"))
            continue
        fit = [r for r in all_readings if isinstance(r, Evidence)]
        readings += [_Read(detector, r) for r in fit]
        if not fit:
            reasons_ = [r.reason for r in all_readings if isinstance(r, Unfit)]
            not_checked.append(NotChecked(detector.symptom, reasons_[0] if reasons_ else "nothing to look at"))
    return readings, crashed, not_checked


def _crash(run: Run, detector: Detector, error: Exception) -> Finding:
    text = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return _plain_finding(
        run,
        "detector-failed",
        "error",
        f"the detector of {detector.symptom} failed ({text}); this run was not checked for it",
        ("Please report this with the log; the other detectors went on.",),
        tags=(detector.symptom,),
    )


def _judged(run: Run, readings: list[_Read], settings: Settings) -> tuple[list[Finding], list[Checked]]:
    tested = [r for r in readings if r.evidence.p_value is not None]
    corrected = holm([r.evidence.p_value or 0.0 for r in tested])
    p_values = {id(r): p for r, p in zip(tested, corrected, strict=True)}
    findings: list[Finding] = []
    clear: list[Checked] = []
    for reading in readings:
        detector, evidence = reading.detector, reading.evidence
        limits = {**detector.default_limits, **settings.limits.get(detector.symptom, {})}
        measures = tuple(
            JudgedMeasure(m.name, m.value, limits[m.limit] if m.limit else None, m.unit) for m in evidence.measures
        )
        outcome = judge(evidence, limits, p_value=p_values.get(id(reading)), alpha=settings.alpha)
        if isinstance(outcome, Found):
            findings.append(_finding(run, detector.symptom, evidence, measures, outcome.p_value))
        else:
            clear.append(Checked(detector.symptom, evidence.tags, measures))
    sick = {f.symptom for f in findings}
    return _one_each(findings), [c for c in clear if c.symptom not in sick]


def _one_each(findings: list[Finding]) -> list[Finding]:
    """One finding per symptom: the gravest (then the first measured) leads and names the tags of the others."""
    kept: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda f: (f.explained_by is not None, SEVERITIES.index(f.severity))):
        leader = kept.setdefault(finding.symptom, finding)
        if leader is not finding:
            others = (*leader.also, *finding.tags, *finding.also)
            also = tuple(t for t in dict.fromkeys(others) if t not in leader.tags)
            kept[finding.symptom] = replace(leader, also=also)
    return list(kept.values())


def _finding(
    run: Run, symptom: str, evidence: Evidence, measures: tuple[JudgedMeasure, ...], p_value: float | None
) -> Finding:
    return Finding(
        symptom=symptom,
        severity=evidence.severity,
        tags=evidence.tags,
        first_step=evidence.first_step,
        last_step=evidence.last_step,
        summary=evidence.summary,
        cause=evidence.cause,
        speaks_for=evidence.speaks_for,
        advice=evidence.advice,
        measures=measures,
        p_value=p_value,
        explained_by=evidence.explained_by,
        fingerprint=fingerprint(symptom, run.id, evidence.tags),
        marks=evidence.marks,
        also=evidence.also,
    )


def _plain_finding(
    run: Run, symptom: str, severity: str, summary: str, advice: tuple[str, ...], *, tags: tuple[str, ...] = ()
) -> Finding:
    evidence = Evidence(tags, (), severity, summary, advice=advice)  # type: ignore[arg-type]  # callers give literals
    return _finding(run, symptom, evidence, (), None)


def _of_the_log(run: Run) -> list[Finding]:
    """Findings about the log itself: unreadable, or damaged in part."""
    damage = [n for n in run.notes if n.kind in LOSSES]
    if not damage:
        return []
    points = sum(s.points for s in run.series.values())
    more = f" (and {len(damage) - 1} more places)" if len(damage) > 1 else ""
    if not points and any(n.kind == "unreadable" for n in damage):
        return [
            _plain_finding(
                run,
                "unreadable-log",
                "error",
                f"nothing could be read: {damage[0].message}{more}",
                ("Copy the log again from where it was written, or check who may read it.",),
            )
        ]
    return [
        _plain_finding(
            run,
            "damaged-log",
            "warning",
            f"part of the log could not be read: {damage[0].message}{more}",
            ("Copy the log again from where it was written; what is intact has been judged.",),
        )
    ]


def _explained(findings: list[Finding], chosen: Iterable[Detector]) -> list[Finding]:
    """Let what came first and is graver explain what follows from it, and order the findings."""
    explains = {d.symptom: d.explains for d in chosen}
    free = [f for f in findings if f.explained_by is None]
    settled = []
    for finding in findings:
        leader = next((f for f in free if f is not finding and _leads(f, finding, explains)), None)
        if finding.explained_by is None and leader is not None:
            finding = replace(finding, explained_by=leader.fingerprint)  # noqa: PLW2901 - the same finding, settled
        settled.append(finding)
    return sorted(settled, key=_rank)


def _leads(leader: Finding, follower: Finding, explains: Mapping[str, tuple[str, ...]]) -> bool:
    if follower.symptom not in explains.get(leader.symptom, ()):
        return False
    if leader.first_step is None or follower.last_step is None:
        return True
    return leader.first_step <= follower.last_step


def _rank(finding: Finding) -> tuple[bool, int, float, str]:
    first = finding.first_step if finding.first_step is not None else -1
    return (finding.explained_by is not None, SEVERITIES.index(finding.severity), first, finding.symptom)


def _verdict(status: Status, findings: list[Finding], checked: list[Checked], anatomy: Anatomy) -> Verdict:
    if any(f.counts and f.severity in ("error", "warning") for f in findings):
        return "problems"
    losses = {t for c in (*anatomy.training, *anatomy.validation) for t in c.tags}
    # NaN alone says little of a curve of three points: another detector must have come back clear as well
    clear = {c.symptom for c in checked if losses & set(c.tags)} - {"non-finite"}
    return "healthy" if clear and status != "failed" else "unjudged"


def _sentence(
    verdict: Verdict, status: Status, reason: str, findings: list[Finding], not_checked: list[NotChecked]
) -> str:
    alarms = [f for f in findings if f.counts and f.severity in ("error", "warning")]
    if verdict == "problems":
        rest = len(alarms) - 1
        more = f" Also: {', '.join(dict.fromkeys(f.symptom for f in alarms[1:]))}." if rest else ""
        return f"{alarms[0].summary}.{more}"
    if verdict == "healthy":
        left = len(not_checked)
        return "This run looks healthy: every check of its losses came back clear." + (
            f" {left} check{'s' * (left > 1)} could not be made." if left else ""
        )
    if status == "skipped":
        return "Nothing to judge: the log holds no scalar series."
    if status == "failed":
        return f"Nothing could be judged: {reason}."
    reasons_ = [n.reason for n in not_checked]
    why = max(reasons_, key=reasons_.count) if reasons_ else "no check applies"
    return f"This run could not be judged: {why}."


def _row(anatomy: Anatomy, curve: Curve) -> SeriesRow:
    role, series = curve.role, anatomy.run.series[curve.tag]
    values, steps = curve.raw, curve.at
    best = None
    if values.size and role.direction:
        best = int(np.argmin(values) if role.direction == "lower" else np.argmax(values))
    return SeriesRow(
        tag=curve.tag,
        points=series.points,
        role=role.role,
        split=role.split,
        direction=role.direction,
        why=role.why,
        first_step=int(curve.steps[0]),
        last_step=int(curve.steps[-1]),
        last=float(curve.values[-1]),
        best=float(values[best]) if best is not None else None,
        best_step=int(steps[best]) if best is not None else None,
        curve=thin(series, CURVE_POINTS),
    )
