"""Keras: the logs of each epoch, and of batches where that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.callbacks.framework import base_class, numbers
from analyzer.callbacks.monitor import Monitor
from analyzer.errors import UsageError

_Callback: Any = base_class(
    "KerasCallback", ("keras.callbacks", "tf_keras.callbacks"), "Callback", packages="Keras (pip install keras)"
)


class KerasCallback(_Callback):  # type: ignore[misc] # the framework's class is known where the training runs only
    """Judges a Keras training while it runs: `model.fit(..., callbacks=[KerasCallback()])`.

    `batches` N also keeps the loss of every Nth batch, which Keras averages over its epoch so far, and checks between
    epochs; without it nothing is done in an epoch. Other words are those of Monitor: stop_on, share, every, notify,
    settings, tell. With `stop_on` the training ends after the epoch (or batch) in which a symptom is found.
    """

    def __init__(self, *, name: str = "training", batches: int | None = None, **monitor: Any) -> None:
        """UsageError for words that mean nothing, FrameworkError where the framework is not installed."""
        super().__init__()
        if batches is not None and batches < 1:
            raise UsageError(f"batches = {batches}: a number from 1 on is wanted")
        self.monitor = Monitor(name, **monitor)
        self._batches, self._step = batches, 0
        if batches is not None:  # Keras calls this hook, and computes its logs, only where it is there
            self.on_train_batch_end = self._batch_ended

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keep what the epoch came to; check when one is due."""
        self.monitor.log(epoch, numbers(logs or {}))
        self._ticked()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Judge a last time and tell the verdict."""
        self.monitor.close()

    def _batch_ended(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._step += 1
        if self._batches is not None and self._step % self._batches == 0:
            kept = numbers(logs or {})
            self.monitor.log(self._step, {f"batch_{tag}": value for tag, value in kept.items()})
            self._ticked()

    def _ticked(self) -> None:
        if self.monitor.tick():
            self.model.stop_training = True
