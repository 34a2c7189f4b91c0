"""One module for each parser of bytes that others made.

Each has `one_input(data)`, which states what holds for all bytes, and `seeds()`, a few inputs to begin with. A target
is there because its module is.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Protocol, cast


class Target(Protocol):
    """What a module of this package offers."""

    @staticmethod
    def one_input(data: bytes) -> None:
        """Parse the bytes. Raises when a law is broken."""

    @staticmethod
    def seeds() -> Iterator[bytes]:
        """Yield inputs to begin with, each of another kind."""


NAMES = tuple(one.name for one in pkgutil.iter_modules(__path__))


def target(name: str) -> Target:
    """Return the target of a name among NAMES."""
    return cast(Target, import_module(f"{__name__}.{name}"))
