"""The facts at the top of a page: the best held-out value and the settings that are asked for first, where logged."""

from dataclasses import replace

from analyzer.writers.facts import facts
from tests.made import healthy, overfitted, unjudged


def test_the_best_held_out_value_names_its_step():
    found = facts(overfitted())
    assert found[0].startswith("best val/loss ") and " at step " in found[0]


def test_settings_are_found_under_the_names_that_libraries_give_them():
    params = (
        ("config.learning_rate", "0.01"),
        ("per_device_train_batch_size", 64),
        ("optimizer/name", ""),
        ("optim", "adam"),
    )
    assert facts(replace(healthy(), params=params, series=())) == (
        "learning rate 0.01",
        "batch size 64",
        "optimizer adam",
    )


def test_the_largest_rate_of_the_curve_stands_in_for_the_setting():
    assert facts(replace(healthy(), params=(), series=(), peak_rate=3e-4)) == ("largest learning rate 0.0003",)


def test_nothing_is_said_that_the_log_does_not_hold():
    assert facts(replace(unjudged(), params=(), series=())) == ()
