"""A health criterion: one claim that a healthy run must show, with the numbers that show or refute it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["shown", "refuted", "unclear", "not-applicable"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One claim about a run.

    *shown*: the numbers of the log support it. *refuted*: they contradict it. *unclear*: it applies, and the log is
    too weak to tell. *not-applicable*: the log has nothing that it could be asked of.
    """

    criterion: str
    state: State
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
