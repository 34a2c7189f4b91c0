"""Masking of what must never leave a log: passwords in addresses, and parameters that look like credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"

# The user info of an address goes up to its last @, whatever a careless password holds; blanks and quotes end it.
_USER_INFO = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.\-]{1,30}:/{1,2})(?=[^\s\"'<>@/]{0,400}[:@])[^\s\"'<>]{1,600}@"
)
_CREDENTIAL = (
    r"pass(?:word|wort|wd|phrase)?|pwd|pw|secret|token|(?:api|access|private|secret)[_\-]?key(?:[_\-]?id)?"
    r"|auth(?:orization)?|credentials?"
)
_QUERY = re.compile(
    rf"(?P<name>[?&;#](?:[\w.]{{0,60}}[_\-.])?(?:{_CREDENTIAL}|sig(?:nature)?|x-amz-[a-z\-]{{1,40}}|key))=[^&\s#;]+",
    re.IGNORECASE,
)
_OPTION = re.compile(rf"(?P<name>--?(?:[\w]{{0,40}}[_\-])?(?:{_CREDENTIAL})(?:\s+|=))(?!-)[^\s\"']+", re.IGNORECASE)
_PAIR = re.compile(
    rf"(?P<name>(?<![A-Za-z])(?:[\w.]{{0,60}}[_\-.])?(?:{_CREDENTIAL})[\"']?\s*[:=]\s*)"
    r"(?P<quote>[\"']?)(?!\*\*\*)(?!(?:true|false|none|null|\d{1,6}|\d*\.\d+)\b)[^\s\"',;&}\])]+",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PASSWORD = re.compile(
    r"(?:^|[_\-./ ])(?:pass(?:word|wort|wd|phrase)?s?\d*|pwd|pw|secrets?|credentials?|auth(?:orization)?"
    r"|(?:api|access|private|secret)[_\-]?keys?"
    r"|(?:auth|access|api|bearer|refresh|hub|hf|wandb|github|gitlab|session)[_\-.]?token)(?:$|[_\-./ ])",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?:^|[_\-./ ])(?:tokens?|keys?)(?:[_\-./ ](?:id|value))?$", re.IGNORECASE)
_COUNT = re.compile(r"[+\-]?\d+(?:\.\d*)?(?:e[+\-]?\d+)?|true|false|none|null", re.IGNORECASE)
_LOOKS = re.compile(
    r"(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w\-]{16,}|sk-[A-Za-z0-9\-_]{16,}"
    r"|xox[abposr]-[\w\-]{10,}|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|AIza[\w\-]{30,}"
    r"|hooks\.slack\.com/services/[\w/]+"
    r"|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*|(?:Bearer|Basic)\s+[\w\-.=+/]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY)"
)


def mask_text(text: str) -> str:
    """Return the text with user info in URIs, secret query parameters and well-known token shapes masked."""
    text = _LOOKS.sub(MASK, text)
    if "://" in text or ":/" in text:
        text = _USER_INFO.sub(rf"\g<scheme>{MASK}@", text)
    if "=" in text or ":" in text or "-" in text:
        text = _QUERY.sub(rf"\g<name>={MASK}", text)
        text = _OPTION.sub(rf"\g<name>{MASK}", text)
        text = _PAIR.sub(rf"\g<name>\g<quote>{MASK}", text)
    return text


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
