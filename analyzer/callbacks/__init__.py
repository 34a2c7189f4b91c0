"""Callbacks that judge a training while it runs: for Keras, Lightning and the Hugging Face Trainer.

    from analyzer.callbacks import KerasCallback, LightningCallback, TrainerCallback

Each needs its framework, which is imported when its callback is first asked for, and says so when it is missing and an
instance is made. `Monitor` is what they share, for training loops of one's own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.callbacks.hugging_face import TrainerCallback
    from analyzer.callbacks.keras import KerasCallback
    from analyzer.callbacks.lightning import LightningCallback
    from analyzer.callbacks.monitor import Monitor

__all__ = ["KerasCallback", "LightningCallback", "Monitor", "TrainerCallback"]

_HOMES = {
    "KerasCallback": "keras",
    "LightningCallback": "lightning",
    "Monitor": "monitor",
    "TrainerCallback": "hugging_face",
}


def __getattr__(name: str) -> Any:
    """Import a callback, and its framework where that is installed, when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the names that completion offers."""
    return sorted({*globals(), *__all__})
