"""Faults of a known size, planted into the losses of real runs.

A curve is a mapping of tags to steps and values. Each planter returns the changed curve with what makes the fault
visible: its effect in standard errors of the place it is planted at, and the largest effect of that kind that the
curve shows by itself. Effects are measured in the logarithm of the loss where it is positive, else over its median.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Curve = Mapping[str, tuple[NDArray[np.int64], Array]]

VISIBLE_SIGMAS = 6.0  # standard errors: below, an expert could not be sure either
OVER_NATURAL = 2.0  # times the largest effect of the same kind that the clean curve has
UPWARD = frozenset({"exploding-loss", "slow-divergence", "lost-progress"})


@dataclass(frozen=True)
class Planted:
    """A sick curve: any of `symptoms` is right; `onset` is a step; `sigmas` the effect in standard errors."""

    curve: Curve
    fault: str
    symptoms: frozenset[str]
    onset: int
    size: float
    sigmas: float
    effect: float
    natural: float

    @property
    def visible(self) -> bool:
        """Whether the effect is beyond chance and beyond what the curve does by itself."""
        return self.sigmas >= VISIBLE_SIGMAS and self.effect >= OVER_NATURAL * self.natural


def losses(curve: Curve) -> tuple[list[str], list[str]]:
    """Return the tags of training and of held-out losses that are finite and have eight points or more."""
    named = [t for t, (_, v) in curve.items() if re.search("loss|perplexity", t, re.IGNORECASE) and "scale" not in t]
    fit = [t for t in named if curve[t][1].size >= 8 and np.isfinite(curve[t][1]).all()]
    held_out = [t for t in fit if re.search("val|eval|test|dev", t, re.IGNORECASE)]
    return [t for t in fit if t not in held_out], held_out


def longest(curve: Curve, tags: list[str]) -> str:
    """Return the tag with the most points; ValueError for none."""
    if not tags:
        raise ValueError("no loss to plant into")
    return max(tags, key=lambda tag: curve[tag][1].size)


def scaled(values: Array) -> Array:
    """Return the values in the units of effects: their logarithm, or a share of their median if one is not positive."""
    if float(values.min()) > 0:
        return np.asarray(np.log(values))
    return np.asarray(values / max(abs(float(np.median(values))), 1e-12))


def trend(y: Array, reach: int | None = None) -> Array:
    """Return a running mean over 2 reach + 1 points (default: an eighth of the curve), shorter at the ends."""
    half = max(2, y.size // 16) if reach is None else reach
    sums = np.concatenate([[0.0], np.cumsum(y)])
    at = np.arange(y.size)
    width = np.minimum(np.minimum(at, y.size - 1 - at), half)  # symmetric windows do not bend a slope
    return np.asarray((sums[at + width + 1] - sums[at - width]) / (2 * width + 1))


def level_error(y: Array, points: int) -> float:
    """Return the standard error of a mean over some points, by batch means of the later curve without its trend.

    Batch means hold the autocorrelation of the noise, which a standard deviation over a root does not.
    """
    late = (y - trend(y))[y.size // 4 :]
    size = max(1, min(points, late.size // 6))
    batches = late[: late.size // size * size].reshape(-1, size).mean(axis=1)
    spread = 1.4826 * float(np.median(np.abs(batches - np.median(batches))))
    return max(spread, float(np.std(np.clip(batches, -5 * spread, 5 * spread))), 1e-9) * np.sqrt(size / points)


def rises(y: Array, points: int) -> Array:
    """Return at each point of the later curve the mean of the next points less the mean of the last ones."""
    windows = np.lib.stride_tricks.sliding_window_view(y, points).mean(axis=1)
    return np.asarray((windows[points:] - windows[:-points])[y.size // 4 :])


def _window(y: Array) -> int:
    return max(2, y.size // 12)


def _changed(curve: Curve, tags: list[str], how: Callable[[NDArray[np.int64], Array], Array]) -> Curve:
    return {t: (s, how(s, v.copy()) if t in tags else v) for t, (s, v) in curve.items()}


def _step(curve: Curve, tag: str, at: float) -> tuple[int, int]:
    """Return the step and the place of a share of a tag's points."""
    steps = curve[tag][0]
    k = min(steps.size - 2, max(1, int(at * steps.size)))
    return int(steps[k]), k


def _both(curve: Curve) -> tuple[list[str], str]:
    train, held_out = losses(curve)
    return train + held_out, longest(curve, train or held_out)


