"""What a judgement depends on besides the log: the code, the detectors of other packages, the settings."""

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
    told = (chosen, sorted(settings.ignore), roles, limits, settings.alpha, settings.stale_after)
    return CacheKey(code(), _digest([repr(told).encode("utf-8", "surrogateescape")]))


@cache
def code() -> str:
    """Return a digest of posthoc's own code and templates, and of every detector's limits and page.

    The version alone would let a checkout that is worked on keep stale results.
    """
    own = Path(__file__).parent.parent
    files = [*sorted(own.rglob("*.py")), *sorted(template_folder().iterdir())]
    parts = [path.read_bytes() for path in files if path.is_file()]
    known = [repr((name, sorted(d.default_limits.items()), d.page)) for name, d in detectors.known().items()]
    return _digest([*parts, *(text.encode() for text in known)])


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]
