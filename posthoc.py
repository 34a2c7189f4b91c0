"""posthoc under the name of its distribution: `import posthoc` offers what `import analyzer` offers."""

from __future__ import annotations

import analyzer
from analyzer import __all__, __version__  # noqa: F401 - the names that are offered

TYPE_CHECKING = False  # as of typing, which takes longer to import than the rest of this file
if TYPE_CHECKING:
    from typing import Any

    from analyzer import *  # noqa: F403 - the names of analyzer.__all__, for type checkers and editors


def __getattr__(name: str) -> Any:
    """Return what `analyzer` has under this name."""
    try:
        return getattr(analyzer, name)
    except AttributeError:
        raise AttributeError(f"module 'posthoc' has no attribute {name!r}") from None


def __dir__() -> list[str]:
    """Return the names that completion offers."""
    return sorted({*globals(), *__all__})


if __name__ == "__main__":
    import sys

    from analyzer.cli import main

    sys.exit(main())
