"""The kinds of logs in files: a module here that has a KIND is one; there is no list to enter it in."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from analyzer.readers.filelog.kind import Kind


@cache
def known() -> dict[str, Kind]:
    """Return every kind by its name, in the order in which they are asked."""
    modules = (importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__))
    kinds: list[Kind] = [module.KIND for module in modules]
    return {kind.name: kind for kind in sorted(kinds, key=lambda kind: (kind.rank, kind.name))}
