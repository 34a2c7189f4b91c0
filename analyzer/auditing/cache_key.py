"""What stored results and pages depend on besides the log: code, detectors of other packages, settings, templates.

The two keys are apart: a change of a template or of the style draws pages again from stored results and judges nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from analyzer import detectors
from analyzer.settings import Settings
from analyzer.writers.template_environment import template_folder


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Which code judged, under which settings, as digests; two results of one log differ only when these do."""

    code: str
    settings: str

    @property
    def key(self) -> str:
        """Both as one text."""
        return f"{self.code}:{self.settings}"

    @classmethod
    def parsed(cls, key: str) -> Self:
        """Return what `key` was made of."""
        code, _, settings = key.partition(":")
        return cls(code, settings)

    def rejudge_reason(self, before: Self) -> str:
        """Return in words why results are not those of `before`; "" when they are."""
        upgraded, changed = self.code != before.code, self.settings != before.settings
        if upgraded:
            return "of an upgrade and of changed settings" if changed else "of an upgrade"
        return "settings changed" if changed else ""


def judging(settings: Settings) -> CacheKey:
    """Return what tonight's results depend on. Suppressions are not part of it: they are laid over results."""
    chosen = None if settings.select is None else sorted(settings.select)
    roles = sorted((tag, role.role, role.split, role.direction) for tag, role in settings.roles.items())
    limits = sorted((symptom, sorted(own.items())) for symptom, own in settings.limits.items())
    told = (chosen, sorted(settings.ignore), roles, limits, settings.alpha, settings.stale_after, settings.price)
    return CacheKey(judging_code(), _digest([repr(told).encode("utf-8", "surrogateescape")]))


WITHOUT_JUDGING = ("writers", "cli", "comparing")
"""Packages that nothing imports while a run is read and judged (tests/auditing/test_cache_key.py)."""


def code() -> str:
    """Return a digest of all code and templates: shards and the workers of one audit must agree in it.

    The version alone would let a checkout that is worked on keep stale results.
    """
    return _digest([judging_code().encode(), drawing_code().encode()])


@cache
def judging_code() -> str:
    """Return a digest of the code that reads and judges, and of the limits of every detector."""
    own = Path(__file__).parent.parent
    files = [path for path in own.rglob("*.py") if path.relative_to(own).parts[0] not in WITHOUT_JUDGING]
    known = [repr((name, sorted(d.default_limits.items()))) for name, d in detectors.known().items()]
    return _digest([*_contents(files), *(text.encode() for text in known)])


@cache
def drawing_code() -> str:
    """Return a digest of the code that draws pages, of the templates, and of the pages of all symptoms."""
    own = Path(__file__).parent.parent
    files = [*(own / "writers").rglob("*.py"), *template_folder().iterdir()]
    return _digest([*_contents(files), *((d.page or "").encode() for d in detectors.known().values())])


def _contents(files: Iterable[Path]) -> list[bytes]:
    return [path.read_bytes() for path in sorted(files) if path.is_file()]


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]
