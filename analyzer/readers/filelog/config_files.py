"""Settings that lie with a log (YAML or JSON): flat, bounded, and never trusted.

YAML is read with the plainest loader: it makes no objects, whatever its tags say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from analyzer.model.formatting import in_one_line

LARGEST = 1 << 20  # bytes
DEEPEST = 20  # collections inside each other
MOST_PARAMS = 2_000
_SHORTEST_LIST = 8  # items of a list that is still shown as one value


def settings_of(raw: bytes, name: str) -> tuple[Mapping[str, Any], str | None]:
    """Return the mapping in a document and None, or an empty one and what is wrong with it in a sentence."""
    if len(raw) >= LARGEST:
        return {}, f"{name} is larger than {LARGEST >> 20} MiB and was not read"
    if not raw.strip():
        return {}, None
    try:
        text = raw.decode("utf-8-sig")
        found = json.loads(text) if name.endswith(".json") else _yaml(text)
    except Exception as error:  # a parser's own errors, RecursionError, what PyYAML lets through
        return {}, f"{name} could not be read ({in_one_line(error)})"
    if not isinstance(found, Mapping):
        return {}, None if found in (None, "") else f"{name} holds no mapping"
    return found, None


def _yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - only where there is such a file

    plain = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    depth = 0
    for event in yaml.parse(text, Loader=plain):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError("it is nested too deep")
    return yaml.load(text, Loader=plain)  # noqa: S506 - it makes no objects


def flat(settings: Mapping[str, Any]) -> dict[str, object]:
    """Return nested settings as `outer.inner`: value, at most MOST_PARAMS of them."""
    return dict(islice(_leaves(settings, "", 0), MOST_PARAMS))


def _leaves(settings: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and depth < DEEPEST:
            yield from _leaves(value, f"{name}.", depth + 1)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            plain = len(value) <= _SHORTEST_LIST and not any(isinstance(one, Mapping | list) for one in value)
            yield name, ", ".join(map(str, value)) if plain else f"{len(value)} items"
        elif not isinstance(value, Mapping):
            yield name, value
