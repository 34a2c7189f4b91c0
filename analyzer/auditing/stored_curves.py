"""The thinned curves of a result as text, so that its page can be drawn again without reading the log."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace

import numpy as np

from analyzer.model.result import Result
from analyzer.model.run import Series

FAST = 1
"""Level of compression: higher ones save a twentieth of the bytes for three times the time."""

_WORD = 8  # bytes of a step and of a value


def curves_text(result: Result) -> str:
    """Return the steps and values of a result's curves as one line of ASCII, to the last bit; times are left out.

    Pages show no times. Steps are stored as differences and all numbers byte by byte by significance: most curves come
    from float32, whose lower bytes are zeros then. That takes about 5 bytes a point.
    """
    held = [(place, row.curve) for place, row in enumerate(result.series) if row.curve is not None]
    head = json.dumps([(place, curve.points) for place, curve in held]).encode()
    columns = [np.diff(curve.steps, prepend=np.int64(0)).astype("<i8") for _, curve in held]
    columns += [curve.values.astype("<f8") for _, curve in held]
    body = np.frombuffer(b"".join(column.tobytes() for column in columns), np.uint8).reshape(-1, _WORD)
    return base64.b64encode(zlib.compress(head + b"\n" + body.T.tobytes(), FAST)).decode("ascii")


def with_curves(result: Result, text: str) -> Result:
    """Return the result with the curves of curves_text(). ValueError for what that function did not write."""
    try:
        head, _, body = zlib.decompress(base64.b64decode(text, validate=True)).partition(b"\n")
    except zlib.error as error:
        raise ValueError(str(error)) from error
    places: list[tuple[int, int]] = [(int(place), int(points)) for place, points in json.loads(head)]
    total = sum(points for _, points in places)
    words = np.frombuffer(body, np.uint8).reshape(_WORD, 2 * total).T.tobytes()
    steps, values = np.frombuffer(words, "<i8")[:total], np.frombuffer(words, "<f8")[total:]
    series, at = list(result.series), 0
    for place, points in places:
        here = slice(at, at + points)
        curve = Series(series[place].tag, np.cumsum(steps[here]), values[here], np.full(points, np.nan))
        series[place] = replace(series[place], curve=curve)
        at += points
    return replace(result, series=tuple(series))
