"""Masking of what must never leave a log: passwords in addresses, tokens, and parameters that look like credentials.

The shapes of tokens are those that their issuers document; gitleaks and detect-secrets look for the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

MASK = "***"
DIGEST = 6  # hexadecimal digits: they tell two masked names apart, and are too few to confirm a guess
RANDOM = 12  # characters from which a value in a name may be a token

# The user info of an address goes up to its last @, whatever a careless password holds; blanks and quotes end it.
_USER_INFO = re.compile(
    r"(?P<name>[a-zA-Z][a-zA-Z0-9+.\-]{1,30}:/{1,2})(?=[^\s\"'<>@/]{0,400}[:@])(?P<value>[^\s\"'<>]{1,600})(?P<end>@)"
)
_STRICT = r"pass(?:word|wort|wd|phrase)?|pwd|pw|secret|credentials?|(?:account|signing|encryption|shared)[_\-]?key"
_LOOSE = r"token|(?:api|access|private|secret)[_\-]?key(?:[_\-]?id)?|auth(?:orization)?|jwt|bearer|cookie"
_CREDENTIAL = rf"{_STRICT}|{_LOOSE}"
_QUERY = re.compile(
    rf"(?P<name>[?&;#](?:[\w.]{{0,60}}[_\-.])?(?:{_CREDENTIAL}|sig(?:nature)?|x-amz-[a-z\-]{{1,40}}|key)=)"
    r"(?P<value>[^&\s#;]+)(?P<end>)",
    re.IGNORECASE,
)
# `--password x`, `--password=x`, and both as items of a list: `'--password', 'x'`
_OPTION = re.compile(
    rf"(?P<name>--?(?:[\w]{{0,40}}[_\-])?(?:{_CREDENTIAL})(?:[\"']?\s*,\s*[\"']|\s+[\"']?|=[\"']?))(?!-)"
    r"(?P<value>(?<=[\"'])[^\"']+|[^\s\"']+)(?P<end>)",
    re.IGNORECASE,
)
_PLAIN = r"(?:true|false|none|null|\d{1,6}|\d*\.\d+)\b"
_VALUE = (
    r"[\"']?\s*[:=]\s*)(?:(?P<quote>[\"'])(?P<quoted>[^\"'\n]*)(?=[\"'])|"
    rf"(?!\*\*\*)(?!{_PLAIN})(?P<value>[^\s\"'}}\])]+))(?P<end>)"
)
_PAIR = re.compile(rf"(?P<name>(?<![A-Za-z])(?:[\w.]{{0,60}}[_\-.])?(?:{_CREDENTIAL})\d{{0,2}}{_VALUE}", re.IGNORECASE)
_CAMEL_PAIR = re.compile(
    r"(?P<name>[a-z0-9](?:Pass(?:word|wd|phrase)?|Pwd|Secret|Token|(?:Api|Access|Account|Private|Secret)Key|Credentials?)"
    + _VALUE
)
_PAIRS = (_PAIR, _CAMEL_PAIR)
_STRICT_NAME = re.compile(_STRICT, re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PASSWORD = re.compile(
    r"(?:^|[_\-./ ])(?:pass(?:word|wort|wd|phrase)?s?\d*|pwd\d*|pw\d*|secrets?\d*|credentials?|auth(?:orization)?"
    r"|(?:api|access|private|secret|account|signing|encryption|ssh)[_\-]?keys?\d*|jwt|bearer|cookies?$|session[_\-]?id"
    r"|dsn|conn(?:ection)?[_\-]?str(?:ing)?|webhook(?:[_\-]?url)?|kubeconfig"
    r"|(?:auth|access|api|bearer|refresh|hub|hf|wandb|github|gitlab|session|id|bot|slack)[_\-.]?token\d*)"
    r"(?:$|[_\-./ ])",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?:^|[_\-./ ])(?:tokens?|keys?)(?:[_\-./ ](?:id|value))?$", re.IGNORECASE)
_COUNT = re.compile(r"[+\-]?\d+(?:\.\d*)?(?:e[+\-]?\d+)?|true|false|none|null", re.IGNORECASE)
_LOOKS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|(?:(?<![A-Za-z0-9])(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w\-]{16,}"
    r"|sk-[A-Za-z0-9\-_]{16,}|[sr]k_(?:live|test)_\w{10,}|whsec_\w{16,}|xox[abposr]-[\w\-]{10,}|xapp-[\w\-]{10,}"
    r"|(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}|AIza[\w\-]{30,}|ya29\.[\w\-]{16,}|GOCSPX-[\w\-]{16,}|dapi[0-9a-f]{32}"
    r"|nvapi-[\w\-]{16,}|npm_[A-Za-z0-9]{30,}|pypi-[\w\-]{16,}|hv[sb]\.[\w\-]{20,}|gsk_[A-Za-z0-9]{20,}"
    r"|SG\.[\w\-]{16,}\.[\w\-]{16,}|dop_v1_[0-9a-f]{32,}|pul-[0-9a-f]{32,}|r8_[A-Za-z0-9]{30,}|lin_api_\w{30,}"
    r"|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*))"
    r"|hooks\.slack\.com/services/[\w/]+|discord(?:app)?\.com/api/webhooks/[\w/\-]+"
    r"|\b(?:[Bb]earer|[Bb]asic)\s+(?=\S*[0-9=+/.])[\w\-.=+/~]{8,}",
    re.DOTALL,
)

Shown = Callable[[str], str]


def mask_text(text: str) -> str:
    """Return the text with user info in URIs, secret query parameters, pairs and well-known token shapes masked."""
    return _masked_text(text, lambda _: MASK, everything=True)


@lru_cache(maxsize=1 << 16)  # the same tags come in thousands of runs
def mask_name(name: str) -> str:
    """Return the name of a run, series, file or folder with its secrets masked, each by a digest of its own.

    Two names that differ in their secrets alone stay two, in whatever order they come. `token=word` is a setting in a
    name: only what can be a token is masked there, and whatever a password is called by name.
    """
    return _masked_text(name, _digested, everything=False)


def _digested(secret: str) -> str:
    return MASK + hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST]


def _masked_text(text: str, shown: Shown, *, everything: bool) -> str:
    text = _LOOKS.sub(lambda found: shown(found[0]), text)

    def hidden(found: re.Match[str]) -> str:
        groups = found.groupdict()
        quote, value = groups.get("quote") or "", groups.get("quoted") or groups["value"] or ""
        kept = not value or value.startswith(MASK) or re.fullmatch(_PLAIN, value, re.IGNORECASE)
        loose = not everything and not _STRICT_NAME.search(found["name"]) and not _may_be_random(value)
        return found[0] if kept or loose else f"{found['name']}{quote}{shown(value)}{found['end']}"

    def user(found: re.Match[str]) -> str:
        kept = found["value"].startswith(MASK)
        return found[0] if kept else f"{found['name']}{shown(found['value'])}{found['end']}"

    if "://" in text or ":/" in text:
        text = _USER_INFO.sub(user, text)
    if "=" in text or ":" in text or "-" in text:
        for pattern in (_QUERY, _OPTION, *_PAIRS):
            text = pattern.sub(hidden, text)
    return text


def _may_be_random(value: str) -> bool:
    """Whether a value can be a token: long, with digits among its letters."""
    return len(value) >= RANDOM and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def mask_params(params: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters with the values of names that look like credentials masked.

    A name that can only be a credential (`db_password`, `api_key`) is masked whatever its value; one that may
    also be a count (`tokens`, `max_tokens`) keeps numbers. Addresses and known token shapes are masked in
    every text.
    """
    return {mask_name(name): _masked(name, value) for name, value in params.items()}


def _masked(name: str, value: object) -> object:
    words = _CAMEL.sub("_", name)
    text = str(value)
    if not text or text == "None":
        return value
    if _PASSWORD.search(words) or (_TOKEN.search(words) and not _COUNT.fullmatch(text)):
        return MASK
    return mask_text(value) if isinstance(value, str) else value
