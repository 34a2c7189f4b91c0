"""What every detector obeys, present and future: fed with its cases, shortened, thinned, holed and rescaled."""

import importlib
import pkgutil
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import detectors
from analyzer import features as anatomy_package
from analyzer.features import RunFeatures
from analyzer.model.case import made_run
from analyzer.model.evidence import Evidence, Found, Unfit, judge
from analyzer.model.run import Run, Series

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
        return list(detector.measure(RunFeatures(run)))


def outcome(detector, features: RunFeatures) -> list[str]:
    return [
        type(judge(r, detector.default_limits)).__name__ if isinstance(r, Evidence) else "Unfit"
        for r in detector.measure(features)
    ]


OPENED = [RunFeatures(run) for run in RUNS]  # shared by all detectors: each works on what is worked out once
MOVED = [RunFeatures(changed(run, lambda steps, values, times: (steps * 7 + 1000, values, times))) for run in RUNS]


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
                    # steps that are all the same do not count: points are numbered instead
                    assert step is None or steps.min() <= step <= max(steps.max(), steps.size)

    def test_an_empty_run_is_unfit(self, detector):
        readings = readings_of(detector, Run("r", "r", "made", "nowhere"))
        assert readings
        assert all(isinstance(r, Unfit) and r.reason for r in readings)

    @pytest.mark.parametrize("points", [1, 2, 3])
    def test_a_handful_of_points_proves_nothing(self, detector, points):
        if detector.symptom == "non-finite":
            pytest.skip("a value that is not a number needs no statistics")
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


# they know what guessing costs: ln k, the entropy of class shares, ln 2 a side
IN_NATS = ("plateau", "contradictory-accuracy", "discriminator-wins")
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


HOLES = {
    "all NaN": lambda n: np.full(n, np.nan),
    "all inf": lambda n: np.full(n, np.inf),
    "all -inf": lambda n: np.full(n, -np.inf),
    "one finite point": lambda n: np.where(np.arange(n) == n // 2, 1.0, np.nan),
    "empty": lambda n: np.zeros(0),
}
COMPANIONS = ("val_loss", "val/loss", "train/box_loss", "val_accuracy", "val/recall", "lr", "grad_norm", "loss_scale")


def with_companion(run: Run, tag: str, make) -> Run:
    """The run with one more curve, or with that curve in place of its own."""
    longest = max(run.series.values(), key=lambda s: s.points)
    values = make(longest.points)
    k = values.size
    return replace(run, series={**run.series, tag: Series(tag, longest.steps[:k], values, longest.wall_times[:k])})


@pytest.mark.parametrize("hole", HOLES.values(), ids=list(HOLES))
@pytest.mark.parametrize("tag", COMPANIONS)
def test_a_companion_without_finite_points_crashes_no_detector(tag, hole):
    runs = [d.cases[0].make() for d in ALL.values()]
    failed = set()
    for run in runs:
        features = RunFeatures(with_companion(run, tag, hole))
        for name, detector in ALL.items():
            try:
                with np.errstate(all="ignore"):
                    list(detector.measure(features))
            except Exception as error:  # whatever it raises, the law is broken
                failed.add(f"{name}: {error!r}")
    assert not failed


@pytest.mark.parametrize("hole", HOLES.values(), ids=list(HOLES))
@pytest.mark.parametrize("tag", ["loss", "train/loss"])
def test_a_training_loss_without_finite_points_crashes_no_detector(tag, hole):
    run = made_run({tag: hole(60), "val/loss": np.linspace(2.0, 1.0, 60), "val/accuracy": np.linspace(0.1, 0.9, 60)})
    for detector in ALL.values():
        with np.errstate(all="ignore"):
            list(detector.measure(RunFeatures(run)))


@pytest.mark.parametrize(
    "detector", [d for d in ALL.values() if d.describe], ids=[n for n, d in ALL.items() if d.describe]
)
def test_sentences_are_made_from_evidence_alone(detector):
    readings = [r for there in OPENED for r in detector.measure(there) if isinstance(r, Evidence)]
    found = [r for r in readings if isinstance(judge(r, detector.default_limits), Found)]
    assert found
    for reading in found:
        assert not reading.summary
        words = detector.describe(reading)
        assert words.summary
        assert words.advice
        assert len(words.signs) == len(reading.signs)


MODULES = [
    importlib.import_module(f"{package.__name__}.{module.name}")
    for package in (detectors, anatomy_package)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("module", [m for m in MODULES if hasattr(m, "PARAMS")], ids=lambda m: m.__name__)
def test_a_parameter_has_a_unit_and_a_reason(module):
    params = module.PARAMS
    assert type(params).__dataclass_params__.frozen
    for f in fields(params):
        assert f.metadata["unit"], f.name
        assert f.metadata["why"], f.name


def extreme(n: int) -> dict[str, np.ndarray]:
    """Return curves from both ends of the float range and with every mix of values that are no numbers."""
    at, random = np.arange(n), np.random.default_rng(n)
    odd = at % 2 == 1
    falling = np.exp(-at / 30)
    return {
        "above the root of the largest float": np.linspace(1e155, 9e155, n),
        "normal and huge": random.normal(size=n) * 1e307,
        "both largest floats": np.where(odd, 1.7e308, -1.7e308),
        "subnormal": np.abs(random.normal(size=n)) * 5e-324,
        "every magnitude": 10.0 ** random.uniform(-320, 308, n),
        "negative, rising to 0": -np.linspace(1, 0, n),
        "negative, ending below 0": -np.geomspace(1, 1e-3, n),
        "every other infinite": np.where(odd, np.inf, falling),
        "both infinities": np.where(odd, np.inf, -np.inf),
        "everything": random.choice([np.nan, np.inf, -np.inf, 1e200, -1e200, 0.0, 1.0], n),
        "falling": falling,
    }


EXTREME = [
    RunFeatures(made_run({"train/loss": one, "val/loss": other, "lr": other, "grad_norm": other, "val/accuracy": one}))
    for one in extreme(200).values()
    for other in extreme(200).values()
] + [
    RunFeatures(made_run({"reward": one, "rollout/ep_rew_mean": one, "val/accuracy": other, "train/kl": other}))
    for n in (20, 200)
    for one, other in zip(extreme(n).values(), reversed(extreme(n).values()), strict=True)
]


@pytest.mark.parametrize("detector", ALL.values(), ids=list(ALL))
def test_no_value_that_a_float_can_have_ends_a_detector(detector):
    for features in EXTREME:
        with np.errstate(all="ignore"):
            assert list(detector.measure(features))


@pytest.mark.parametrize("every", [2, 4, 10])
def test_a_training_loss_that_is_infinite_at_most_points_is_an_error_also_at_even_distances(every):
    """Infinite at 50 to 90 % of the points: an infinite value was measured, NaN may stand for none."""
    values = np.exp(-np.arange(200) / 60)
    values[np.arange(200) % every != 0] = np.inf
    (reading,) = ALL["non-finite"].measure(RunFeatures(made_run({"train/loss": values})))
    assert isinstance(reading, Evidence)
    assert isinstance(judge(reading, ALL["non-finite"].default_limits), Found)
    assert (reading.severity, reading.cause == "not-measured") == ("error", False)
