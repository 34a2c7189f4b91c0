"""What the user may set: command line over --config over posthoc.toml or [tool.posthoc] in the working directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class RoleSetting:
    """A tag's meaning as the user gives it (`--role TAG=ROLE[:SPLIT[:lower|higher]]`)."""

    role: str
    split: str | None = None
    direction: str | None = None


@dataclass(frozen=True)
class Settings:
    """All that shapes a judgement. `limits` maps a symptom to its overruled limits; `stale_after` is in seconds."""

    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    roles: Mapping[str, RoleSetting] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    alpha: float = 0.01
    stale_after: float = 6 * 3600.0
