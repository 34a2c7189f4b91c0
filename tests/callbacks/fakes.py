"""What Keras, Lightning and transformers look like to a callback: the modules, and trainers that call the hooks."""

import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest


class Plain:
    """A framework's own Callback: hooks that do nothing."""

    def on_train_batch_end(self, *args, **kwargs):
        pass

    on_train_batch_end._is_default = True


@pytest.fixture
def frameworks(monkeypatch):
    """Put modules of the three frameworks in place; their callbacks are imported afresh."""
    for name, base in (
        ("keras.callbacks", "Callback"),
        ("lightning.pytorch", "Callback"),
        ("transformers", "TrainerCallback"),
    ):
        module = ModuleType(name)
        setattr(module, base, type(base, (Plain,), {}))
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("keras", "lightning", "hugging_face"):
        monkeypatch.delitem(sys.modules, f"analyzer.callbacks.{name}", raising=False)
    yield
    for name in ("keras", "lightning", "hugging_face"):
        sys.modules.pop(f"analyzer.callbacks.{name}", None)


def keras_fit(callback, epochs, logs, batches=10):
    """Run the hooks as Keras's CallbackList does; `logs` maps an epoch and a batch (None: its end) to logs."""
    callback.model = SimpleNamespace(stop_training=False)
    hooked = not getattr(callback.on_train_batch_end, "_is_default", False)
    for epoch in range(epochs):
        for batch in range(batches):
            if hooked:
                callback.on_train_batch_end(batch, logs(epoch, batch))
        callback.on_epoch_end(epoch, logs(epoch, None))
        if callback.model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1


@dataclass
class Trainer:
    """Lightning's: metrics of the last step and of the last validation, which stay there."""

    log_every_n_steps: int = 5
    world_size: int = 1
    is_global_zero: bool = True
    global_step: int = 0
    sanity_checking: bool = False
    should_stop: bool = False
    callback_metrics: dict = field(default_factory=dict)

    def fit(self, callback, steps, train, validation, validate_every=20):
        callback.on_fit_start(self, None)
        self.sanity_checking = True
        self.callback_metrics = {"val_loss": float("nan")}
        callback.on_validation_end(self, None)
        self.sanity_checking = False
        callback.on_train_epoch_start(self, None)
        for batch in range(steps):
            self.global_step += 1
            self.callback_metrics |= {"train_loss": train(self.global_step)}
            callback.on_train_batch_end(self, None, None, None, batch)
            self.computed_again("train_loss")
            if self.global_step % validate_every == 0:
                self.callback_metrics |= {"val_loss": validation(self.global_step)}
                callback.on_validation_end(self, None)
                self.callback_metrics |= {"train_mean": train(self.global_step)}
                callback.on_train_epoch_end(self, None)
                self.computed_again("train_mean")
                callback.on_train_epoch_start(self, None)
            if self.should_stop:
                break
        callback.on_fit_end(self, None)
        return self.global_step

    def computed_again(self, tag):
        """Replace a value by an equal one, as Lightning does after the hooks of a batch and of an epoch."""
        self.callback_metrics |= {tag: np.float64(float(self.callback_metrics[tag]))}


def trainer_train(callback, steps, loss, logging_steps=5, world_size=1):
    """Run the hooks as transformers.Trainer does."""
    args, state = SimpleNamespace(world_size=world_size), SimpleNamespace(global_step=0, is_world_process_zero=True)
    control = SimpleNamespace(should_training_stop=False)
    callback.on_train_begin(args, state, control)
    for _ in range(steps):
        state.global_step += 1
        if state.global_step % logging_steps == 0:
            logs = {"loss": loss(state.global_step), "grad_norm": 1.0, "epoch": state.global_step / steps}
            callback.on_log(args, state, control, logs=logs)
        if control.should_training_stop:
            break
    callback.on_log(args, state, control, logs={"train_runtime": 12.0, "train_loss": 3.0})
    callback.on_train_end(args, state, control)
    return state.global_step
