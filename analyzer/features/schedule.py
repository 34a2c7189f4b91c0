"""The learning rate's story and the run's seams: ordinary events that may explain what a curve does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from analyzer.features.curve import Curve
from analyzer.model.evidence import Sign
from analyzer.model.formatting import number, step
from analyzer.model.result import Event
from analyzer.stats import echoes
from analyzer.stats.robust import median

DROP, JUMP = 0.7, 1.4  # a rate that falls or rises by these factors between two points has been set anew
MOST_DROPS = 40  # an exponential decay that is logged rarely has more: no single step of it is an event
ONCE = 1  # turns of a rate that is warmed up and decays: it has not repeated itself
STILL = 1e-9  # relative change of a rate that rounding makes


def rate_events(rate: Curve | None) -> tuple[Event, ...]:
    """Return the phases of a learning rate: warm-up (its end), drops, and restarts (jumps up after the warm-up)."""
    if rate is None or rate.n < 3 or not np.any(rate.raw > 0):
        return ()
    values, steps = rate.raw, rate.at
    events: list[Event] = []
    warm = _warm_up_end(values)
    if warm is not None:
        what = "the end of the warm-up" if warm < rate.n - 1 else "the end of the log within the warm-up"
        events.append(Event("warm-up", int(steps[warm]), f"{what}, at a learning rate of {number(values[warm])}"))
    before, after = values[:-1], values[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(before > 0, after / np.maximum(before, 1e-300), np.where(after > 0, np.inf, 1.0))
    drops = np.flatnonzero((ratio < DROP) & (after < before))
    events += [
        Event(
            "lr-drop", int(steps[i + 1]), f"a drop of the learning rate from {number(before[i])} to {number(after[i])}"
        )
        for i in (drops if drops.size <= MOST_DROPS else ())
    ]
    events += [
        Event(
            "lr-restart",
            int(steps[i + 1]),
            f"a rise of the learning rate from {number(before[i])} to {number(after[i])}",
        )
        for i in np.flatnonzero(ratio > JUMP)
        if warm is None or i >= warm
    ]
    return tuple(_apart(sorted(events, key=lambda e: e.step), 0.02 * float(steps[-1] - steps[0])))


def last_moving(rate: Curve) -> int:
    """Return the last step with a rate above 0, one before the first when there is none."""
    above = np.flatnonzero(rate.raw != 0)
    return int(rate.at[above[-1]]) if above.size else int(rate.at[0]) - 1


def _apart(events: list[Event], reach: float) -> Iterator[Event]:
    """Yield the first of events of one kind that follow each other closely: one warm-up, one decay."""
    last: dict[str, int] = {}
    for event in events:
        if event.kind not in last or event.step - last[event.kind] > reach:
            yield event
        last[event.kind] = event.step


def _warm_up_end(values: np.ndarray) -> int | None:
    """Return the index at which a rate that rises from its first value on is at its top; None for any other rate.

    A rate that rests and then leaps to its top in one step has been changed, not warmed up.
    """
    top = int(np.argmax(values))
    rising = values[: top + 1]
    if top == 0 or rising[0] >= 0.9 * rising[-1] or np.any(np.diff(rising) < -1e-12 * rising[-1]):
        return None
    leap = int(np.argmax(np.diff(rising)))
    if leap > 0 and rising[leap] == rising[0]:
        return None
    reached = np.flatnonzero(rising >= _nearly(rising[-1]))
    return int(reached[0])


def _nearly(top: float) -> float:
    """Return what counts as the top of a rate; a negative rate, which only a broken log has, counts as it is."""
    return min(0.999 * top, top)


def still_warming_up(rate: Curve) -> float:
    """Return the share of the run in which the rate had not reached its top yet; 0 unless it rises all the way.

    A rate that ever falls, or hardly rises, or that starts at more than half of its top has no warm-up.
    """
    values, steps = rate.raw, rate.at
    if values[0] > 0.5 * values[-1] or np.any(np.diff(values) < 0) or steps[-1] == steps[0]:
        return 0.0
    top = steps[int(np.flatnonzero(values >= _nearly(values[-1]))[0])]
    return float(top - steps[0]) / float(steps[-1] - steps[0])


def restart_events(curves: Iterable[Curve]) -> tuple[Event, ...]:
    """Return one event per step to which several curves of the run went back."""
    seen: dict[int, int] = {}
    for curve in curves:
        for back in curve.points.restarts:
            seen[back] = seen.get(back, 0) + 1
    merged: list[int] = []
    for back in sorted(seen):
        if not merged or back > merged[-1] + 1:
            merged.append(back)
    return tuple(Event("restart", s, f"a restart from step {step(s)}") for s in merged[:50])


def rate_period(rate: Curve | None) -> float | None:
    """Return the period of a cyclic learning rate in steps, None when it does not repeat itself."""
    if rate is None or rate.n < 24:
        return None
    values = rate.raw
    if values.max() < 1.2 * max(values.min(), 1e-300):
        return None
    changes = np.diff(np.log(np.maximum(values, 1e-12 * values.max())))
    ways = np.sign(changes[np.abs(changes) > STILL])
    if np.count_nonzero(np.diff(ways)) <= ONCE:
        return None
    rests = np.concatenate([[True], changes[:-1] <= STILL])  # a rise over several points is one
    ups = np.flatnonzero((changes > np.log(JUMP)) & rests)
    if ups.size >= 2:
        gaps = np.diff(rate.at[ups + 1].astype(np.float64))
        return median(gaps)
    found = echoes.find_period(values - values.mean())
    return found.length * rate.cadence if found and found.echo > 0.5 else None


RATE_RAISED = "rate-raised"
"""The id of the sign, and of the cause, that a learning rate was raised in one step."""

RAISED_CAUSE = "a learning rate that was raised in one step"
RAISED_SENTENCE = "the learning rate goes from {before} to {after} at step {step:step}"


def raised_sign(rate: Curve | None, event: Event | None) -> Sign | None:
    """Return the sign that an event raised the learning rate, with its values; None where it did not."""
    raised = raised_at(rate, event.step) if event is not None and event.kind == "lr-restart" else None
    if event is None or raised is None:
        return None
    return Sign(RATE_RAISED, numbers={"step": event.step, "before": raised[0], "after": raised[1]})


def raised_at(rate: Curve | None, at: int) -> tuple[float, float] | None:
    """Return the learning rate before and after its change at a step, None where it is not higher after it."""
    if rate is None:
        return None
    place = int(np.searchsorted(rate.at, at))
    if not 0 < place < rate.n or rate.raw[place] <= rate.raw[place - 1]:
        return None
    return float(rate.raw[place - 1]), float(rate.raw[place])


def rising_at(rate: Curve | None, at: int) -> float | None:
    """Return the learning rate at a step if it had just reached its highest value so far, still rising; else None."""
    if rate is None or rate.n < 5:
        return None
    before = rate.raw[rate.at <= at]
    if before.size < 5:
        return None
    earlier = before[-max(5, before.size // 10)]
    return float(before[-1]) if before[-1] >= 0.999 * before.max() and before[-1] > 1.05 * earlier else None
