"""The callbacks keep what their framework logs, judge it now and then, tell news once, and stop only when asked to."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import analyzer.callbacks
from analyzer.callbacks.framework import FrameworkError
from analyzer.errors import PosthocError, UsageError
from tests.callbacks.fakes import Trainer, frameworks, keras_fit, trainer_train

__all__ = ["frameworks"]
ROOT = Path(__file__).parents[2]
ALWAYS = {"every": 0.0, "share": 1.0}


def falling(step, scale=60.0):
    return 0.2 + 2 * np.exp(-step / scale)


def breaking(at):
    return lambda step: float("nan") if step >= at else falling(step)


def check_whenever(monitor):
    """Let every tick judge: the cadence has tests of its own."""
    monitor._pace.is_due = lambda points: points > 0


def test_the_module_needs_no_framework_and_a_callback_says_which_it_needs():
    blocked = "import sys; sys.modules.update(dict.fromkeys(['keras', 'keras.callbacks', 'tf_keras.callbacks']))\n"
    asked = "import analyzer.callbacks as c\nc.Monitor\none = c.KerasCallback\n"
    asked += "try: one()\nexcept ImportError as e: print(e)"
    done = subprocess.run([sys.executable, "-c", blocked + asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == (
        "analyzer.callbacks.KerasCallback needs Keras (pip install keras); install it where the training runs\n"
    )
    assert issubclass(FrameworkError, PosthocError) and issubclass(FrameworkError, ImportError)


def test_all_names_are_completed_and_others_are_attribute_errors():
    assert set(analyzer.callbacks.__all__) <= set(dir(analyzer.callbacks))
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        analyzer.callbacks.absent  # noqa: B018


def test_keras_epochs_are_judged_and_a_symptom_asked_for_stops_the_training(frameworks):
    said = []
    callback = analyzer.callbacks.KerasCallback(stop_on=["non-finite"], tell=said.append)
    check_whenever(callback.monitor)
    epochs = keras_fit(callback, 100, lambda epoch, batch: {"loss": breaking(40)(epoch), "val_loss": falling(epoch)})
    assert epochs == 41
    assert [line.split(" since")[0] for line in said if "non-finite since" in line] == ["training: non-finite"]
    assert any("asked to stop" in line for line in said)
    assert {row.tag: row.points for row in callback.monitor.result.series} == {"loss": 41, "val_loss": 41}


def test_keras_batches_are_kept_only_where_asked_for(frameworks):
    logs = lambda epoch, batch: {"loss": falling(epoch * 10 + (batch or 9))}  # noqa: E731
    plain = analyzer.callbacks.KerasCallback(tell=lambda text: None)
    keras_fit(plain, 30, logs)
    assert {row.tag for row in plain.monitor.result.series} == {"loss"}
    each = analyzer.callbacks.KerasCallback(batches=5, tell=lambda text: None)
    keras_fit(each, 30, logs)
    assert {row.tag: row.points for row in each.monitor.result.series} == {"loss": 30, "batch_loss": 60}


def test_lightning_keeps_each_value_once_and_no_sanity_check(frameworks):
    said = []
    callback = analyzer.callbacks.LightningCallback(tell=said.append)
    steps = Trainer().fit(callback, 400, breaking(300), lambda step: 0.1 + falling(step))
    assert steps == 400  # nothing is stopped unless it is asked for
    rows = {row.tag: row for row in callback.monitor.result.series}
    assert {tag: row.points for tag, row in rows.items()} == {"train_loss": 80, "val_loss": 20, "train_mean": 20}
    assert [f.symptom for f in callback.monitor.result.findings if f.alarms] == ["non-finite"]


def test_lightning_and_the_trainer_stop_when_asked_to(frameworks):
    quiet = lambda text: None  # noqa: E731
    one = analyzer.callbacks.LightningCallback(stop_on=["non-finite"], tell=quiet)
    check_whenever(one.monitor)
    assert Trainer().fit(one, 400, breaking(300), falling) == 300
    other = analyzer.callbacks.TrainerCallback(stop_on=["non-finite"], tell=quiet)
    check_whenever(other.monitor)
    assert trainer_train(other, 600, breaking(300)) == 300


def test_the_trainer_s_summary_is_no_point(frameworks):
    callback = analyzer.callbacks.TrainerCallback(tell=lambda text: None)
    trainer_train(callback, 400, falling)
    assert {row.tag: row.points for row in callback.monitor.result.series} == {"loss": 80, "grad_norm": 80, "epoch": 80}


def test_several_processes_are_not_stopped_by_one(frameworks):
    callback = analyzer.callbacks.TrainerCallback(stop_on=["non-finite"])
    with pytest.raises(UsageError, match="this training has 2"):
        trainer_train(callback, 10, falling, world_size=2)
    with pytest.raises(UsageError, match="this training has 4"):
        Trainer(world_size=4).fit(analyzer.callbacks.LightningCallback(stop_on=["non-finite"]), 10, falling, falling)
    assert Trainer(world_size=4).fit(analyzer.callbacks.LightningCallback(tell=print), 10, falling, falling) == 10
