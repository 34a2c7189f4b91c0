"""Nouns as plain JSON values and back, by their own type hints: what is kept between nights and sent between processes.

A noun becomes the list of its fields in order. That is compact and has no names to grow stale: whoever keeps such
values keeps beside them which code wrote them, and never shows them to other code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from analyzer.model.result import json_number

T = TypeVar("T")


def text_of(noun: object) -> str:
    """Return a noun as one line of strict JSON. TypeError when it holds what is neither noun nor plain value."""
    return json.dumps(_plain(noun), allow_nan=False, separators=(",", ":"))


def noun_of(kind: type[T], text: str) -> T:
    """Return the noun that text_of() wrote. ValueError or TypeError for anything else."""
    return cast(T, _reader(cast(Any, kind))(json.loads(text)))


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
