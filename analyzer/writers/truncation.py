"""Foreign texts of any length, cut to what a page can bear; a hash keeps those apart that begin alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar, cast

import numpy as np

from analyzer.model.result import Result
from analyzer.model.run import Series

NAME, TEXT = 300, 1_000
"""Characters of a name (run, tag, parameter) and of a sentence that a page or the terminal shows."""

DOCUMENT = 10_000
"""Characters of any text in findings.json."""

_SENTENCES = frozenset(
    {"sentence", "reason", "reasons", "summary", "cause", "speaks_for", "advice", "message", "why", "text",
     "check", "in_this_log", "suppressed"}
)  # fmt: skip
_NO_TEXT = frozenset({type(None), bool, int, float, Series})
_Known = TypeVar("_Known")


def short(text: str, most: int = NAME) -> str:
    """Return the text, or its first `most` characters and eight hex digits of the SHA-256 of the whole."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… #{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def shortened(result: Result, name: int = NAME, text: int = TEXT) -> Result:
    """Return the result with all its texts cut, each tag the same way everywhere; curves are left as they are."""
    if fits(result, name, text):  # as nearly always
        return result
    tags = {row.tag for row in result.series} | {tag for f in result.findings for tag in (*f.tags, *f.also)}
    long = sorted((tag for tag in tags if len(tag) > name), key=len, reverse=True)

    def sentence(words: str) -> str:
        for tag in long:
            words = words.replace(tag, short(tag, name))
        return short(words, text)

    return _cut(result, lambda words: short(words, name), sentence)


def fits(result: Result, name: int = NAME, text: int = TEXT) -> bool:
    """Whether no text in a result is too long, so that shortened() would give the result itself."""
    names: list[Any] = [result]
    sentences: list[Any] = []
    return _all_fit(names, name, names, sentences) and _all_fit(sentences, text, names, sentences) and not names


def _all_fit(values: list[Any], most: int, names: list[Any], sentences: list[Any]) -> bool:
    """Whether all texts in the values fit; what is found inside them on the way is put where it belongs."""
    while values:
        value = values.pop()
        kind = type(value)
        if kind is str:
            if len(value) > most:
                return False
        elif kind is tuple:
            values.extend(value)
        elif kind in _NO_TEXT:
            continue
        elif kind is dict:
            values += [*value, *value.values()]
        elif is_dataclass(kind):
            for field, is_sentence in _fields(cast(Any, kind)):
                (sentences if is_sentence else names).append(getattr(value, field))
        elif not isinstance(value, (int, float, np.generic)):
            return False  # what else there is becomes a text of any length
    return True


def _cut(value: _Known, name: Callable[[str], str], sentence: Callable[[str], str]) -> _Known:
    """Return a noun with its texts cut, whatever it is made of."""
    changed: dict[str, Any] = {}
    for field, is_sentence in _fields(cast(Any, type(value))):
        old = getattr(value, field)
        if old is None:
            continue
        new = _within(old, sentence if is_sentence else name, (name, sentence))
        if new is not old:
            changed[field] = new
    return replace(value, **changed) if changed else value  # type: ignore[type-var]  # as above


@cache
def _fields(kind: Any) -> tuple[tuple[str, bool], ...]:
    """Return the names of a noun's fields, and whether each holds sentences."""
    return tuple((field.name, field.name in _SENTENCES) for field in fields(kind))


def _within(value: Any, cut: Callable[[str], str], both: tuple[Callable[[str], str], Callable[[str], str]]) -> Any:
    if isinstance(value, str):
        return cut(value)
    if value is None or isinstance(value, (int, float, Series)):
        return value
    if isinstance(value, tuple):
        parts = tuple(_within(part, cut, both) for part in value)
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
    if isinstance(value, Mapping):
        entries = {cut(key): _within(part, cut, both) for key, part in value.items()}
        return value if entries == dict(value) else entries
    return _cut(value, *both) if is_dataclass(value) else cut(str(value))
