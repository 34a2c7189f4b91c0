"""The values of a run without curves as a table: training beside held-out data, the gap, and chance."""

from __future__ import annotations

from analyzer.features.single_values.chance import Witness, witnesses
from analyzer.features.single_values.gaps import partner
from analyzer.features.single_values.values import Single, Value
from analyzer.model.result import Pair


def pairs(single: Single) -> tuple[Pair, ...]:
    """Return a row for each held-out value, then one for each training value without a partner."""
    levels = {w.tags[0]: w for w in reversed(witnesses(single)) if len(w.tags) == 1}
    mates = [(held, partner(single, held)) for held in single.held_out]
    used = {mate.tag for _, mate in mates if mate is not None}
    rows = [_row(held, mate, levels.get(held.tag)) for held, mate in mates]
    rows += [Pair(v.kind, v.tag, v.value, None, None, None, None, None) for v in single.training if v.tag not in used]
    return tuple(rows)


def _row(held: Value, mate: Value | None, beside: Witness | None) -> Pair:
    return Pair(
        held.kind,
        mate.tag if mate is not None else None,
        mate.value if mate is not None else None,
        held.tag,
        held.value,
        None if mate is None else mate.value - held.value,
        None if beside is None else beside.level,
        None if beside is None else beside.state == "clear",
    )
