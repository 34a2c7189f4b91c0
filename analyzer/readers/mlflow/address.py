"""Addresses that a user, a log or a server gives, taken apart whatever they hold."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def split_address(address: str) -> SplitResult:
    """Return the parts of an address; its scheme alone where the rest means nothing, as in `http://[::1`."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult(address.partition(":")[0], "", "", "", "")
