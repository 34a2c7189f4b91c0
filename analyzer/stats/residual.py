"""A residual and the shapes in it: folded to one period, what a period explains, places that lie apart."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.continuum import OVERSAMPLING, power_of, taper_of
from analyzer.stats.echoes import CLIP, clipped
from analyzer.stats.robust import (
    MAD_TO_SIGMA,
    MEDIAN_ERROR,
    block_medians,
    even_edges,
    mad_sigma,
    median,
    quantile,
    row_medians,
)

Array = NDArray[np.float64]
Index = NDArray[np.int64]

SHAPE_TERMS = 8  # harmonics of a shape whose period is given
FOLD_BINS = 64  # bins of a folded shape
LEAST_PLACES = 4  # of a period: with fewer none lies apart from all others
LEAST_CYCLES_SEEN = 4  # values at a place: with fewer they show no scatter
WIDE = 1.7  # scatter at a place over that at most places: a batch of a third of the examples
ALONE = 1.5  # shift of one place over that of any place not next to it
SHAPELESS = 2.0  # standard errors by which places lie apart, in the mean: about 1 where there is no shape
SPREAD = 12  # places in a period from which a point may lie next to its place
SHIFTED = 0.5  # places by which a length that is not whole shifts over the curve
STRETCHES = 6  # parts of the curve in each of which the shape must recur


@dataclass(frozen=True, eq=False)
class Residual:
    """A curve without its trend. What several tests of one search ask of it is worked out once: half of their time."""

    values: Array
    _courses: dict[tuple[float, int], Array] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of points."""
        return int(self.values.size)

    @cached_property
    def window(self) -> Array:
        """Weights of the points under which no end leaks into all frequencies."""
        return taper_of(self.size)

    @cached_property
    def power(self) -> Array:
        """Power at quarter frequencies."""
        return power_of(self.values * self.window, OVERSAMPLING)

    @cached_property
    def _held(self) -> Array:
        scale = mad_sigma(self.values)
        return np.clip(self.values, -CLIP * scale, CLIP * scale) if scale > 0 else self.values

    def course(self, length: float, terms: int) -> Array:
        """Return the folded shape at each point; single leaps are clipped."""
        key = (length, terms)
        if key not in self._courses:
            shape, index = _shape(self._held, length, terms)
            self._courses[key] = shape[index]
        return self._courses[key]

    def without(self, length: float, terms: int) -> Residual:
        """Return what the folded shape leaves."""
        return Residual(self.values - self.course(length, terms))

    def swing(self, length: float, terms: int) -> tuple[float, float]:
        """Return the height of a sine with the power of the folded shape, freed from noise, and the rest's sigma."""
        course = self.course(length, terms)
        sigma = float(np.std(clipped(self.values - course)))
        power = float(np.mean(course**2)) - 2 * terms * sigma**2 / self.size
        return 2 * math.sqrt(2 * max(0.0, power)), sigma


