"""A verdict, and which findings reach the gate."""

from dataclasses import replace

import pytest

from analyzer.model import summary
from tests import made


@pytest.mark.parametrize(("gate", "reached"), [("error", True), ("warning", True), ("info", True), ("never", False)])
def test_the_gate_counts_from_its_severity_on(gate, reached):
    assert summary.reaches(made.overfitted(), gate) is reached
    assert not summary.reaches(made.healthy(), gate)


def test_explained_and_suppressed_findings_do_not_reach_the_gate():
    result = made.overfitted()
    calm = tuple(replace(f, suppressed={"reason": "x"}) for f in result.findings)
    assert not summary.reaches(replace(result, findings=calm), "info")
    assert not summary.reaches(replace(result, findings=result.findings[2:]), "info")
