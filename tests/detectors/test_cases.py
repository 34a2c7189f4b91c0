"""Every detector keeps the promise of its own cases and has a complete page."""

import pytest

from analyzer import detectors
from analyzer.diagnosis import judge_run
from analyzer.features import RunFeatures
from analyzer.model.evidence import Evidence
from analyzer.model.guide import SECTIONS
from analyzer.settings import Settings

ALL = detectors.known()
CASES = [pytest.param(d, c, id=f"{name}: {c.name}") for name, d in ALL.items() for c in d.cases]


@pytest.mark.parametrize(("detector", "case"), CASES)
def test_a_case_fires_or_stays_quiet_as_it_says(detector, case):
    result = judge_run(case.make(), Settings(select=frozenset({detector.symptom})), now=2e9)
    alarms = [f for f in result.findings if f.counts and f.severity != "info"]
    found = [f for f in result.findings if f.symptom == detector.symptom and f.counts]
    if case.expect == "fires":
        assert found, result.sentence
    else:
        assert not alarms, [f.summary for f in alarms]


@pytest.mark.parametrize(("detector", "case"), CASES)
def test_what_must_fire_is_the_first_finding_of_the_whole_diagnosis(detector, case):
    run = case.make()
    result = judge_run(run, now=2e9)
    if case.expect == "fires":
        assert result.findings, result.sentence
        assert result.findings[0].symptom == detector.symptom, [f.summary for f in result.findings]
    if case.expect == "quiet":
        assert result.verdict == "healthy", result.sentence


@pytest.mark.parametrize("detector", ALL.values(), ids=list(ALL))
def test_each_detector_has_all_sections_and_all_kinds_of_cases(detector):
    guide = detector.guide
    assert all(getattr(guide, name.lower().replace(" ", "_")) for name in SECTIONS)
    assert {c.expect for c in detector.cases} == {"fires", "quiet", "almost"}
    assert all(limit.meaning for limit in guide.limits)


@pytest.mark.parametrize("detector", ALL.values(), ids=list(ALL))
def test_a_clear_run_keeps_its_numbers(detector):
    quiet = next(c for c in detector.cases if c.expect == "quiet")
    readings = list(detector.measure(RunFeatures(quiet.make())))
    assert any(isinstance(r, Evidence) and r.measures for r in readings)


def test_two_detectors_may_not_share_a_name():
    found = dict(ALL)
    with pytest.raises(ValueError, match="two detectors"):
        detectors._add(found, ALL["plateau"], "plateau")
