"""Who asks a tracking server: by MLflow's own environment variables, or by user and password in its address.

Variables belong to the server that MLFLOW_TRACKING_URI names, when it names one: they are not sent to another host.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from analyzer.errors import SourceError, UsageError
from analyzer.readers.mlflow.address import split_address

URI, TOKEN = "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN"
USER, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
INSECURE, AUTHORITY = "MLFLOW_TRACKING_INSECURE_TLS", "MLFLOW_TRACKING_SERVER_CERT_PATH"
CLIENT = "MLFLOW_TRACKING_CLIENT_CERT_PATH"


@dataclass(frozen=True)
class Login:
    """What is sent with every question, never shown, and what is said when it is not enough."""

    headers: Mapping[str, str] = field(repr=False)
    advice: str

    @classmethod
    def of(cls, scheme: str, host: str, user: str | None, password: str | None) -> Login:
        """Return the login for a host. As in MLflow's client a user with a password goes before a token."""
        if user is not None:
            said = "the user and password in the address are not accepted"
            return cls({"Authorization": _basic(unquote(user), unquote(password or ""))}, said)
        named = _host_of(os.environ.get(URI, ""))
        user, password, token = (os.environ.get(name) for name in (USER, PASSWORD, TOKEN))
        if named and named != host and (user or token):
            return cls({}, f"the login in MLflow's variables is for {URI} ({named}) and was not sent to another host")
        if user and password:
            said = f"the login in {USER} and {PASSWORD} is not accepted"
            return cls({"Authorization": _basic(user, password)}, said)
        if token:
            return cls({"Authorization": f"Bearer {_plain(token, TOKEN)}"}, f"the token in {TOKEN} is not accepted")
        return cls({}, f"it wants a login; set {USER} and {PASSWORD}, or {TOKEN}")

    def context(self) -> ssl.SSLContext:
        """Return how certificates are verified: always, unless MLflow's own variable says otherwise.

        UsageError when two of the variables contradict each other, SourceError when a file they name cannot be used.
        """
        insecure = os.environ.get(INSECURE, "").lower() in {"1", "true"}
        authority, client = os.environ.get(AUTHORITY), os.environ.get(CLIENT)
        if insecure and authority:
            raise UsageError(f"{INSECURE} and {AUTHORITY} contradict each other; unset one of them")
        try:
            folder = bool(authority) and Path(str(authority)).is_dir()
            context = ssl.create_default_context(
                cafile=None if folder else authority, capath=authority if folder else None
            )
            if client:
                context.load_cert_chain(client)
        except OSError as error:  # ssl.SSLError is one, too
            which = f"{AUTHORITY} or {CLIENT}" if client else AUTHORITY
            raise SourceError(
                f"the certificate that {which} names cannot be used ({error.strerror or error})"
            ) from error
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _plain(token: str, name: str) -> str:
    """Return a token that a header can hold. UsageError, without the token, for one with blanks or line ends."""
    if not token.isascii() or not token.isprintable() or " " in token.strip():
        raise UsageError(f"{name} holds blanks or characters that no token has; set it again")
    return token.strip()


def _host_of(address: str) -> str | None:
    return split_address(address).hostname if "://" in address else None