def odd_places(even: Array, length: float) -> NDArray[np.bool_]:
    """Return which points lie at places of the period that differ by their scatter, or alone and by less than that.

    The last batch of an epoch often holds fewer examples: its loss scatters more, and the mean of the logarithm
    shifts with the scatter. One place that is shifted by less than it scatters is no wave, whose extreme places lie
    next to each other; a leap at the same place of each period is shifted by more.
    """
    places = min(even.size // 4, max(2, round(length)))
    place = _places(even.size, length, places)
    count = np.maximum(np.bincount(place, minlength=places), 1)
    means = np.bincount(place, even, minlength=places) / count
    scatter = np.sqrt(np.bincount(place, (even - means[place]) ** 2, minlength=places) / count)
    shift = np.abs(means - median(means))
    odd = scatter > WIDE * median(scatter)
    top = int(np.argmax(shift))
    others = np.delete(np.roll(shift, 1 - top), [0, 1, 2] if places > 3 else [1])
    odd[top] |= bool(shift[top] > ALONE * np.max(others, initial=0.0))
    odd &= shift < np.maximum(scatter, median(scatter))
    # a length that is not known to a point, or not whole, spreads a point over the places next to it
    if places >= SPREAD or abs(length - places) * even.size / length > SHIFTED:
        odd |= np.roll(odd, 1) | np.roll(odd, -1)
    return odd[place] if np.mean(odd) < 0.5 else np.zeros(even.size, dtype=np.bool_)


def _places(size: int, length: float, places: int) -> Index:
    """Return the place in the period of each of so many values, int64[size] from 0 to `places` - 1."""
    return np.minimum((np.arange(size) % length * (places / length)).astype(np.int64), places - 1)


def stands_alone(even: Array, length: float) -> bool:
    """Whether one place of the period, or of an even part of it, lies apart from all others and scatters more.

    So does the last batch of each epoch where it holds fewer examples, most of all with batch normalisation. The period
    may turn out as several epochs.
    """
    places = max(2, round(length))
    place = _places(even.size, length, places)
    counts = np.bincount(place, minlength=places)
    cycles = int(counts.min())
    if places < LEAST_PLACES or cycles < LEAST_CYCLES_SEEN:
        return False
    first = np.cumsum(counts) - counts
    parts = even[np.argsort(place, kind="stable")[first[:, None] + np.arange(cycles)]]  # places × cycles
    level = row_medians(parts)
    scatter = MAD_TO_SIGMA * row_medians(np.abs(parts - level[:, None]))
    shift, usual = np.abs(level - median(level)), median(scatter)
    top, error = int(np.argmax(shift)), max(MEDIAN_ERROR * usual / math.sqrt(even.size / places), 1e-300)
    for step in range(LEAST_PLACES, places + 1):
        if places % step == 0:
            alike = np.arange(top % step, places, step)
            others = np.delete(shift, alike) / error
            if median(scatter[alike]) > WIDE * usual and math.sqrt(float(np.mean(others**2))) < SHAPELESS:
                return True
    return False


def fold(residual: Array, length: float, bins: int = 32) -> tuple[Array, Array]:
    """Return phases in [0, 1) and the median shape over one period, for its causes."""
    phase = (np.arange(residual.size) % length) / length
    index = np.minimum((phase * bins).astype(np.int64), bins - 1)
    order = np.argsort(index, kind="stable")
    edges = np.searchsorted(index[order], np.arange(bins + 1))
    shape = block_medians(residual[order], edges)
    held = np.isfinite(shape)
    return (np.arange(bins) + 0.5)[held] / bins, shape[held]


@lru_cache(maxsize=16)  # several residuals of a curve are folded over the same period
def _folded(n: int, length: float, bins: int) -> tuple[Index, Index]:
    """Return the bin of each of `n` points folded over a period, and the points in each bin (1 where it has none)."""
    index = np.minimum((np.arange(n) % length / length * bins).astype(np.int64), bins - 1)
    return index, np.maximum(np.bincount(index, minlength=bins), 1)


def _shape(residual: Array, length: float, terms: int) -> tuple[Array, Index]:
    """Return the mean shape over one period, held to its first harmonics, by bin, and the bin of each point."""
    bins = int(min(FOLD_BINS, max(2 * terms, int(length))))
    index, counts = _folded(residual.size, length, bins)
    means = np.bincount(index, residual, minlength=bins) / counts
    transform = np.fft.rfft(means - means.mean())
    transform[terms + 1 :] = 0
    return np.fft.irfft(transform, bins), index


def share_explained(even: Residual, length: float, terms: int) -> float:
    """Return how much of the shape the weakest fifth of the stretches shows: 1 all of it, 0 nothing."""
    course = even.course(length, terms)
    stretches = int(min(STRETCHES, even.size / length))
    edges = even_edges(even.size, stretches)[:-1]
    size = np.add.reduceat(course**2, edges)
    along = np.add.reduceat(even.values * course, edges)
    return quantile(np.divide(along, size, out=np.zeros(size.size), where=size > 0), 0.2)


def explained_share(residual: Array, length: float) -> float:
    """Return the share of the variance that a shape of a given period explains, 0 to 1."""
    total = float(np.var(residual))
    return 1 - float(np.var(residual - Residual(residual).course(length, SHAPE_TERMS))) / total if total > 0 else 0.0
