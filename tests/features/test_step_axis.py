"""Each way in which logged steps fail is recognised, its nearest counter-example is not; no point is lost unsaid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.diagnosis import judge_run
from analyzer.features import RunFeatures, aligned, on_axis_of
from analyzer.features.planned_length import plan_of
from analyzer.features.step_axis import lineage
from analyzer.model.case import falling, noise
from analyzer.model.run import Run, Series

START = 1.7e9


def series(tag, steps, values=None, times=None):
    at = np.array(steps, dtype=np.int64)
    curve = falling(at.size) if values is None else np.asarray(values, dtype=float)
    return Series(
        tag, at, curve, START + np.arange(at.size, dtype=float) if times is None else np.asarray(times, float)
    )


def opened(*made, **more):
    return RunFeatures(Run("run", "run", "made", "formula", {one.tag: one for one in made}, **more))


def said(features):
    return " ".join(note.message for note in features.notes)


def noisy(n, seed=0, **more):
    return falling(n, **more) * (1 + noise(n, 0.02, seed))


# --- a summary that is logged without a step


@pytest.mark.parametrize("first", [0, 1, 50])
def test_a_value_logged_without_a_step_after_the_training_is_no_part_of_the_curve(first):
    steps = [*range(first, first + 60), 0]
    features = opened(series("val_loss", steps, [*noisy(60), 0.2]))
    curve = features.curves["val_loss"]
    assert (curve.n, curve.points.restarts, curve.points.overtaken) == (60, (), 0)
    assert "1 value with step 0 written after step" in said(features) and "left out of the curve" in said(features)
    assert not features.events


def test_a_training_that_is_started_again_is_no_summary():
    features = opened(series("loss", [*range(60), *range(80)], [*noisy(60), *noisy(80, 1)]))
    assert features.curves["loss"].n == 80


# --- steps that tell no points apart


def test_points_without_steps_are_numbered_and_no_sentence_speaks_of_step_0():
    values = np.concatenate([noisy(48), 9 + noise(32, 0.3)])
    made = {"train-loss": series("train-loss", np.zeros(80), values, START + 10 * np.arange(80))}
    result = judge_run(Run("run", "run", "made", "formula", made), now=2e9)
    finding = next(f for f in result.findings if f.symptom == "exploding-loss")
    assert 40 <= finding.first_step <= 60 and "step 0" not in finding.summary
    (note,) = result.notes
    assert "numbered in the order written" in note.message
    assert result.series[0].curve.steps.tolist() == list(range(80))


def test_timestamps_in_place_of_steps_are_no_axis():
    times = START + 30 * np.arange(60)
    for unit in (1, 1000, 10**6):
        features = opened(series("loss", (times * unit).astype(np.int64), noisy(60), times))
        assert features.curves["loss"].steps.tolist() == list(range(60))
        assert "the steps of its points are times" in said(features)


def test_large_step_counts_are_no_timestamps():
    steps = 2_000_000_000 + 1000 * np.arange(60)
    assert opened(series("loss", steps, times=START + np.arange(60))).curves["loss"].steps.tolist() == steps.tolist()


def test_rare_evaluations_without_steps_lie_where_they_were_written_between_the_training_points():
    train = series("train/loss", np.zeros(400), noisy(400), START + np.arange(400))
    val = series("val/loss", np.zeros(8), falling(8), START + 50 * np.arange(1, 9) - 0.5)
    curve = opened(train, val).curves["val/loss"]
    assert np.abs(curve.steps - (50 * np.arange(1, 9) - 0.5)).max() <= 1


def test_the_number_of_points_is_not_compared_with_a_plan_in_epochs():
    features = opened(series("loss", np.zeros(40), noisy(40)), params={"epochs": 100})
    assert plan_of(features) == "no series that shows how far the run came"


# --- steps that begin again while one training goes on


def test_a_count_per_epoch_is_continued_and_every_point_is_judged():
    steps = np.tile(np.arange(1, 29) * 50, 24)
    features = opened(series("train/loss", steps, noisy(steps.size)), series("lr", steps, np.full(steps.size, 0.1)))
    for tag in ("train/loss", "lr"):
        curve = features.curves[tag]
        assert curve.steps.tolist() == (50 * np.arange(1, steps.size + 1)).tolist()
    assert not features.events and "begin again 23 times while the training goes on" in said(features)
    assert features.epoch_length == 28 * 50


def test_calls_of_fit_that_go_on_with_the_model_are_one_training():
    curve = opened(series("loss", [*range(10)] * 2, noisy(20, rate=2))).curves["loss"]
    assert curve.steps.tolist() == list(range(20))


def test_steps_at_the_ends_of_64_bits_are_survived():
    ends = [-(2**63), 2**63 - 1] * 5
    assert opened(series("loss", ends)).curves["loss"].n > 0


# --- several trainings under one name


@pytest.mark.parametrize("sizes", [(200, 40), (40, 200), (120, 120), (50, 60, 40, 45)])
def test_of_several_trainings_the_longest_is_judged_and_the_others_are_named(sizes):
    steps = np.concatenate([np.arange(n) for n in sizes])
    values = np.concatenate([noisy(n, seed) for seed, n in enumerate(sizes)])
    features = opened(series("loss", steps, values), series("val_loss", steps, values + 0.1))
    for curve in features.curves.values():
        assert curve.n == max(sizes)
        assert curve.steps.tolist() == list(range(max(sizes)))
    assert f"{len(sizes)} trainings lie under one name" in said(features) and not features.events


def test_of_trainings_that_are_about_as_long_the_last_one_is_what_the_user_has():
    values = [*noisy(120), *(2 * noisy(115, 1))]
    curve = opened(series("loss", [*range(120), *range(115)], values)).curves["loss"]
    assert curve.n == 115 and curve.values.tolist() == values[120:]


def test_all_series_are_cut_to_the_same_training():
    """The validation of the longest training is judged, though that of another one has more points."""
    train = series("loss", [*range(100), *range(40)], [*noisy(100), *noisy(40, 1)])
    val_steps, val_times = [*range(0, 100, 20), *range(40)], [*range(0, 100, 20), *range(100, 140)]
    val = series("val_loss", val_steps, [*falling(5), *falling(40)], START + np.array(val_times))
    assert opened(train, val).curves["val_loss"].n == 5


def test_two_writers_at_the_same_time_are_two_trainings():
    steps, times = [*range(60), *range(50)], START + np.array([*range(60), *range(50)])
    flat = np.concatenate([1 + noise(60, 0.01), 1 + noise(50, 0.01, 1)])
    features = opened(series("loss", steps, flat, times))
    assert features.curves["loss"].n == 60 and "2 writers at the same time" in said(features)


def test_a_resumed_training_stays_one_and_says_how_many_points_it_overtook():
    values = noisy(150)
    features = opened(series("loss", [*range(100), *range(80, 150)], [*values[:100], *values[80:]]))
    curve = features.curves["loss"]
    assert (curve.n, curve.points.restarts, curve.points.overtaken) == (150, (80,), 20)
    assert "20 points of 170" in said(features)


# --- overflow and disorder


@pytest.mark.parametrize(
    ("first", "lowest", "modulus"),
    [(2**31 - 3000, -(2**31), 2**32), (2**31 - 3000, 0, 2**31), (2**32 - 3000, 0, 2**32), (2**16 - 3000, 0, 2**16)],
)
def test_an_overflow_of_the_step_counter_is_undone(first, lowest, modulus):
    true = first + 100 * np.arange(60)
    wrapped = (true - lowest) % modulus + lowest
    features = opened(series("loss", wrapped))
    assert features.curves["loss"].steps.tolist() == true.tolist()
    assert "overflows" in said(features) and not features.events


def test_a_second_training_after_65536_steps_is_no_overflow():
    steps = 64 * np.concatenate([np.arange(1, 1025), np.arange(1, 400)])
    values = np.concatenate([noisy(1024), noisy(399, 1)])
    curve = opened(series("loss", steps, values)).curves["loss"]
    assert curve.steps.tolist() == (64 * np.arange(1, 1025)).tolist()


@pytest.mark.parametrize("n", [10, 200])
def test_points_that_are_sent_in_another_order_are_judged_by_step(n):
    order = np.random.default_rng(3).permutation(n)
    features = opened(series("loss", order, falling(n)[order]))
    assert features.curves["loss"].values.tolist() == falling(n).tolist()
    assert not features.events and not features.notes


# --- two curves under one name


def test_two_interleaved_curves_are_not_judged_as_one():
    a, b = noisy(60), np.concatenate([noisy(36, 1), 9 + noise(24, 0.3)])
    made = series("loss", np.repeat(np.arange(60), 2), np.stack([a, b], axis=1).ravel())
    features = opened(made)
    assert features.roles["loss"].role == "unknown" and "interleaved" in said(features)
    assert not [f for f in judge_run(features.run, now=2e9).findings if f.alarms]


@pytest.mark.parametrize("times", [2, 3, 8])
def test_repeated_measurements_at_one_step_are_one_curve(times):
    values = np.repeat(falling(60), times) * (1 + noise(60 * times, 0.05))
    assert opened(series("loss", np.repeat(np.arange(60), times), values)).roles["loss"].role == "loss"


@pytest.mark.parametrize("size", [0.0, 0.001, 0.05])
def test_many_points_at_the_step_of_their_epoch_are_one_curve(size):
    values = falling(600) * (1 + noise(600, size))
    assert opened(series("loss", np.arange(600) // 20, values)).roles["loss"].role == "loss"


# --- notes


def test_series_that_are_never_judged_make_no_notes():
    """Lightning's placeholder hp_metric is logged at step 0 again and again."""
    features = opened(series("hp_metric", [0, 0, 0], [-1, -1, -1]), series("train_loss", range(40)))
    assert not features.notes


