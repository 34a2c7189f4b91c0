"""How values show themselves: renderers that `analyzer/__init__.py` sets, for it alone knows the writers."""

from __future__ import annotations

TYPE_CHECKING = False  # as of typing, which takes longer to import than the rest of the package's first file
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

    Kind = Literal["run", "run-frame", "result", "audit", "history", "comparison"]

_RENDERERS: dict[Kind, Callable[..., Any]] = {}


def set_renderer(kind: Kind, renderer: Callable[..., Any]) -> None:
    """Let a function show values of a kind: as an HTML fragment, or as a pandas frame for `run-frame`."""
    _RENDERERS[kind] = renderer


def rendered(kind: Kind, value: object, **options: Any) -> Any:
    """Return what the renderer of a kind makes of a value."""
    return _RENDERERS[kind](value, **options)
