"""The framework that a callback belongs to: the one that the training has imported, or one that is installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from analyzer.errors import UsageError


class FrameworkError(UsageError, ImportError):
    """The framework of a callback is not installed."""


def base_class(callback: str, modules: Sequence[str], name: str, *, packages: str) -> Any:
    """Return the class `name` of the first of `modules` that is imported already, else of the first that can be.

    Where none can be imported it is a class whose instances cannot be made: FrameworkError says what `callback` needs.
    """
    loaded = [module for module in modules if module in sys.modules]
    for module in [*loaded, *(one for one in modules if one not in loaded)]:
        try:
            return getattr(import_module(module), name)
        except ImportError:
            continue

    class Missing:
        def __init__(self) -> None:
            raise FrameworkError(f"analyzer.callbacks.{callback} needs {packages}; install it where the training runs")

    return Missing


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the values that are single numbers, NaN and infinity among them, as floats; the others are left out."""
    found = {}
    for name, value in values.items():
        if isinstance(value, bool | str):
            continue
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError, RuntimeError, OverflowError):  # an array, a tensor of several, None
            continue
    return found


def refuse_several(stops: bool, processes: int) -> None:
    """Raise UsageError when a training of several processes is to be stopped by what one of them finds."""
    if stops and processes > 1:
        raise UsageError(f"stop_on works with one process, this training has {processes}; leave stop_on out")
