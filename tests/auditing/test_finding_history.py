"""What was new, what persists, what is resolved, and what nobody can tell."""

from dataclasses import replace

from analyzer.auditing.cache_key import CacheKey
from analyzer.auditing.finding_history import PreviousRun, compare_with_last_audit
from analyzer.model.result import Checked, Night
from tests import made

OURS, NEWER, OTHER = CacheKey("a", "b"), CacheKey("c", "b"), CacheKey("a", "d")
DAY, NOW = 86_400.0, 1.79e9


class Nights:
    """Nights of one run, one after the other, remembered as the state does."""

    def __init__(self):
        self.known, self.past, self.now = {}, None, NOW

    def __call__(self, result, judging=OURS):
        one = compare_with_last_audit(result, self.past, judging, self.now)
        self.now += DAY
        for fingerprint in one.update.gone:
            del self.known[fingerprint]
        self.known |= {k.fingerprint: k for k in one.update.known}
        newest = one.update.past or self.past or PreviousRun(CacheKey("", ""), "")
        self.past = replace(newest, findings=tuple(self.known.values()))
        states = {f.symptom: f.state for f in one.result.findings}
        return states, [entry["symptom"] for entry in one.resolved], one


SICK = made.overfitted("x")
THREE = ("overfitting", "loss-spike", "wasted-tail")
SICK = replace(SICK, findings=tuple({f.symptom: f for f in SICK.findings if f.symptom in THREE}.values()))
WELL = replace(
    made.healthy("x"), checked=tuple(Checked(s, (), ()) for s in ("overfitting", "loss-spike", "wasted-tail"))
)


def grown(result):
    """Return the result of the same run with one point more."""
    rows = (replace(result.series[0], points=result.series[0].points + 1), *result.series[1:])
    return replace(result, series=rows)


def test_new_persisting_resolved_regressed():
    night = Nights()
    first = night(SICK)[0]
    assert set(first.values()) == {"new"} and set(night(SICK)[0].values()) == {"persisting"}
    assert sorted(night(WELL)[1]) == sorted(first) and night(WELL)[1] == []
    states, _, one = night(SICK)
    assert set(states.values()) == {"regressed"}
    assert {f.first_seen for f in one.result.findings} == {"2026-09-21T14:13:20Z"}
    assert {f.last_seen for f in one.result.findings} == {"2026-09-25T14:13:20Z"}
    assert set(night(SICK)[0].values()) == {"persisting"}


def test_what_had_raised_no_alarm_is_resolved_without_being_told_so():
    night = Nights()
    first = night(SICK)[2].result.findings
    entries = night(WELL)[2].resolved
    loud = {f.symptom for f in first if f.counts and f.severity != "info"}
    assert {entry["symptom"] for entry in entries if entry["alarm"]} == loud < {f.symptom for f in first}
    assert [one["symptom"] for one in Night("1", (), (), resolved=entries).healed] == [
        entry["symptom"] for entry in entries if entry["alarm"]
    ]


def test_a_run_that_could_not_be_read_resolves_nothing():
    night = Nights()
    night(SICK)
    states, resolved, _ = night(made.failed("x"))
    assert states == {"unreadable-log": "new"} and resolved == []
    states, resolved, _ = night(SICK)
    assert set(states.values()) == {"persisting"} and resolved == ["unreadable-log"]


def test_what_was_not_checked_is_not_resolved():
    night = Nights()
    night(SICK)
    assert night(replace(WELL, checked=()))[1] == []
    assert set(night(SICK)[0].values()) == {"persisting"}


def test_a_run_still_going_does_not_flap():
    night = Nights()
    night(SICK)
    going = replace(WELL, status="in-progress")
    assert night(going)[1] == []
    assert set(night(grown(SICK))[0].values()) == {"persisting"}
    assert night(going)[1] == [] and len(night(going)[1]) == 3
    night(SICK)
    assert night(going)[1] == [] and len(night(WELL)[1]) == 3  # it ended: no need to wait


def test_an_upgrade_makes_nobody_sick_over_night():
    night = Nights()
    calm = replace(
        SICK, findings=SICK.findings[:1], checked=(Checked("loss-spike", (), ()), Checked("wasted-tail", (), ()))
    )
    night(calm)
    states, resolved, one = night(SICK, NEWER)
    assert set(states.values()) == {"persisting"} and resolved == [] and one.rejudged == "of an upgrade"
    assert [f.judged_anew for f in one.result.findings] == [False, True, True]
    states, resolved, one = night(calm, CacheKey("c", "d"))
    assert sorted(resolved) == ["loss-spike", "wasted-tail"] and one.rejudged == "settings changed"
    assert {entry["because"] for entry in one.resolved} == {"re-evaluated: settings changed"}
    assert night(SICK, OURS)[0] == {
        "overfitting": "persisting",
        "loss-spike": "persisting",
        "wasted-tail": "persisting",
    }


def test_a_log_that_changed_in_the_night_of_an_upgrade_may_be_newly_sick():
    night = Nights()
    night(WELL)
    assert set(night(SICK, OTHER)[0].values()) == {"new"}


def test_a_finding_that_moves_to_other_tags_is_the_same_one():
    night = Nights()
    night(SICK)
    moved = made.finding("x", "overfitting", "error", ("val2/loss",), "It turns.")
    states, resolved, one = night(grown(replace(SICK, findings=(moved, *SICK.findings[1:]))))
    assert states["overfitting"] == "persisting" and resolved == [] and len(one.update.gone) == 1
    assert one.result.findings[0].first_seen == "2026-09-21T14:13:20Z"


def test_a_suppressed_finding_keeps_its_history():
    night = Nights()
    aside = replace(SICK, findings=tuple(replace(f, suppressed={"reason": "known"}) for f in SICK.findings))
    night(aside)
    assert set(night(SICK)[0].values()) == {"persisting"}
