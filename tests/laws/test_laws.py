"""What every detector obeys, present and future: fed with its cases, shortened, thinned, holed and rescaled."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import detectors
from analyzer.anatomy import Anatomy
from analyzer.model.case import made_run
from analyzer.model.run import Run, Series
from analyzer.model.verdict import Evidence, Found, Unfit, judge

ALL = detectors.known()
RUNS = [c.make() for d in ALL.values() for c in d.cases]
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def changed(run: Run, change) -> Run:
    series = {t: Series(t, *change(s.steps, s.values, s.wall_times)) for t, s in run.series.items()}
    return replace(run, series=series)


@st.composite
def mutated(draw) -> Run:
    run = draw(st.sampled_from(RUNS))
    kind = draw(st.sampled_from(["cut", "thin", "holes", "repeat", "back", "huge", "constant", "one"]))
    at = draw(st.floats(0.02, 0.98))

    def change(steps, values, times):
        n = steps.size
        k = max(1, int(at * n))
        values = values.copy()
        if kind == "cut":
            return steps[:k], values[:k], times[:k]
        if kind == "thin":
            return steps[:: max(1, n // k)], values[:: max(1, n // k)], times[:: max(1, n // k)]
        if kind == "holes":
            values[np.random.default_rng(k).random(n) < at] = np.nan
        if kind == "repeat":
            return np.repeat(steps, 2), np.repeat(values, 2), np.repeat(times, 2)
        if kind == "back":
            again = slice(k // 2, k)
            return tuple(np.concatenate([a[:k], a[again], a[k:]]) for a in (steps, values, times))
        if kind == "huge":
            values[k - 1] = draw(st.sampled_from([np.inf, -np.inf, 3e38, -1e300, 5e-324]))
        if kind == "constant":
            values[:] = draw(st.sampled_from([0.0, 1.0, -2.5, 1e-300]))
        if kind == "one":
            return steps[:1], values[:1], times[:1]
        return steps, values, times

    return changed(run, change)


def readings_of(detector, run):
    with np.errstate(all="ignore"):
        return list(detector.measure(Anatomy(run)))


def outcome(detector, anatomy: Anatomy) -> list[str]:
    return [
        type(judge(r, detector.default_limits)).__name__ if isinstance(r, Evidence) else "Unfit"
        for r in detector.measure(anatomy)
    ]


OPENED = [Anatomy(run) for run in RUNS]  # shared by all detectors: each works on what is worked out once
MOVED = [Anatomy(changed(run, lambda steps, values, times: (steps * 7 + 1000, values, times))) for run in RUNS]


@pytest.mark.parametrize("detector", ALL.values(), ids=list(ALL))
class TestLaws:
    @QUICK
    @given(run=mutated())
    def test_never_crashes_and_says_the_same_twice(self, detector, run):
        assert repr(readings_of(detector, run)) == repr(readings_of(detector, run))

    @QUICK
    @given(run=mutated())
    def test_does_not_change_its_input(self, detector, run):
        before = {t: (s.steps.copy(), s.values.copy()) for t, s in run.series.items()}
        readings_of(detector, run)
        for tag, (steps, values) in before.items():
            np.testing.assert_array_equal(run.series[tag].steps, steps)
            np.testing.assert_array_equal(run.series[tag].values, values)

    @QUICK
    @given(run=mutated())
    def test_its_steps_lie_inside_the_curve(self, detector, run):
        steps = np.concatenate([s.steps for s in run.series.values()])
        for reading in readings_of(detector, run):
            if isinstance(reading, Evidence):
                for step in (reading.first_step, reading.last_step):
                    assert step is None or steps.min() <= step <= steps.max()

    def test_an_empty_run_is_unfit(self, detector):
        readings = readings_of(detector, Run("r", "r", "made", "nowhere"))
        assert readings
        assert all(isinstance(r, Unfit) and r.reason for r in readings)

    @pytest.mark.parametrize("points", [1, 2, 3])
    def test_a_handful_of_points_proves_nothing(self, detector, points):
        if detector.symptom == "non-finite":
            pytest.skip("a value that is no number needs no statistics")
        run = made_run({"train/loss": [1.0, 50.0, 900.0][:points], "val/loss": [1.0, 9.0, 99.0][:points]})
        for reading in readings_of(detector, run):
            assert isinstance(reading, Unfit)

    def test_stretched_and_shifted_steps_change_no_verdict(self, detector):
        for there, moved in zip(OPENED, MOVED, strict=True):
            assert outcome(detector, there) == outcome(detector, moved), there.run.series.keys()

    def test_tightening_a_limit_never_removes_a_finding(self, detector):
        for reading in (r for there in OPENED for r in detector.measure(there)):
            if not isinstance(reading, Evidence):
                continue
            limits = detector.default_limits
            tight = dict(limits)
            for m in reading.measures:
                if m.limit:
                    tight[m.limit] = limits[m.limit] * (0.5 if m.fires == "above" else 2.0)
            if isinstance(judge(reading, limits), Found):
                assert isinstance(judge(reading, tight), Found)


IN_NATS = ("plateau", "contradictory-accuracy")  # they know what guessing costs: ln k, the entropy of class shares
SCALE_FREE = [name for name in ALL if name not in IN_NATS]


def changed_units(run: Run, factor: float) -> Run:
    series = {
        t: Series(t, s.steps, s.values * (factor if "loss" in t else 1.0), s.wall_times) for t, s in run.series.items()
    }
    return replace(run, series=series)


@pytest.mark.parametrize("name", SCALE_FREE)
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_a_change_of_unit_changes_no_verdict(name, factor):
    detector = ALL[name]
    for case in detector.cases:
        run = case.make()
        scaled = changed_units(run, factor)
        before = [
            type(judge(r, detector.default_limits)) for r in readings_of(detector, run) if isinstance(r, Evidence)
        ]
        after = [
            type(judge(r, detector.default_limits)) for r in readings_of(detector, scaled) if isinstance(r, Evidence)
        ]
        assert before == after, case.name
