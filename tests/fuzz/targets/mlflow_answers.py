"""Answers of a tracking server: whatever it says, and however the bytes break off, the source is refused or read.

The first byte says how the rest becomes answers, one for each question: as bodies behind good headers, or as all that
comes through the connection. Each point of a list is read or counted as lost.
"""

from __future__ import annotations

import http.client
import io
import json
import re
from collections.abc import Iterator
from unittest import mock

from analyzer.errors import PosthocError
from analyzer.readers.formats import Choice
from analyzer.readers.mlflow import rest, server
from analyzer.readers.mlflow.responses import History
from tests.fuzz.inputs import Taken
from tests.fuzz.laws import only, sound

ADDRESS = "http://127.0.0.1:9"
QUICK = rest.Limits(attempts=1, pause=0.0, pages=20)
MOST_RUNS = 4
_IDLE = http.client.HTTPConnection


class Line:
    """A socket on which one answer has come already."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self.answer)

    def sendall(self, _: object) -> None:
        pass

    settimeout = shutdown = sendall

    def close(self) -> None:
        pass


def one_input(data: bytes) -> None:
    """Ask a server whose answers are these bytes for its runs, and read some of them."""
    taken = Taken(data)
    framed = taken.number() % 2 == 0
    answers = [taken.bytes(taken.number(2)) for _ in iter(lambda: bool(taken), False)]
    for each in answers:
        _points_are_read_or_counted(each)
    left = iter(answers)

    def opened(self: rest.Server, seconds: float) -> http.client.HTTPConnection:
        connection, body = _IDLE(self.host, self.port, timeout=seconds), next(left, b"")
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) if framed else b""
        connection.sock = Line(head + body)
        return connection

    with mock.patch.object(server, "LIMITS", QUICK), mock.patch.object(rest.Server, "_connection", opened):
        server._servers.clear()
        with only(PosthocError):
            for ref in server.runs_at(ADDRESS, Choice(deleted=True))[:MOST_RUNS]:
                sound(ref.load({}).run)
        with only(PosthocError):
            sound(server.run_at(ADDRESS, "a").load({}).run)


def _points_are_read_or_counted(body: bytes) -> None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return
    points = found.get("metrics") if isinstance(found, dict) else found
    history = History()
    history.add(points)
    if isinstance(points, list):
        lost = sum(int(count) for text in history.problems for count in re.findall(r"^(\d+) values", text))
        assert history.size + lost == len(points)
        series = history.series("loss")
        assert (series.points if series else 0) == history.size


def _bodies(*bodies: object) -> bytes:
    raws = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
    return b"".join(len(raw).to_bytes(2, "little") + raw for raw in raws)


def seeds() -> Iterator[bytes]:
    """Yield the answers of a server with one run, odd ones, and plain bytes."""
    run = {"info": {"run_id": "a", "experiment_id": "1", "status": "FINISHED", "end_time": 9, "start_time": "x"},
           "data": {"metrics": [{"key": "loss"}], "params": [{"key": "lr", "value": 1}], "tags": [{}]},
           "inputs": {"dataset_inputs": [{"dataset": {"name": "iris"}, "tags": None}]}}  # fmt: skip
    points = [{"value": 0.5, "timestamp": 1, "step": 0}, {"value": "NaN", "timestamp": "2"}, {"value": "x"}, 1]
    known = ({"experiments": [{"experiment_id": "1", "name": "vision"}]}, {"runs": [run]}, {})
    yield b"\0" + _bodies(*known, {"run": run}, {"metrics": points}, {"run": run}, {"experiment": {}})
    yield b"\0" + _bodies(*known, {"run": run}, {"metrics": points[:1], "next_page_token": "t"}, {"metrics": None})
    yield b"\0" + _bodies({"experiments": []}, {"workspaces_enabled": True}, {"workspaces": [{"name": "x"}]}, known[0])
    yield b"\0" + _bodies([], 5, {"run": 7}, {"metrics": [{"value": 10**400, "timestamp": 10**30}]})
    yield b"\1" + _bodies(
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n", b"HTTP/1.1 500 x\r\nRetry-After: 9\r\n\r\n{"
    )
    yield b"\1" + _bodies(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", b"HTTP/9 x", b"")
