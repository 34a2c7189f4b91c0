"""A clock of our own for what is done with a connection: a socket's timeout begins anew with every byte that comes."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Cuts a connection when its time is up, however it is kept alive."""

    connection: http.client.HTTPConnection
    sockets: list[socket.socket] = field(default_factory=list)
    is_late: bool = False

    def __post_init__(self) -> None:
        self._timer: threading.Timer | None = None

    def hold(self) -> None:
        """Keep the socket at hand: the connection itself lets go of it once the last answer has begun."""
        self.sockets.append(self.connection.sock)

    def allow(self, seconds: float) -> None:
        """Give so much time from now on, whatever was given before. TimeoutError when that is up already."""
        self.stop()
        if self.is_late:
            raise TimeoutError
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Cut nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _cut(self) -> None:
        self.is_late = True
        for one in (self.connection.sock, *self.sockets):
            with suppress(OSError):  # it has just been closed
                if one is not None:
                    # the plain socket's own: that of TLS would pull its state away from under a thread that reads
                    socket.socket.shutdown(one, socket.SHUT_RDWR)


@contextmanager
def watched(connection: http.client.HTTPConnection) -> Iterator[Clock]:
    """Yield a clock for what is done with a connection. TimeoutError when it was cut, whatever that looks like.

    An answer that does not say how long it is looks whole where it is cut.
    """
    clock = Clock(connection)
    try:
        yield clock
    except (OSError, http.client.HTTPException, ValueError) as error:
        if clock.is_late:
            raise TimeoutError from error
        raise
    finally:
        clock.stop()
    if clock.is_late:
        raise TimeoutError
