"""One tracking server over HTTP: bounded in time, attempts and bytes; every failure is one sentence; no secret in any.

The standard library's client, for a server's address is the only thing that is needed: certificates are verified,
redirects are not followed (they could carry the login to another host), and a clock ends an answer that comes byte by
byte. Connections are kept, one for each question asked at a time.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import socket
import ssl
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from analyzer.errors import SourceError, UsageError
from analyzer.model.redaction import mask_text
from analyzer.readers.mlflow.address import split_address
from analyzer.readers.mlflow.deadline import watched
from analyzer.readers.mlflow.login import Login
from analyzer.readers.mlflow.proxy import Proxy, proxy_for

AGAIN = (429, 500, 502, 503, 504)
"""Answers that may be others a moment later, as MLflow's own client takes them."""
USER_AGENT = "posthoc"
WORKSPACE, _WORKSPACE = "MLFLOW_WORKSPACE", "X-MLFLOW-WORKSPACE"
"""MLflow's own variable for a workspace, and the header that asks for it."""
_WORDS = re.compile(r"\s+")
_OTHER_HOST = (62, 64)
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH, which Python has no names for."""
_TUNNEL = re.compile(r"Tunnel connection failed: (\d+)(.*)")  # what http.client says of a proxy's answer to CONNECT


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a server is waited for, how often it is asked, and how much is taken from it."""

    answer: float = 60.0  # seconds from connecting to an answer's first line
    body: float = 30.0  # seconds from there to its last byte
    question: float = 120.0  # seconds for all attempts of one question, pauses apart from those the server asks for
    whole: float = 600.0  # seconds for all that one run, or the list of runs, needs
    attempts: int = 5  # of one question
    pause: float = 0.3  # seconds before the second attempt, twice as many before each further one
    size: int = 1 << 26  # bytes of one answer
    pages: int = 10_000  # of one list


class RefusedError(SourceError):
    """The server did not give what was asked; `status` is its answer's number, 0 when there was none.

    `endless`: an answer began and did not come to its end in time.
    """

    def __init__(self, sentence: str, status: int = 0, *, endless: bool = False) -> None:
        super().__init__(sentence)
        self.status, self.endless = status, endless


class _BrokenError(Exception):
    """An exchange that failed on its way; the text says how. After `attempts` of them it is not tried again.

    `endless`: an answer began and did not come to its end in time.
    """

    def __init__(self, text: str, attempts: int = 100, *, endless: bool = False) -> None:
        super().__init__(text)
        self.attempts, self.endless = attempts, endless


