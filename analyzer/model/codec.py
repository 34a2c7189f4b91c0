"""Nouns as plain JSON values and back, by their own type hints: what is kept between nights and sent between processes.

A noun becomes the list of its fields in order. That is compact and has no names to grow stale: whoever keeps such
values keeps beside them which code wrote them, and never shows them to other code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from analyzer.model.result import json_number

T = TypeVar("T")


def text_of(noun: object) -> str:
    """Return a noun as one line of strict JSON. TypeError when it holds what is neither noun nor plain value."""
    return json.dumps(_plain(noun), allow_nan=False, separators=(",", ":"))


def noun_of(kind: type[T], text: str) -> T:
    """Return the noun that text_of() wrote. ValueError or TypeError for anything else."""
    with _one_error():
        return cast(T, _reader(cast(Any, kind))(json.loads(text)))


def require(kind: Any, text: str) -> None:
    """Raise ValueError or TypeError unless a text from elsewhere holds the values that a noun's type hints promise.

    noun_of() takes values as they are, for it reads what this code wrote; a file from elsewhere may hold others.
    """
    with _one_error():
        _require(kind, json.loads(text, parse_constant=_refuse), kind.__name__)


@contextmanager
def _one_error() -> Iterator[None]:
    """Make a ValueError of whatever a value of another shape makes of reading it."""
    try:
        yield
    except (AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _require(kind: Any, value: Any, place: str) -> None:
    origin, parts = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        _all_of(_hinted(cast(Any, kind)), value, place)
    elif origin is Literal:
        _insist(any(value is part or value == part for part in parts), value, place)
    elif origin in (Union, UnionType):
        inner = [part for part in parts if part is not type(None)]
        if value is not None or len(inner) == len(parts):
            _require_any(inner, value, place)
    elif origin is not None and issubclass(origin, Mapping):
        _insist(isinstance(value, dict), value, place)
        for part in value.values():
            _require(parts[1], part, place)
    elif origin is tuple and parts[-1] is not Ellipsis:
        _all_of([(part, place) for part in parts], value, place)
    elif origin is not None:  # a sequence of one kind
        _insist(isinstance(value, list), value, place)
        for part in value:
            _require(parts[0], part, place)
    elif kind is not Any and kind is not object:
        _require_plain(kind, value, place)


def _require_plain(kind: Any, value: Any, place: str) -> None:
    if kind is not float:
        _insist(type(value) is kind, value, place)
    elif isinstance(value, str):
        float(value)  # as json_number() writes what JSON has no number for
    else:
        _insist(isinstance(value, (int, float)) and not isinstance(value, bool), value, place)
        float(value)  # raises for a whole number beyond all floats


@cache
def _hinted(noun: Any) -> tuple[tuple[Any, str], ...]:
    """Return the type hint and the full name of each field of a noun."""
    hints = get_type_hints(noun)
    return tuple((hints[name], f"{noun.__name__}.{name}") for name in _names(noun))


def _all_of(kinds: Sequence[tuple[Any, str]], value: Any, place: str) -> None:
    _insist(isinstance(value, list) and len(value) == len(kinds), value, place)
    for (kind, where), part in zip(kinds, value, strict=True):
        _require(kind, part, where)


def _require_any(kinds: Sequence[Any], value: Any, place: str) -> None:
    for kind in kinds[:-1]:
        try:
            _require(kind, value, place)
        except (ValueError, TypeError):
            continue
        return
    _require(kinds[-1], value, place)


def _insist(holds: bool, value: Any, place: str) -> None:
    if not holds:
        raise ValueError(f"{place} cannot be {value!r:.40}")


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return json_number(float(value))
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return [_plain(getattr(value, name)) for name in _names(cast(Any, type(value)))]


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what makes a value of a type hint from its plain form."""
    origin, parts = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _noun_reader(cast(Any, kind))
    if origin is tuple and parts[-1] is Ellipsis:
        one = _reader(parts[0])
        return tuple if one is _as_it_is else lambda value: tuple([one(part) for part in value])
    if origin is tuple:
        each = [_reader(part) for part in parts]
        return lambda value: tuple(read(part) for read, part in zip(each, value, strict=True))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping) and parts[1] is float:
        return lambda value: {key: _number(part) for key, part in value.items()}
    if origin in (Union, UnionType):
        inner = _reader(next(part for part in parts if part is not type(None)))
        leaves_none = inner in (_number, _as_it_is)
        return inner if leaves_none else lambda value: None if value is None else inner(value)
    return _number if kind is float else _as_it_is


def _noun_reader(noun: Any) -> Callable[[Any], Any]:
    """Return what makes a noun of the list of its fields; only those are touched that are not plain already."""
    names, hints = _names(noun), get_type_hints(noun)
    readers = [(i, one) for i, name in enumerate(names) if (one := _reader(hints[name])) is not _as_it_is]

    def read(value: Any) -> Any:
        if len(value) != len(names):
            raise ValueError(f"{noun.__name__} has {len(names)} fields, not {len(value)}")
        made = list(value)
        for i, one in readers:
            made[i] = one(made[i])
        return noun(*made)

    return read


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


def _as_it_is(value: Any) -> Any:
    return value
