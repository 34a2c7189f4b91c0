"""Masking of what must never leave a log: passwords in addresses, and parameters that look like credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"

_USER_INFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.\-]*://)[^/\s?#]*@")
_QUERY = re.compile(
    r"(?P<name>[?&;](?:[\w.]*[_\-.])?(?:pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|access|private)[_\-]?key(?:[_\-]?id)?"
    r"|auth(?:orization)?|credentials?|sig(?:nature)?|x-amz-[a-z\-]+|key))=[^&\s#;]*",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_START, _END = r"(?:^|[_\-./ ])", r"(?:[_\-./ ](?:id|value))?$"
_PASSWORD = re.compile(
    rf"{_START}(?:password|passwd|passphrase|pwd|secrets?|credentials?|(?:api|access|private|secret)[_\-]?keys?"
    rf"|auth(?:orization)?|(?:auth|access|api|bearer|refresh|hub|hf|wandb|github|gitlab|session)[_\-.]?token){_END}",
    re.IGNORECASE,
)
_TOKEN = re.compile(rf"{_START}(?:tokens?|keys?){_END}", re.IGNORECASE)
_COUNT = re.compile(r"[+\-]?\d+(?:\.\d*)?(?:e[+\-]?\d+)?|true|false|none|null", re.IGNORECASE)
_LOOKS = re.compile(
    r"(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w\-]{16,}|sk-[A-Za-z0-9\-_]{16,}"
    r"|xox[abposr]-[\w\-]{10,}|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|AIza[\w\-]{30,}"
    r"|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*|Bearer\s+[\w\-.=]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY)"
)


def mask_text(text: str) -> str:
    """Return the text with user info in URIs, secret query parameters and well-known token shapes masked."""
    text = _USER_INFO.sub(rf"\g<scheme>{MASK}@", text)
    text = _QUERY.sub(rf"\g<name>={MASK}", text)
    return _LOOKS.sub(MASK, text)


def mask_params(params: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters with the values of names that look like credentials masked.

    A name that can only be a credential (`db_password`, `api_key`) is masked whatever its value; one that may
    also be a count (`tokens`, `max_tokens`) keeps numbers. Addresses and known token shapes are masked in
    every text.
    """
    return {mask_text(name): _masked(name, value) for name, value in params.items()}


def _masked(name: str, value: object) -> object:
    words = _CAMEL.sub("_", name)
    text = str(value)
    if not text or text == "None":
        return value
    if _PASSWORD.search(words) or (_TOKEN.search(words) and not _COUNT.fullmatch(text)):
        return MASK
    return mask_text(value) if isinstance(value, str) else value
