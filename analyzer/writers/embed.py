"""Data inside a page: JSON that no markup can break out of, and curves as the script of the page reads them."""

from __future__ import annotations

import base64
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from analyzer.model.result import SeriesRow, json_number
from analyzer.model.run import Series
from analyzer.model.thinning import thin
from analyzer.writers.phrases import visible

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def json_for_html(value: Any) -> Markup:
    """Return strict JSON for a `<script type="application/json">`: plain ASCII without `<`, `>`, `&`."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return Markup(text)  # noqa: S704 - escaped above for the only place it is used in


def packed(series: Series) -> dict[str, Any]:
    """Return a curve for the script: `v` the upper 24 bits of float32 values in base64, `s` the steps.

    Steps are `[first, stride, count]` under `r` when they are even, else the first and the differences under
    `s`. Values keep four significant digits; NaN and ±inf survive; what float32 cannot hold is written out
    under `n` instead of `v`.
    """
    steps = [int(s) for s in series.steps]
    strides = [b - a for a, b in itertools.pairwise(steps)]
    even = len(set(strides)) == 1
    where = {"r": [steps[0], strides[0], len(steps)]} if even else {"s": steps[:1] + strides}
    return where | _packed_values(series.values)


def _packed_values(values: NDArray[np.float64]) -> dict[str, Any]:
    if np.any(np.isfinite(values) & (np.abs(values) > np.finfo(np.float32).max)):
        return {"n": [json_number(float(v)) for v in values]}
    bits = values.astype(">f4").view(np.uint8).reshape(-1, 4)[:, :3]
    return {"v": base64.b64encode(bits.tobytes()).decode("ascii")}


@dataclass
class SpillFile:
    """The curves a page embeds, each stretch of a tag once; charts refer to them by number.

    Several shelves may share `curves`: one for each run whose curves stand on the same page.
    """

    curves: list[dict[str, Any]] = field(default_factory=list)
    _numbers: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def number(self, row: SeriesRow, curve: Series, at_most: int) -> int:
        """Return the number of the row's curve, after putting it on the shelf with at most so many points."""
        place = (row.tag, int(curve.steps.min()), int(curve.steps.max()))  # a close-up is another curve
        if place not in self._numbers:
            self._numbers[place] = len(self.curves)
            self.curves.append({"t": visible(row.tag), **packed(thin(curve, at_most))})
        return self._numbers[place]
