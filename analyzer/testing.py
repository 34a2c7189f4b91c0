"""For the tests of detectors: curves by formula, runs made of them, and the check that a detector keeps its word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Found, Unfit, judge

__all__ = ["check_detector", "falling", "made_run", "noise"]

EXPECTED = ("fires", "quiet", "almost")
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def check_detector(detector: Detector) -> None:
    """Raise AssertionError that names every promise which a detector breaks; return None when it keeps them all.

    The promises: an id in kebab-case, a page with all sections, limits with a meaning, cases of every kind (fires,
    quiet, almost), each of which comes out as it says with the default limits, numbers for a quiet run, the same
    readings for the same run, and a sentence for every sign. The detector need not be installed.
    """
    broken = [*_form(detector), *(text for case in detector.cases for text in _case(detector, case))]
    if broken:
        raise AssertionError(f"{detector.symptom}: " + "; ".join(broken))


def _form(detector: Detector) -> Iterator[str]:
    if not KEBAB.fullmatch(detector.symptom):
        yield "its id is not in kebab-case"
    try:
        limits = detector.guide.limits
    except (KeyError, ValueError) as error:
        yield f"its page or its limits are incomplete ({error})"
    else:
        yield from (f"limit {one.key} has no meaning" for one in limits if not one.meaning)
    kinds = {case.expect for case in detector.cases}
    yield from (f"no case of kind {kind!r}" for kind in EXPECTED if kind not in kinds)


def _case(detector: Detector, case: Case) -> Iterator[str]:
    readings = list(detector.measure(RunFeatures(case.make())))
    if repr(readings) != repr(list(detector.measure(RunFeatures(case.make())))):
        yield f"case {case.name!r} is measured differently the second time"
    evidence = [one for one in readings if isinstance(one, Evidence)]
    unknown = {m.limit for one in evidence for m in one.measures if m.limit} - set(detector.default_limits)
    if unknown:
        yield f"case {case.name!r} compares with unknown limits: {', '.join(sorted(unknown))}"
        return
    found = [one for one in evidence if _fires(detector, one) and one.explained_by is None]
    alarms = [one for one in found if one.severity != "info"]
    reasons = ", ".join(one.reason for one in readings if isinstance(one, Unfit))
    if case.expect == "fires" and not found:
        yield f"case {case.name!r} must fire and does not" + (f" ({reasons})" if reasons else "")
    if case.expect != "fires" and alarms:
        yield f"case {case.name!r} must raise no alarm and does"
    if case.expect == "quiet" and not any(one.measures for one in evidence):
        yield f"case {case.name!r} has no numbers that show it quiet" + (f" ({reasons})" if reasons else "")
    yield from (f"case {case.name!r} {text}" for one in found for text in _words(detector, one))


def _fires(detector: Detector, evidence: Evidence) -> bool:
    return isinstance(judge(evidence, detector.default_limits, p_value=evidence.p_value), Found)


def _words(detector: Detector, evidence: Evidence) -> Iterator[str]:
    words = detector.describe(evidence) if detector.describe else None
    if not (words.summary if words else evidence.summary):
        yield "has no summary"
    if words and len(words.signs) != len(evidence.signs):
        yield f"has {len(words.signs)} sentences for {len(evidence.signs)} signs"
