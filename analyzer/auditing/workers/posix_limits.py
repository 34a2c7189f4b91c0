"""What only POSIX systems have: limits on a process's memory and time. Elsewhere these do nothing, and say so."""

from __future__ import annotations

import os
import signal
import sys

LEAST_MEMORY = 1 << 30
"""Bytes of address space without which numpy and scipy alone cannot work."""


def share_of_memory(processes: int) -> int | None:
    """Return the bytes that each of so many processes may use of this machine's memory; None where nobody knows."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    return max(LEAST_MEMORY, whole // max(1, processes))


def limit_memory(size: int) -> bool:
    """Bound this process's address space to so many bytes; return whether the system does that (Linux)."""
    if not sys.platform.startswith("linux"):
        return False
    import resource  # noqa: PLC0415 - not on every system

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    own = size if most == resource.RLIM_INFINITY else min(size, most)
    resource.setrlimit(resource.RLIMIT_AS, (own, most))
    return True


def end_after(seconds: float) -> None:
    """End this process after so many seconds, whatever it hangs in; 0 takes that back.

    For the case that nobody is left who watches over it.
    """
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def death(code: int) -> str:
    """Return in words how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    more = ", as when the machine runs out of memory" if name == "SIGKILL" else ""
    return f"was killed ({name}{more})"
