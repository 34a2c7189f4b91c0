"""What the user has set aside raises no alarm, and the verdict follows."""

from datetime import date

from analyzer.auditing.suppression import suppressed, without
from analyzer.settings import Suppression
from tests import made

TODAY = date(2026, 1, 1)


def test_a_finding_set_aside_is_marked_with_its_reason():
    result = suppressed(made.overfitted(), [Suppression("loss-spike", "known batch", owner="ada")], TODAY)
    assert result.findings[1].suppressed == {"reason": "known batch", "owner": "ada"}
    assert result.verdict == "problems"
    assert result.sentence.startswith("Overfitting:") and "Also" not in result.sentence


def test_a_run_whose_problems_are_all_suppressed_is_neither_healthy_nor_has_problems():
    entries = [Suppression("loss-spike", "a"), Suppression("overfitting", "b")]
    result = suppressed(made.overfitted(), entries, TODAY)
    assert (result.verdict, result.sentence) == ("suppressed", "No open problem: 3 findings are suppressed.")


def test_without_a_match_nothing_changes():
    result = made.overfitted()
    assert suppressed(result, [Suppression("plateau", "x")], TODAY) is result


def test_a_log_that_is_broken_may_be_ignored_like_any_symptom():
    result = without(made.failed(), {"unreadable-log", "plateau"})
    assert result.findings == () and (result.verdict, result.status) == ("unjudged", "failed")
    assert result.sentence == "Nothing could be judged: its first record is damaged."
    assert (
        without(made.failed(), {"plateau"}) is not None
        and without(made.healthy(), {"damaged-log"}).verdict == "healthy"
    )