def jump(curve: Curve, at: float, size: float) -> Planted:
    """Every loss is higher by a share of its level from a step on; its course goes on."""
    tags, main = _both(curve)
    step, _ = _step(curve, main, at)
    y = scaled(curve[main][1])
    width = _window(y)
    sick = _changed(curve, tags, lambda s, v: v + np.abs(v) * size * (s >= step))
    natural = float(np.max(rises(y, width), initial=0.0))
    effect = float(np.log1p(size))
    error = np.sqrt(2) * level_error(y, width)
    wanted = UPWARD | {"loss-spike", "overfitting"}
    return Planted(sick, "jump", wanted, step, size, effect / error, effect, natural)


def _ramp(curve: Curve, tags: list[str], step: int, size: float) -> Curve:
    last = max(int(curve[t][0][-1]) for t in tags)

    def how(s: NDArray[np.int64], v: Array) -> Array:
        k = int(np.searchsorted(s, step))
        if k == 0 or k >= v.size:
            return v
        course = trend(v)
        climb = course[k] + abs(course[k]) * size * (s[k:] - step) / max(1, last - step)
        v[k:] = climb + (v[k:] - course[k:])
        return v

    return _changed(curve, tags, how)


def _slow(curve: Curve, tags: list[str], fault: str, at: float, size: float) -> Planted:
    main = longest(curve, tags)
    step, k = _step(curve, main, at)
    y = scaled(curve[main][1])
    effect = float(np.log1p(size))
    error = np.sqrt(2) * level_error(y, max(2, (y.size - k) // 4))
    wanted = UPWARD | {"overfitting"}
    return Planted(_ramp(curve, tags, step, size), fault, wanted, step, size, effect / error, effect, 0.0)


def drift(curve: Curve, at: float, size: float) -> Planted:
    """Every loss turns and climbs to a share above its level at that step by the end."""
    return _slow(curve, _both(curve)[0], "drift", at, size)


def val_rise(curve: Curve, at: float, size: float) -> Planted:
    """The held-out losses turn and climb, training goes on."""
    return _slow(curve, losses(curve)[1], "val_rise", at, size)


def spike(curve: Curve, at: float, size: float) -> Planted:
    """The longest loss leaps by a share of its level and is back after about eight points."""
    _, main = _both(curve)
    step, k = _step(curve, main, at)
    y = scaled(curve[main][1])
    since = np.arange(y.size) - k
    shape = np.where(since >= 0, 0.75 ** np.maximum(since, 0), 0.0)
    sick = _changed(curve, [main], lambda _, v: v + np.abs(v) * size * shape)
    triples = np.median(np.lib.stride_tricks.sliding_window_view(y - trend(y), 3), axis=1)[y.size // 6 :]
    effect = float(np.log1p(size))
    wanted = frozenset({"loss-spike", "exploding-loss"})
    return Planted(sick, "spike", wanted, step, size, 0.7 * effect / level_error(y, 3), effect, float(triples.max()))


def wave(curve: Curve, at: float, size: float) -> Planted:
    """The longest loss swings by plus and minus a share of its level; `at` sets the period: 20 points to a fifth."""
    _, main = _both(curve)
    y = scaled(curve[main][1])
    longest_period = y.size / 5
    if longest_period < 20:
        raise ValueError("too few points for a wave")
    period = float(np.exp(np.log(20) + at * np.log(longest_period / 20)))
    turn = 2 * np.pi * np.arange(y.size) / period
    sick = _changed(curve, [main], lambda _, v: v + np.abs(v) * size * np.sin(turn))
    rest = (y - trend(y, max(2, int(period))))[y.size // 8 :]
    natural = 2 * abs(complex(np.mean(rest * np.exp(-1j * turn[y.size // 8 :]))))
    error = level_error(y, max(1, int(period / 4))) * np.sqrt(2 * (period / 4) / y.size)
    first = int(curve[main][0][0])
    return Planted(sick, "wave", frozenset({"repetitive-loss"}), first, size, size / error, size, natural)


def seam(curve: Curve, at: float, size: float) -> Planted:
    """A resume that has lost a share of the progress: from a step on the course is walked again from further back."""
    tags, main = _both(curve)
    step, k = _step(curve, main, at)
    y = scaled(curve[main][1])
    course = trend(y, max(1, y.size // 100))
    goal = course[k] + size * (float(np.median(y[: max(1, y.size // 100)])) - course[k])
    j = min(max(1, int(np.argmax(course <= goal))), k - 1)
    back = int(curve[main][0][k] - curve[main][0][j])

    def how(s: NDArray[np.int64], v: Array) -> Array:
        m = int(np.searchsorted(s, step))
        v[m:] = v[j : j + v.size - m] if s.size == y.size else np.interp(s[m:] - back, s, v.copy())
        return v

    effect = float(goal - course[k])
    error = np.sqrt(2) * level_error(y, _window(y))
    natural = float(np.max(rises(y, _window(y)), initial=0.0))
    wanted = UPWARD | {"loss-spike", "replayed-data"}
    return Planted(_changed(curve, tags, how), "seam", wanted, step, size, effect / error, effect, natural)


def _certain(curve: Curve, fault: str, step: int, wanted: set[str]) -> Planted:
    return Planted(curve, fault, frozenset(wanted), step, 1.0, np.inf, np.inf, 0.0)


def freeze(curve: Curve, at: float, size: float) -> Planted:
    """Every loss repeats its last value from a step on; the size has no meaning."""
    tags, main = _both(curve)
    step, _ = _step(curve, main, at)

    def how(s: NDArray[np.int64], v: Array) -> Array:
        return np.where(s >= step, v[max(0, int(np.searchsorted(s, step)) - 1)], v)

    wanted = {"plateau", "hidden-nan", "stalled-run", "learning-rate-stuck", "wasted-tail", "not-converging"}
    return _certain(_changed(curve, tags, how), "freeze", step, wanted | {"frozen-loss"})


def calm(curve: Curve, at: float, size: float) -> Planted:
    """The longest loss loses its noise from a step on: one batch again and again; the size has no meaning."""
    _, main = _both(curve)
    step, _ = _step(curve, main, at)
    sick = _changed(curve, [main], lambda s, v: np.where(s >= step, trend(v) + 0.02 * (v - trend(v)), v))
    wanted = {"plateau", "hidden-nan", "learning-rate-stuck", "wasted-tail", "frozen-loss", "not-calm"}
    return _certain(sick, "calm", step, wanted)


def dead(curve: Curve, at: float, size: float) -> Planted:
    """Every loss is exactly 0 from a step on; the size has no meaning."""
    tags, main = _both(curve)
    step, _ = _step(curve, main, at)
    sick = _changed(curve, tags, lambda s, v: np.where(s >= step, 0.0, v))
    return _certain(sick, "dead", step, {"exploding-loss", "hidden-nan", "plateau", "frozen-loss"})


def nan(curve: Curve, at: float, size: float) -> Planted:
    """Every loss is NaN from a step to the end; the size has no meaning."""
    tags, main = _both(curve)
    step, _ = _step(curve, main, at)
    sick = _changed(curve, tags, lambda s, v: np.where(s >= step, np.nan, v))
    return _certain(sick, "nan", step, {"non-finite", "exploding-loss"})


def scatter(curve: Curve, at: float, size: float) -> Planted:
    """The noise of the longest loss is wider by a share (1: twice as wide) from a step on."""
    _, main = _both(curve)
    step, k = _step(curve, main, at)
    sick = _changed(curve, [main], lambda s, v: np.where(s >= step, trend(v) + (1 + size) * (v - trend(v)), v))
    effect = float(np.log1p(size))
    points = curve[main][1].size - k
    wanted = frozenset({"not-converging", "loss-spike", "exploding-loss", "not-calm"})
    return Planted(sick, "scatter", wanted, step, size, effect * np.sqrt(2 * points) / 1.2, effect, 0.0)


Planter = Callable[[Curve, float, float], Planted]
FAULTS: Mapping[str, tuple[Planter, tuple[float, ...], float]] = {
    # the planter, the sizes to plant, and the size that must be found
    "jump": (jump, (0.02, 0.05, 0.1, 0.2, 0.5), 0.1),
    "drift": (drift, (0.02, 0.05, 0.1, 0.2, 0.5), 0.1),
    "val_rise": (val_rise, (0.02, 0.05, 0.1, 0.2, 0.5), 0.1),
    "spike": (spike, (0.2, 0.5, 1.0, 2.0, 5.0), 2.0),
    "wave": (wave, (0.01, 0.02, 0.03, 0.05, 0.1), 0.03),
    "seam": (seam, (0.1, 0.2, 0.5, 0.8), 0.5),
    "scatter": (scatter, (0.5, 1.0, 3.0, 9.0), 3.0),
    "freeze": (freeze, (1.0,), 1.0),
    "calm": (calm, (1.0,), 1.0),
    "dead": (dead, (1.0,), 1.0),
    "nan": (nan, (1.0,), 1.0),
}