@dataclass
class Server:
    """A tracking server: `shown` is its address as it may be told, `base` the path before the API's.

    `workspace` is the one that is asked for, "" for what the server takes without one; `proxy` leads to it.
    """

    scheme: str
    host: str
    port: int
    base: str
    shown: str
    login: Login = field(repr=False)
    limits: Limits = Limits()
    workspace: str = ""
    proxy: Proxy | None = None

    def __post_init__(self) -> None:
        self._idle: list[http.client.HTTPConnection] = []
        weakref.finalize(self, _close_all, self._idle)
        self._tls = self.login.context() if self.scheme == "https" else None

    def ask(self, method: str, path: str, until: float, *, query: Mapping[str, object] | None = None,
            body: Mapping[str, object] | bytes | None = None) -> Mapping[str, Any]:  # fmt: skip
        """Return the JSON object that answers a question, before the moment `until` (of time.monotonic()).

        RefusedError, in one sentence, when there is none.
        """
        raw = self.content(method, path, until, query=query, body=body)
        if isinstance(body, bytes) and not raw.strip():  # what is stored is answered with nothing
            return {}
        found = _json(raw)
        if not isinstance(found, dict):
            what = "what is not a JSON object; is it a tracking server?" if raw.strip() else "nothing"
            raise RefusedError(f"{self.shown}: {path} answers with {what}")
        return found

    def content(self, method: str, path: str, until: float, *, query: Mapping[str, object] | None = None,
                body: Mapping[str, object] | bytes | None = None) -> bytes:  # fmt: skip
        """Return what answers a question as it is. RefusedError, in one sentence, for whatever goes wrong."""
        target = f"{self.base}{path}" + (f"?{self._encoded(query, path)}" if query else "")
        enough = time.monotonic() + self.limits.question
        for attempt in range(1, self.limits.attempts + 1):
            last = attempt == self.limits.attempts
            try:
                status, headers, raw = self._exchange(method, target, body, min(until, enough))
            except _BrokenError as error:
                wait = self._pause(attempt, None)
                if last or attempt >= error.attempts or time.monotonic() + wait >= min(until, enough):
                    through = f", asked through {self.proxy}" if self.proxy else ""
                    said = f"{self.shown}{through}: {error} ({_times(attempt)})"
                    raise RefusedError(said, endless=error.endless) from error
            else:
                if 200 <= status < 300:
                    return raw
                wait = self._pause(attempt, headers.get("Retry-After"))
                enough += wait
                if status not in AGAIN or last or time.monotonic() + wait >= min(until, enough):
                    raise self._refused(status, headers, raw, path, attempt)
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _encoded(self, query: Mapping[str, object], path: str) -> str:
        """Return a query as an address holds it. RefusedError for a text that UTF-8 cannot hold."""
        try:
            return urlencode(query, encoding="utf-8")
        except UnicodeEncodeError as error:
            what = f"{path} cannot be asked: a name has a lone surrogate in it, which no address can hold"
            raise RefusedError(f"{self.shown}: {what}") from error

    def until(self) -> float:
        """Return the moment at which what begins now has to be done."""
        return time.monotonic() + self.limits.whole

    def _pause(self, attempt: int, wanted: str | None) -> float:
        own = self.limits.pause * 2.0 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - keeps askers apart
        return max(own, float(wanted)) if wanted and re.fullmatch(r"\d{1,6}", wanted.strip()) else own

    def _exchange(
        self, method: str, target: str, body: Mapping[str, object] | bytes | None, until: float
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        seconds = min(self.limits.answer, until - time.monotonic())
        if seconds <= 0:
            raise _BrokenError(f"not done within {self.limits.whole:g} s", 1)
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = "text/html; charset=utf-8" if isinstance(body, bytes) else "application/json"
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Content-Type": kind, **self.login.headers}
        if self.workspace:
            headers[_WORKSPACE] = self.workspace
        if self.proxy is not None and self._tls is None:
            target, headers = f"http://{self._authority}{target}", {**headers, **self.proxy.headers}
        connection, begun = self._connection(seconds), False
        try:
            with watched(connection) as clock:
                clock.allow(seconds)
                if connection.sock is None:
                    connection.connect()
                clock.hold()
                connection.sock.settimeout(seconds)
                connection.request(method, target, raw, headers)
                answer = connection.getresponse()
                rest = min(self.limits.body, max(0.0, until - time.monotonic()))
                clock.allow(rest)  # raises where the headers were cut, which look whole then
                seconds, begun = rest, True
                content = _content(answer, self.limits.size)
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise _broken(error, seconds, begun=begun) from error
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer.status, answer.headers, content

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        """Return an idle connection, or a new one that is not open yet."""
        try:
            kept = self._idle.pop()
        except IndexError:
            return self._opened(seconds)
        kept.timeout = seconds
        return kept

    def _opened(self, seconds: float) -> http.client.HTTPConnection:
        host, port = (self.host, self.port) if self.proxy is None else (self.proxy.host, self.proxy.port)
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=seconds)
        connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=self._tls)
        if self.proxy is not None:
            connection.set_tunnel(self.host, self.port, dict(self.proxy.headers))
        return connection

    @property
    def _authority(self) -> str:
        named = f"[{self.host}]" if ":" in self.host else self.host
        return named if self.port == 80 else f"{named}:{self.port}"

    def _refused(
        self, status: int, headers: http.client.HTTPMessage, raw: bytes, path: str, attempt: int
    ) -> RefusedError:
        told = _json(raw)
        message = told.get("message") if isinstance(told, dict) else None
        why = f": {mask_text(_WORDS.sub(' ', str(message))[:300])}" if message else ""
        said = f"{self.shown}: {self._sentence(status, headers, path)} ({_times(attempt)}){why}"
        return RefusedError(said, status)

    def _sentence(self, status: int, headers: http.client.HTTPMessage, path: str) -> str:
        if 300 <= status < 400:
            return f"{status}, it sends on to {_place(headers.get('Location', ''))}, which is not followed; give that \
address if it is yours"
        if status == 401:
            return f"401, {self.login.advice}"
        if status == 407:
            return f"407, {self.proxy or 'a proxy'} wants a login; give it as http://user:password@host:port"
        return {
            403: "403, this login may not do that; ask whoever runs the server for the permission",
            404: f"404, there is nothing at {path}; check the address and the id",
            429: "429, it is asked too often; try again later",
        }.get(status, f"{status}, " + ("it has a fault of its own" if status >= 500 else "it refuses the question"))


