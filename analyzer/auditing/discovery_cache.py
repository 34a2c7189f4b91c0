"""What was learnt while runs were looked for, kept in the state from night to night."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from analyzer.auditing.state import State


class DiscoveryCache:
    """A memo for analyzer.readers.discover(). The state is opened when it is asked; without one all is forgotten."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._state: State | None = None
        self._learnt: dict[str, tuple[str, str]] = {}
        self._asked: list[str] = []

    def known(self, place: str, stamp: str) -> str | None:
        """Return what was kept of a place with this stamp. StateError when the state cannot be read."""
        if self._path is None:
            return None
        if self._state is None:
            self._state = State(self._path)
        self._asked.append(place)
        return self._state.discovered_at(place, stamp)

    def keep(self, place: str, stamp: str, text: str) -> None:
        """Keep it, when this is left without an error."""
        self._learnt[place] = (stamp, text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._state is None:
            return
        with self._state as state:
            if error is None:
                learnt = [(place, stamp, text) for place, (stamp, text) in self._learnt.items()]
                state.keep_discoveries(learnt, self._asked, time.time())
