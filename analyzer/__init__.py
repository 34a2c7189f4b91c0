"""posthoc reads the logs that training leaves behind and says what went wrong in each run, why, and what to do."""

from __future__ import annotations

TYPE_CHECKING = False  # as of typing, which takes longer to import than the rest of this file
if TYPE_CHECKING:
    from typing import Any

    from analyzer.api import analyze, audit, brief, compare, history, open_runs, report, scalars, seed_noise

__all__ = ["analyze", "audit", "brief", "compare", "history", "open_runs", "report", "scalars", "seed_noise"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the public functions when one is first asked for, so that `import analyzer` stays light."""
    if name in __all__:
        from analyzer import api  # noqa: PLC0415 - the point of this function

        return getattr(api, name)
    raise AttributeError(f"module 'analyzer' has no attribute {name!r}")