def server_at(address: str, limits: Limits | None = None) -> Server:
    """Return the server at an `http(s)://` address, with the login that MLflow's variables or the address give.

    SourceError when the address has no host, or a port that is none; UsageError for a proxy that cannot be used.
    """
    parts = split_address(address)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise SourceError(f"{mask_text(address)}: its port is not a number up to 65535") from error
    host = parts.hostname
    if not host or any(ord(letter) <= 32 for letter in address):
        raise SourceError(f"{mask_text(address)}: an address without a host; give it as https://host:port")
    named = f"[{host}]" if ":" in host else host
    base = parts.path.rstrip("/")
    shown = f"{parts.scheme}://{named}{f':{parts.port}' if parts.port else ''}{base}"
    workspace = workspace_of(address)
    login = Login.of(parts.scheme, host, parts.username, parts.password)
    proxy = proxy_for(parts.scheme, host, port)
    return Server(parts.scheme, host, port, base, mask_text(shown), login, limits or Limits(), workspace, proxy)


def workspace_of(address: str) -> str:
    """Return the workspace that an address (`?workspace=…`) or MLflow's own variable names, "" when none does.

    UsageError for one that no header can hold.
    """
    asked = parse_qs(split_address(address).query).get("workspace", [])
    name = asked[0] if asked else os.environ.get(WORKSPACE, "").strip()
    if not name.isascii() or not name.isprintable():
        raise UsageError(f"{mask_text(address)}: the workspace has characters that no workspace's name has")
    return name


def in_workspace(address: str, name: str) -> str:
    """Return the address of a server with a workspace in it."""
    return f"{address.partition('?')[0]}?{urlencode({'workspace': name})}"


def _close_all(idle: list[http.client.HTTPConnection]) -> None:
    for connection in idle:
        connection.close()


def _broken(error: Exception, seconds: float, *, begun: bool) -> _BrokenError:
    """Return what an exchange's failure means, and after how many of its kind it is hopeless."""
    if isinstance(error, TimeoutError):
        what = f"no whole answer within {seconds:.3g} s"
        return _BrokenError(f"{what} of its beginning", 1, endless=True) if begun else _BrokenError(what, 2)
    if tunnel := _TUNNEL.search(str(error)):
        wants = "the proxy wants a login; give it as http://user:password@host:port"
        refuses = f"the proxy does not lead there ({tunnel[1]}{tunnel[2]}); check the address, or use NO_PROXY"
        return _BrokenError(wants if tunnel[1] == "407" else refuses, 1)
    hopeless = isinstance(error, ssl.SSLCertVerificationError)
    return _BrokenError(_failure(error), 1 if hopeless else 100)


def _failure(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _mistrust(error)
    if isinstance(error, socket.gaierror):
        return "no host of this name is known; check the address"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; check the address, and that the server runs"
    if isinstance(error, http.client.IncompleteRead):
        return "its answer broke off in the middle"
    if isinstance(error, (http.client.RemoteDisconnected, ConnectionError)):
        return "it closed the connection without an answer"
    return f"what it answers is not HTTP ({type(error).__name__})" if not isinstance(error, OSError) else str(error)


def _mistrust(error: ssl.SSLCertVerificationError) -> str:
    """Return why a certificate is refused, and what to do: one of another host is no matter of trusted authorities."""
    if error.verify_code in _OTHER_HOST:
        why = error.verify_message.rstrip(".")
        return f"its certificate is for another host ({why}); give the address that the certificate names"
    return (
        f"its certificate is not trusted ({error.verify_message}); name the right one in "
        "MLFLOW_TRACKING_SERVER_CERT_PATH"
    )


def _content(answer: http.client.HTTPResponse, most: int) -> bytes:
    """Return an answer's whole body. _BrokenError when it is larger than `most`; IncompleteRead when it breaks off."""
    if answer.length is not None and answer.length <= most:
        return answer.read()
    raw = b"" if answer.length is not None else answer.read(most + 1)
    if answer.length is not None or len(raw) > most:
        raise _BrokenError(f"an answer is larger than {most:,} bytes, which is not taken", 1)
    return raw


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _place(location: str) -> str:
    """Return where a redirect leads, without its query, which may hold a login's state."""
    parts = split_address(location)
    place = parts.netloc.rpartition("@")[2]
    return mask_text(f"{parts.scheme}://{place}{parts.path}"[:200] if place else parts.path[:200]) or "nowhere"


def _times(attempt: int) -> str:
    return "asked once" if attempt == 1 else f"asked {attempt} times"
