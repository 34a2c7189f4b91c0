"""The soak finds no difference in some simulated days, and finds one where the memory is broken on purpose."""

import pytest

from analyzer.auditing import finding_history
from benchmarks.soak.auditor import Auditor


def _differences(place, seed, audits):
    auditor = Auditor(place, seed)
    return next((found for found in (auditor.night() for _ in range(audits)) if found), [])


def test_audits_of_simulated_days_report_what_was_planted(tmp_path):
    assert _differences(tmp_path, 11, 40) == []


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("NIGHTS_ABSENT", 1),  # a run still going resolves at once
        ("_checked", lambda symptom, result: False),  # nothing is ever resolved
        ("_same", lambda finding, one: False),  # what was there is new again
    ],
)
def test_a_broken_memory_is_noticed(tmp_path, monkeypatch, name, broken):
    monkeypatch.setattr(finding_history, name, broken)
    assert _differences(tmp_path, 29, 40)
