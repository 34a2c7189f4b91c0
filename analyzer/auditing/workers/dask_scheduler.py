"""The way to a Dask scheduler, and what is said when there is none."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from analyzer.errors import PosthocError, UsageError
from analyzer.model.redaction import mask_text

if TYPE_CHECKING:
    from distributed import Client

REACH = 5.0
"""Seconds in which a scheduler has to answer."""

_ADDRESS = re.compile(r"(?:(?:tcp|tls|ws|wss)://)?(?P<host>\[[0-9a-fA-F:.%]+\]|[^\s:/@\[\]]+):(?P<port>[0-9]{1,5})/?")


def reach(address: str) -> None:
    """Make sure that there is a scheduler. UsageError for an address that means nothing, PosthocError when none answers
    there within seconds, or its machines have another Python.
    """
    with connected(address) as client:
        _same_python(client, address)


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Yield a client, and close it. UsageError for what is no address, PosthocError when no scheduler answers."""
    shown = mask_text(address)
    try:
        from distributed import Client  # noqa: PLC0415 - slow, and not always there
    except ImportError as error:
        raise UsageError("--cluster needs Dask; install the extra: pip install 'posthoc[cluster]'") from error
    _hush()
    nobody = f"no Dask scheduler answers at {shown}; start one (dask scheduler), or leave --cluster out"
    try:
        _knock(address)
        with ThreadPoolExecutor(1) as apart:  # a notebook has a loop of its own
            apart.submit(asyncio.run, _greet(address)).result()
        client = Client(address, timeout=REACH, set_as_default=False)
    except (ValueError, TypeError, ImportError) as error:
        what = f"--cluster {shown!r} cannot be reached as a Dask scheduler"
        raise UsageError(f"{what} ({one_line(error)})") from error
    except (OSError, TimeoutError) as error:
        raise PosthocError(nobody) from error
    try:
        yield client
    finally:
        with suppress(Exception):  # a connection that is gone cannot be closed, and need not be
            client.close(timeout=REACH)


def _knock(address: str) -> None:
    """Make sure that somebody listens there. UsageError for no such address, OSError when nobody does."""
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found["port"]) < 1 << 16:
        what = f"--cluster {mask_text(address)!r} is not the address of a Dask scheduler"
        raise UsageError(f"{what}; give one like tcp://host:8786")
    socket.create_connection((found["host"].strip("[]"), int(found["port"])), REACH).close()


async def _greet(address: str) -> None:
    """Shake hands as Dask does, within REACH: its client waits without end for one who listens and says nothing."""
    from distributed import Security  # noqa: PLC0415 - as above
    from distributed.comm import connect  # noqa: PLC0415

    async with asyncio.timeout(REACH):
        comm = await connect(address, timeout=REACH, **Security().get_connection_args("client"))
    comm.abort()


def _hush() -> None:
    """Keep Dask's own log off the terminal: what matters to the user comes as a sentence."""
    import logging  # noqa: PLC0415 - only with a cluster

    for name in ("distributed", "distributed.client", "distributed.core", "distributed.comm", "distributed.batched"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _same_python(client: Client, address: str) -> None:
    ours = "{}.{}".format(*sys.version_info[:2])
    try:
        known: Any = client.get_versions(check=False)
    except Exception as error:
        raise PosthocError(f"the cluster at {mask_text(address)} does not answer ({one_line(error)})") from error
    machines = {"scheduler": known["scheduler"], **known["workers"]}
    for name, one in machines.items():
        python = str((one or {}).get("host", {}).get("python", ours))
        if python.split(".")[:2] != ours.split("."):
            short = ".".join(python.split(".")[:3])
            raise PosthocError(f"the cluster's {name} has Python {short}, this machine {ours}; use the same on both")


def one_line(error: BaseException) -> str:
    """Return the first line of an error, at most 300 characters."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
