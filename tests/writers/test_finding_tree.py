"""The worst comes first, and explanations stand under what they explain."""

from dataclasses import replace

from analyzer.model.result import NotChecked
from analyzer.writers import finding_tree
from tests import made


def test_first_things_come_worst_first_and_once_each():
    steps = finding_tree.first_things(made.overfitted())
    assert [step.finding.symptom for step in steps] == ["overfitting", "loss-spike", "overfitting"]
    assert finding_tree.first_things(made.healthy()) == ()


def test_explained_findings_are_under_their_root_even_through_others():
    result = made.overfitted()
    over, spike, *_ = result.findings
    far = replace(spike, fingerprint="f" * 16, explained_by=result.findings[2].fingerprint)
    kinds = finding_tree.tree(replace(result, findings=(*result.findings, far)))
    assert [f.fingerprint for f in kinds.under[over.fingerprint]] == [result.findings[2].fingerprint, "f" * 16]
    assert kinds.ordinary[0][1].kind == "lr-drop"


def test_a_circle_of_explanations_ends():
    over, spike, *_ = made.overfitted().findings
    one, two = replace(over, explained_by=spike.fingerprint), replace(spike, explained_by=over.fingerprint)
    kinds = finding_tree.tree(replace(made.overfitted(), findings=(one, two)))
    assert len(kinds.ordinary) == 2


def test_a_reason_is_told_once_with_all_checks_that_it_stops():
    why = ("no validation loss", "too short", "no validation loss")
    missing = tuple(NotChecked(symptom, reason) for symptom, reason in zip("abc", why, strict=True))
    result = replace(made.healthy(), not_checked=missing)
    assert finding_tree.unchecked(result) == (("no validation loss", ("a", "c")), ("too short", ("b",)))
