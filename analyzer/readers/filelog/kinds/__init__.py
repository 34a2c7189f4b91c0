"""The kinds of logs in files: a module here that has a KIND is one; no list names them."""

from __future__ import annotations

import fnmatch
import importlib
import pkgutil
import re
from functools import cache

from analyzer.readers.filelog.kind import Kind


@cache
def known() -> dict[str, Kind]:
    """Return every kind by its name, in the order in which they are asked."""
    modules = (importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__))
    kinds: list[Kind] = [module.KIND for module in modules]
    return {kind.name: kind for kind in sorted(kinds, key=lambda kind: (kind.rank, kind.name))}


def asked_for(name: str) -> bool:
    """Whether some kind asks for a file of this name."""
    return _any_name().match(name) is not None


@cache
def _any_name() -> re.Pattern[str]:
    names = (name for kind in known().values() for name in kind.names)
    return re.compile("|".join(fnmatch.translate(name) for name in names), re.IGNORECASE)
