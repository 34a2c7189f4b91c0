"""The Trainer of Hugging Face transformers, and those of TRL: what it logs at each of its logging steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.callbacks.framework import base_class, numbers, refuse_several
from analyzer.callbacks.monitor import Monitor

_Callback: Any = base_class(
    "TrainerCallback", ("transformers",), "TrainerCallback", packages="transformers (pip install transformers)"
)

CLOSING = "train_runtime"
"""A key of the summary that closes a training: means over all of it, which are no points of a curve."""


class TrainerCallback(_Callback):  # type: ignore[misc] # as in callbacks.keras
    """Judges a Trainer's training while it runs: `Trainer(..., callbacks=[TrainerCallback()])`.

    It keeps what the Trainer logs (`logging_steps`, evaluations), and works on the process of rank 0. Words are those
    of Monitor: stop_on, share, every, notify, settings, tell. `stop_on` sets `control.should_training_stop`, and is
    refused with several processes: they would not stop together.
    """

    def __init__(self, *, name: str = "training", **monitor: Any) -> None:
        """UsageError for words that mean nothing, FrameworkError where the framework is not installed."""
        super().__init__()
        self.monitor = Monitor(name, **monitor)
        self._stops = bool(monitor.get("stop_on"))

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Refuse to stop several processes."""
        refuse_several(self._stops, args.world_size)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Keep what is logged; check when one is due."""
        if state.is_world_process_zero and logs and CLOSING not in logs:
            self.monitor.log(state.global_step, numbers(logs))
            if self.monitor.tick():
                control.should_training_stop = True
        return control

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Judge a last time and tell the verdict."""
        if state.is_world_process_zero:
            self.monitor.close()
