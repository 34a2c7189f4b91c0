"""Lightning: the metrics that a module logs, as the trainer offers them to callbacks."""

from __future__ import annotations

from typing import Any

from analyzer.callbacks.framework import base_class, numbers, refuse_several
from analyzer.callbacks.monitor import Monitor

_Callback: Any = base_class(
    "LightningCallback",
    ("lightning.pytorch", "pytorch_lightning"),
    "Callback",
    packages="Lightning (pip install lightning, or pytorch-lightning)",
)


class LightningCallback(_Callback):  # type: ignore[misc] # as in callbacks.keras
    """Judges a Lightning training while it runs: `Trainer(callbacks=[LightningCallback()])`.

    It keeps what the module logs (`self.log`), training metrics every `log_every_n_steps` steps, and works on the
    process of rank 0. Words are those of Monitor: stop_on, share, every, notify, settings, tell. `stop_on` sets
    `trainer.should_stop`, and is refused with several processes: they would not stop together.
    """

    def __init__(self, *, name: str = "training", **monitor: Any) -> None:
        """UsageError for words that mean nothing, FrameworkError where the framework is not installed."""
        super().__init__()
        self.monitor = Monitor(name, **monitor)
        self._stops = bool(monitor.get("stop_on"))
        self._seen: dict[str, Any] = {}
        self._kept: dict[str, tuple[int, float]] = {}

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Refuse to stop several processes."""
        refuse_several(self._stops, trainer.world_size)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Take what the trainer holds for seen: it computes the values of the last epoch once more after its hooks."""
        self._seen = dict(trainer.callback_metrics)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Keep what the step logged, as often as loggers get it; check when one is due."""
        if trainer.is_global_zero and trainer.global_step % max(1, trainer.log_every_n_steps) == 0:
            self._collect(trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Keep what the validation came to; that of the sanity check before the training is no point of it."""
        if trainer.sanity_checking:
            self._seen = dict(trainer.callback_metrics)
        elif trainer.is_global_zero:
            self._collect(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Keep what the epoch came to."""
        if trainer.is_global_zero:
            self._collect(trainer)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Judge a last time and tell the verdict."""
        if trainer.is_global_zero:
            self.monitor.close()

    def _collect(self, trainer: Any) -> None:
        """Keep the metrics that are new: those of the last validation stay with the trainer until the next one."""
        metrics, step = dict(trainer.callback_metrics), int(trainer.global_step)
        fresh = numbers({tag: value for tag, value in metrics.items() if self._seen.get(tag) is not value})
        points = {tag: (step, value) for tag, value in fresh.items()}
        again = {tag for tag, point in points.items() if repr(self._kept.get(tag)) == repr(point)}  # NaN, too
        self._seen = metrics
        self._kept |= points
        self.monitor.log(step, {tag: value for tag, value in fresh.items() if tag not in again})
        if self.monitor.tick():
            trainer.should_stop = True