# --- series on different axes


def keras(epochs=40, per_epoch=300):
    times = START + 60.0 * np.arange(1, epochs + 1)
    val = falling(epochs) + 0.1
    return (
        series("train/epoch_loss", range(epochs), falling(epochs), times - 5),
        series("validation/evaluation_loss_vs_iterations", per_epoch * np.arange(1, epochs + 1), val, times - 1),
        series("validation/epoch_loss", range(epochs), val, times),
    )


@pytest.mark.parametrize("epochs", [1, 2, 40])
def test_of_keras_twins_the_one_on_the_axis_of_the_training_loss_is_judged(epochs):
    features = opened(*keras(epochs))
    assert [c.tag for c in features.validation] == ["validation/epoch_loss"]
    assert features.partner(features.validation[0]).tag == "train/epoch_loss"


@pytest.mark.parametrize("timed", [True, False])
def test_curves_that_count_other_things_are_laid_on_one_axis_before_their_steps_are_compared(timed):
    """By the times, or by share of the run where all points bear one time."""
    train, iterations, _ = keras()
    if not timed:
        train, iterations = (series(s.tag, s.steps, s.values, np.full(s.points, START)) for s in (train, iterations))
    features = opened(train, iterations)
    (held,) = features.validation
    assert np.abs(aligned(held, features.training[0]) - np.arange(40)).max() <= 1
    mate = features.partner(held)
    assert mate.tag == "train/epoch_loss" and np.abs(mate.at - held.at).max() <= 300


