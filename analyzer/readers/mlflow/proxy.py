"""The proxy between this machine and a server, as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from analyzer.errors import UsageError
from analyzer.model.redaction import mask_text


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy: where it listens, the header with its login, and the variable that names it."""

    host: str
    port: int
    variable: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"the proxy {self.host}:{self.port} of {self.variable}"


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy that leads to a host, None where the variables name none or exempt the host.

    UsageError for a proxy that does not speak HTTP in the clear (https://, socks5://), or has no host.
    """
    named = getproxies_environment()
    kind = next((kind for kind in (scheme, "all") if named.get(kind)), None)
    if kind is None or proxy_bypass(f"{host}:{port}", named):
        return None
    address, variable = named[kind], f"{kind.upper()}_PROXY"
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        where = parts.hostname, parts.port or 80
    except ValueError:
        where = None, 0
    if parts.scheme != "http" or not where[0]:
        raise UsageError(
            f"{variable} names the proxy {mask_text(address)}, which cannot be used; give it as http://host:port, or "
            f"add {host} to NO_PROXY"
        )
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    headers = {} if login == ":" else {"Proxy-Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    return Proxy(where[0], where[1], variable, headers)
