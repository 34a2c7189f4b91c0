"""One run × all detectors → one Result: isolation, false-alarm control, explanation, verdict."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analyzer import detectors
from analyzer.detectors import Detector
from analyzer.diagnosis.findings import explained, finding_of, one_each
from analyzer.diagnosis.log_status import findings_of_the_log, is_ongoing, status_of
from analyzer.diagnosis.open_criteria import settled
from analyzer.features import Curve, RunFeatures
from analyzer.features.further_checks import further_checks
from analyzer.features.knobs import knob_at
from analyzer.features.single_values.table import pairs
from analyzer.histories.outcome import outcome
from analyzer.model.digest import digest
from analyzer.model.evidence import Evidence, Found, Unfit, judge
from analyzer.model.result import Checked, Event, Finding, JudgedMeasure, NotChecked, Result, SeriesRow
from analyzer.model.run import Run
from analyzer.model.thinning import thin
from analyzer.settings import Settings
from analyzer.stats.multiplicity import holm

CURVE_POINTS = 2000  # kept of each series for pictures
MOST_TAGS, TAG_LENGTH = 50, 200  # tags kept of each run, and characters of each
OWN_TAGS = ("mlflow.", "posthoc.")  # what these begin with are MLflow's and posthoc's own tags
TRACKED = frozenset({"mlflow.source.git.commit", "mlflow.source.git.branch", "mlflow.datasets"})
"""MLflow's own tags that say which code and which data a run had."""


def judge_run(run: Run, settings: Settings | None = None, now: float | None = None) -> Result:
    """Return everything that is said of one run.

    Each detector is isolated: one that raises becomes the finding *detector-failed* and the others go on. The
    p-values of all readings of the run are corrected together (Holm), so that the chance of any false alarm
    in it stays at `settings.alpha` however many series it has; nothing is corrected across runs.
    """
    settings = settings or Settings()
    now = time.time() if now is None else now
    features = RunFeatures(run, settings.roles, ongoing=is_ongoing(run, now, settings.stale_after))
    status, reason = status_of(run, now, settings.stale_after)
    chosen = _selected(settings)
    readings, findings, not_checked = _measured(run, features, chosen)
    found, checked = _judged(run, readings, settings)
    findings = explained([*findings_of_the_log(run), *findings, *found], chosen)
    health, findings = settled(features.health, findings)
    main = features.main
    rows = tuple(_row(features, curve) for curve in features.curves.values())
    times = [c.points.wall_times for c in features.curves.values()]
    return Result(
        run=run.id,
        name=run.name,
        source=run.source,
        location=run.location,
        status=status,
        reason=reason,
        series=rows,
        findings=tuple(findings),
        checked=tuple(checked),
        not_checked=tuple(not_checked),
        notes=(*run.notes, *features.notes),
        events=_events(features, findings),
        params=tuple(run.params.items()),
        family=features.family,
        main_tag=main.tag if main else None,
        health=health,
        partial=settings.select is not None or bool(settings.ignore),
        further_checks=further_checks(features),
        started=min((float(np.nanmin(t)) for t in times if np.isfinite(t).any()), default=None),
        ended=run.last_event,
        experiment=run.experiment,
        pairs=() if features.single is None else pairs(features.single),
        peak_rate=float(features.rate.raw.max()) if features.rate is not None and features.rate.n else None,
        tags=_tags(run),
    )


def _events(features: RunFeatures, findings: Iterable[Finding]) -> tuple[Event, ...]:
    """Return the events of the run, with the settings that were moved where they explain a finding."""
    moved = {f.explained_by for f in findings if f.explained_by and f.explained_by.startswith("event:knob@")}
    steps = (int(name.partition("@")[2]) for name in moved)
    knobs = (knob.as_event for at in steps if (knob := knob_at(features, at)) is not None)
    return tuple(sorted((*features.events, *knobs), key=lambda event: event.step))


def _tags(run: Run) -> tuple[tuple[str, str], ...]:
    """Return what the tracker knows of a run and may differ each night: its code, its data, the user's tags."""
    kept = [(name, value) for name, value in run.tags.items() if name in TRACKED or not name.startswith(OWN_TAGS)]
    return tuple((name, value[:TAG_LENGTH]) for name, value in kept[:MOST_TAGS])


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
    run: Run, features: RunFeatures, chosen: Iterable[Detector]
) -> tuple[list[_Read], list[Finding], list[NotChecked]]:
    readings: list[_Read] = []
    crashed: list[Finding] = []
    not_checked: list[NotChecked] = []
    for detector in chosen:
        try:
            with np.errstate(all="ignore"):
                all_readings = list(detector.measure(features))
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
    summary = f"the detector of {detector.symptom} failed ({text}); this run was not checked for it"
    advice = ("Please report this with the log; the other detectors went on.",)
    return finding_of(run, "detector-failed", Evidence((detector.symptom,), (), "error", summary, advice=advice))


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
            findings.append(
                finding_of(run, detector.symptom, evidence, measures, outcome.p_value, describe=detector.describe)
            )
        else:
            chance = p_values.get(id(reading))
            if chance is not None:
                measures = (*measures, JudgedMeasure("chance of it without the symptom", chance, settings.alpha, ""))
            clear.append(Checked(detector.symptom, evidence.tags, measures, evidence.vetoes))
    sick = {f.symptom for f in findings}
    return one_each(findings), [c for c in clear if c.symptom not in sick]


def _row(features: RunFeatures, curve: Curve) -> SeriesRow:
    role, series = curve.role, features.shown(curve)
    run_series = features.run.series[curve.tag]
    values, steps = curve.raw, curve.at
    best = None
    if values.size and role.direction:
        best = int(np.argmin(values) if role.direction == "lower" else np.argmax(values))
    return SeriesRow(
        tag=curve.tag,
        points=run_series.points,
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
        level=outcome(run_series.steps, run_series.values) if role.role in ("loss", "metric") else None,
        digest=digest(run_series.values) if role.role in ("loss", "metric") else "",
    )
