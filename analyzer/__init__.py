"""posthoc reads the logs that training leaves behind and says what went wrong in each run, why, and what to do.

Functions and types are imported when they are first asked for. `analyzer.plugin` has what the author of a detector
needs, `analyzer.testing` curves and checks for its tests.
"""

from __future__ import annotations

from analyzer.model import display

TYPE_CHECKING = False  # as of typing, which takes longer to import than the rest of this file
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

    from analyzer.api import analyze, audit, brief, compare, history, merge, open_runs, report, scalars, seed_noise
    from analyzer.auditing.pipeline import Plan
    from analyzer.errors import (
        NoRunsError,
        OutputError,
        PosthocError,
        SettingsError,
        SeveralRunsError,
        SourceError,
        StateError,
        UsageError,
    )
    from analyzer.model.comparison import Comparison, SeedNoise
    from analyzer.model.health import Criterion
    from analyzer.model.history import History
    from analyzer.model.result import AuditResult, Event, Finding, JudgedMeasure, Night, NotChecked, Result, SeriesRow
    from analyzer.model.run import Note, Run, Series
    from analyzer.readers import Choice
    from analyzer.settings import Settings

__all__ = [
    "AuditResult",
    "Choice",
    "Comparison",
    "Criterion",
    "Event",
    "Finding",
    "History",
    "JudgedMeasure",
    "Night",
    "NoRunsError",
    "NotChecked",
    "Note",
    "OutputError",
    "Plan",
    "PosthocError",
    "Result",
    "Run",
    "SeedNoise",
    "Series",
    "SeriesRow",
    "Settings",
    "SettingsError",
    "SeveralRunsError",
    "SourceError",
    "StateError",
    "UsageError",
    "analyze",
    "audit",
    "brief",
    "compare",
    "history",
    "merge",
    "open_runs",
    "report",
    "scalars",
    "seed_noise",
]
__version__ = "0.1.0"

_HOMES = {
    "api": ("analyze", "audit", "brief", "compare", "history", "merge", "open_runs", "report", "scalars", "seed_noise"),
    "errors": (
        "NoRunsError",
        "OutputError",
        "PosthocError",
        "SettingsError",
        "SeveralRunsError",
        "SourceError",
        "StateError",
        "UsageError",
    ),
    "auditing.pipeline": ("Plan",),
    "model.history": ("History",),
    "model.comparison": ("Comparison", "SeedNoise"),
    "model.health": ("Criterion",),
    "model.result": (
        "AuditResult",
        "Event",
        "Finding",
        "JudgedMeasure",
        "Night",
        "NotChecked",
        "Result",
        "SeriesRow",
    ),
    "model.run": ("Note", "Run", "Series"),
    "readers": ("Choice",),
    "settings": ("Settings",),
}
"""The module of each public name; tests/test_surface.py compares it with the imports above."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import analyzer` stays light."""
    for home, names in _HOMES.items():
        if name in names:
            from importlib import import_module  # noqa: PLC0415 - the point of this function

            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module 'analyzer' has no attribute {name!r}")


def _show_run(run: Run) -> str:
    from analyzer.writers import notebook  # noqa: PLC0415 - when a notebook shows a run

    return notebook.run_fragment(run)


def _run_frame(run: Run, *, pivot: bool) -> pd.DataFrame:
    from analyzer import frames  # noqa: PLC0415 - when somebody wants a frame

    return frames.frame_of([run], pivot=pivot)


def _show_result(result: Result) -> str:
    from analyzer.writers import notebook  # noqa: PLC0415 - when a notebook shows a result

    return notebook.fragment(result)


def _show_audit(audited: AuditResult) -> str:
    from analyzer.writers import notebook  # noqa: PLC0415 - when a notebook shows an audit

    return notebook.audit_fragment(audited)


def _show_history(history: History) -> str:
    from analyzer.writers import history_page  # noqa: PLC0415 - when a notebook shows a history

    return history_page.fragment(history)


def _show_comparison(comparison: Comparison) -> str:
    from analyzer.writers import comparison as comparison_page  # noqa: PLC0415 - when a notebook shows a comparison

    return comparison_page.fragment(comparison)


display.set_renderer("run", _show_run)
display.set_renderer("run-frame", _run_frame)
display.set_renderer("result", _show_result)
display.set_renderer("audit", _show_audit)
display.set_renderer("history", _show_history)
display.set_renderer("comparison", _show_comparison)


def __dir__() -> list[str]:
    """Return the names that completion offers: the public ones beside the module's own."""
    return sorted({*globals(), *__all__})
