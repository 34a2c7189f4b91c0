"""The same curves twice: what is evidence, what is none, and which story the log allows."""

from dataclasses import replace

from analyzer.auditing.cross_run.duplicates import duplicates
from analyzer.model.digest import digest
from tests import made


def run(name, *seeds, params=(), started=1.79e9, source="tensorboard", length=60, tags=("loss", "val/accuracy")):
    """Make a run with a noisy curve for each seed, the first one a loss."""
    rows = []
    for i, (tag, seed) in enumerate(zip(tags, seeds, strict=False)):
        values = made.falling(length) + made.noise(length, 0.05, seed)
        row = made.row(tag, values, "loss" if i == 0 else "metric", "train" if i == 0 else "validation")
        rows.append(replace(row, digest=digest(values), curve=None))
    return replace(
        made.healthy(name), name="", series=tuple(rows), params=tuple(params), started=started,
        ended=started + 500, source=source, main_tag="loss",
    )  # fmt: skip


def told(*results):
    return [(one.sentence, one.runs) for one in duplicates(results)]


def test_a_copied_folder():
    ((sentence, runs),) = told(run("a", 1, 2), run("b", 3, 4), run("copy/a", 1, 2))
    assert (
        runs == ("a", "copy/a") and "recorded or copied twice" in sentence and "“loss” and “val/accuracy”" in sentence
    )


def test_one_seed_trained_twice_is_told_from_a_copy_by_its_times():
    ((sentence, _),) = told(run("a", 1, 2), run("b", 1, 2, started=1.8e9))
    assert "trained more than once, from the same seed" in sentence and "or with another setting" in sentence
    settings = (("lr", 0.1),)
    ((sentence, _),) = told(run("a", 1, 2, params=settings), run("b", 1, 2, params=settings, started=1.8e9))
    assert sentence.endswith("trained more than once, from the same seed on the same data.")


def test_a_long_name_keeps_its_end_where_runs_differ():
    ((sentence, _),) = told(run("x" * 200 + "/SAC_1", 1, 2), run("x" * 200 + "/SAC_2", 1, 2))
    assert "xx/SAC_1 and …xx" in sentence and len(sentence) < 350


def test_two_loggers_of_one_training_under_other_tags_and_a_second_later():
    ((sentence, _),) = told(
        run("a", 1, 2), run("0af3", 1, 2, started=1.79e9 + 1, source="mlflow", tags=("train_loss", "val_accuracy"))
    )
    assert "kept by two loggers" in sentence and "“" not in sentence


def test_settings_that_made_no_difference_are_named():
    one, other = (("lr", 0.1), ("seed", 1)), (("lr", 0.5), ("seed", 2))
    (found,) = duplicates([run("a", 1, 2, params=one), run("b", 1, 2, params=other, started=1.8e9)])
    assert "although lr and seed differ" in found.sentence and "reach the training" in found.advice[0]
    assert found.columns == ("setting", "a", "b") and found.rows == (("lr", "0.1", "0.5"), ("seed", "1", "2"))


def test_runs_whose_settings_differ_are_not_one_training_whatever_their_times():
    one, other = run("a", 1, 2, params=(("lr", 0.1),)), run("b", 1, 2, params=(("lr", 0.5),))
    (found,) = duplicates([one, other])
    assert found.sentence.endswith("although lr differs; they began and ended at the same moments, too.")
    assert "if both were trained, lr does not reach the training" in found.advice[0]
    ((sentence, _),) = told(one, replace(other, source="mlflow", started=1.79e9 + 1))
    assert sentence.endswith("although lr differs.")


def test_a_short_curve_alone_and_a_tag_that_differs_prove_nothing():
    assert told(run("a", 1, length=20), run("b", 1, length=20)) == []  # one curve of twenty points
    assert told(run("a", 1, 2), run("b", 1, 3)) == []  # the loss agrees, the accuracy does not
    assert told(run("a", 1), run("b", 1)) != []
    constant = replace(made.row("loss", [0.5] * 500, split="train"), digest=digest(made.falling(500) * 0))
    assert told(*(replace(run(n), series=(constant,)) for n in "ab")) == []


def test_many_of_a_kind_are_one_group():
    many = [run(f"r{i}", i % 2, 9 + i % 2) for i in range(200)]
    found = duplicates(many)
    assert [len(one.runs) for one in found] == [100, 100] and "97 others" in found[0].sentence
