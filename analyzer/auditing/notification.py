"""One message a night, when something is new, to whatever apprise reaches. Addresses hold secrets, and stay unseen."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

from analyzer.errors import UsageError

ATTEMPTS, PAUSE = 3, 2.0
"""How often delivery is tried, and the seconds between."""

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]{0,20})://")


class Notifier:
    """Addresses that are told. UsageError when apprise is missing, or does not know what one of them means."""

    def __init__(self, addresses: Sequence[str]) -> None:
        try:
            import apprise  # noqa: PLC0415 - slow, and not always there
        except ImportError as error:
            raise UsageError("--notify needs apprise; install the extra: pip install 'posthoc[notify]'") from error
        self._services: list[tuple[str, Any]] = []
        for number, address in enumerate(addresses, 1):
            name = _shown(number, address)
            service = apprise.Apprise()
            if not service.add(address):
                raise UsageError(f"{name} is not a complete address of a service that apprise supports")
            self._services.append((name, service))

    def send(self, title: str, text: str) -> list[str]:
        """Send a message in plain text; return a sentence for each address that could not be told."""
        return [f"{name}: could not be notified" for name, one in self._services if not _sent(one, title, text)]


def _sent(service: Any, title: str, text: str) -> bool:
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE if attempt else 0.0)
        try:
            if service.notify(title=title, body=text, body_format="text"):
                return True
        except Exception:  # noqa: S112 - whatever a service's module does, the night is told; the caller says so
            continue
    return False


def _shown(number: int, address: str) -> str:
    scheme = _SCHEME.match(address)
    return f"notify address {number} ({scheme[1] if scheme else '?'}://…)"
