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


@pytest.mark.parametrize(
    ("run", "label"),
    [
        ("4f2a91cd0123456789abcdef01234567", "calm-fox (4f2a91cd)"),
        ("wandb/offline-run-20260101_120000-4f2a91cd", "calm-fox (4f2a91cd)"),
        ("offline-run-20260101_120000-x1y2z3", "calm-fox (x1y2z3)"),
        ("runs/calm-fox", "runs/calm-fox"),
    ],
)
def test_a_name_stands_beside_what_tells_runs_of_that_name_apart(run, label):
    assert summary.label_of(run, "calm-fox") == label