def test_a_curve_on_the_same_axis_stays_as_it_is():
    train = series("train/loss", range(1000), noisy(1000))
    for steps in (range(100, 1000, 100), range(0, 200, 20)):  # all along, and only in the first fifth
        val = series("val/loss", steps, falling(len(steps)), START + np.array(steps))
        features = opened(train, val)
        held = features.curves["val/loss"]
        assert on_axis_of(held, features.training[0]) is held


def lightning(epochs):
    step = series("train_loss_step", range(0, 1200, 4), noisy(300))
    every = 1200 // epochs
    mean = series("train_loss_epoch", range(every - 1, 1200, every), falling(epochs))
    return opened(step, mean)


def test_epoch_means_lead_the_course_and_step_values_are_kept_for_spikes():
    features = lightning(20)
    assert [c.tag for c in features.training] == ["train_loss_epoch", "train_loss_step"]
    assert features.finest.tag == "train_loss_step"


def test_the_mean_of_an_evaluation_comes_before_its_batches():
    val = series("val_loss_step", range(300), noisy(300)), series("val_loss_epoch", range(14, 300, 15), falling(20))
    assert opened(*val).validation[0].tag == "val_loss_epoch"


def test_a_few_epoch_means_do_not_stand_for_the_course():
    assert lightning(8).training[0].tag == "train_loss_step"


# --- laws

ENDS = st.sampled_from([-(2**63), 2**63 - 1, 2**31 - 1, -(2**31), 2**16 - 1])
STEPS = st.lists(st.one_of(st.integers(-5, 40), ENDS), min_size=1, max_size=60)
VALUES = st.floats(allow_nan=True, allow_infinity=True, width=32)


@given(STEPS, st.randoms(use_true_random=False), st.booleans())
def test_whatever_the_steps_are_the_curve_goes_forward_and_every_point_left_out_is_accounted_for(steps, random, timed):
    values = [random.choice([float("nan"), float("inf"), random.gauss(0, 1)]) for _ in steps]
    times = [random.uniform(0, 1e9) if timed else float("nan") for _ in steps]
    found = lineage(series("x", steps, values, times))
    assert 0 < found.steps.size <= len(steps)
    assert (found.steps[1:] >= found.steps[:-1]).all()
    assert found.steps.size == len(steps) or found.accounts


@given(st.integers(3, 200), st.integers(1, 7), st.integers(0, 3))
def test_steps_in_order_are_left_as_they_are(size, gap, first):
    made = series("x", first + gap * np.arange(size))
    found = lineage(made)
    assert found.steps is made.steps and not found.accounts
