"""The short of a result: first things first, explanations under what explains them."""

import io
from dataclasses import replace

import pytest

from analyzer.model.result import Night, NotChecked, Vanished
from analyzer.writers import summary
from analyzer.writers.index import index_pages
from analyzer.writers.index_row import entry
from analyzer.writers.markdown import write_markdown
from analyzer.writers.terminal import night_summary
from tests import made
from tests.writers.markup import check_page


def test_first_things_come_worst_first_and_once_each():
    steps = summary.first_things(made.overfitted())
    assert [step.finding.symptom for step in steps] == ["overfitting", "loss-spike", "overfitting"]
    assert summary.first_things(made.healthy()) == ()


def test_explained_findings_are_under_their_root_even_through_others():
    result = made.overfitted()
    over, spike, *_ = result.findings
    far = replace(spike, fingerprint="f" * 16, explained_by=result.findings[2].fingerprint)
    kinds = summary.tree(replace(result, findings=(*result.findings, far)))
    assert [f.fingerprint for f in kinds.under[over.fingerprint]] == [result.findings[2].fingerprint, "f" * 16]
    assert kinds.ordinary[0][1].kind == "lr-drop"


def test_a_circle_of_explanations_ends():
    over, spike, *_ = made.overfitted().findings
    one, two = replace(over, explained_by=spike.fingerprint), replace(spike, explained_by=over.fingerprint)
    kinds = summary.tree(replace(made.overfitted(), findings=(one, two)))
    assert len(kinds.ordinary) == 2


@pytest.mark.parametrize(("gate", "reached"), [("error", True), ("warning", True), ("info", True), ("never", False)])
def test_the_gate_counts_from_its_severity_on(gate, reached):
    assert summary.reaches(made.overfitted(), gate) is reached
    assert not summary.reaches(made.healthy(), gate)


def test_explained_and_suppressed_findings_do_not_reach_the_gate():
    result = made.overfitted()
    calm = tuple(replace(f, suppressed={"reason": "x"}) for f in result.findings)
    assert not summary.reaches(replace(result, findings=calm), "info")
    assert not summary.reaches(replace(result, findings=result.findings[2:]), "info")


def test_a_reason_is_told_once_with_all_checks_that_it_stops():
    why = ("no validation loss", "too short", "no validation loss")
    missing = tuple(NotChecked(symptom, reason) for symptom, reason in zip("abc", why, strict=True))
    result = replace(made.healthy(), not_checked=missing)
    assert summary.unchecked(result) == (("no validation loss", ("a", "c")), ("too short", ("b",)))


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ((), ""),
        ((Vanished("a", 0),), "1 run of last time is not there any more: a."),
        ((Vanished("0123456789", 0, "best"),), "1 run of last time is not there any more: best (01234567)."),
        (
            (Vanished("a", 0), Vanished("b", 1)),
            "2 runs of last time are not there any more: a, b; their 1 finding was left unresolved.",
        ),
        (
            tuple(Vanished(name, 2) for name in "abcde"),
            "5 runs of last time are not there any more: a, b, c and 2 more runs; "
            "their 10 findings were left unresolved.",
        ),
    ],
)
def test_what_vanished_is_said_with_what_it_leaves_open(gone, sentence):
    assert summary.vanished(gone) == sentence


def test_what_vanished_is_on_the_index_in_the_digest_and_on_the_terminal():
    gone = (Vanished("<b>a</b>", 3),)
    night = Night("1", ("logs",), (made.healthy(),), vanished=gone)
    digest = io.StringIO()
    write_markdown(night, digest)
    index = check_page(
        dict(index_pages([entry(made.healthy())], ["logs"], version="1", vanished=gone))["index.html"]
    ).words
    for told in (index, digest.getvalue().replace("\\", ""), night_summary(night, "")):
        assert "1 run of last time is not there any more: <b>a</b>; its 3 findings were left unresolved." in told
