"""The continuum of a periodogram: the power that a residual has without any period."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.echoes import CLIP
from analyzer.stats.robust import (
    block_levels,
    median,
)

Array = NDArray[np.float64]
Index = NDArray[np.int64]

OVERSAMPLING = 4  # zero padding: a frequency is at most 1/8 of a bin off, which costs 5 % of its power
NEIGHBOURS = 24  # frequencies in a block of the continuum, at least
WIDENING = 1.35  # width of a block of the continuum over that of the block before
LOG_DOF = 6 / math.pi**2  # frequencies whose mean is as certain as the geometric mean of one
LOBE = 3.0  # standard errors by which neighbouring blocks differ in a spectrum that is not smooth
SCALE_BLOCKS = 16  # stretches with a noise of their own
HARMONIC_TAPER = 0.1  # share of the curve that fades in and out, so that its ends do not leak into all frequencies


def averaged(values: Array, size: int) -> Array:
    """Return means of `size` points each, without the first few where that makes the FFT fast (under a sixteenth)."""
    points = values.size // size
    points -= points % 2 ** max(0, points.bit_length() - 5)
    held = values[values.size - points * size :]
    return held if size == 1 else np.asarray(held.reshape(points, size).mean(axis=1))


def standardised(residual: Array) -> Array:
    """Return the residual over the local noise, clipped: a noisy start must not outweigh the rest."""
    edges = np.linspace(0, residual.size, min(SCALE_BLOCKS, residual.size // 12) + 1).astype(np.int64)
    middle = (edges[:-1] + edges[1:]) / 2
    level, scale = block_levels(residual, edges)
    typical = median(scale)
    if typical <= 0:
        typical = float(np.std(residual)) or 1.0
    scale = np.maximum(scale, typical / 4)
    at = np.arange(residual.size)
    sigma, centre = np.interp(at, middle, scale), np.interp(at, middle, level)
    # an excursion is one from the local level: a wave that is far larger than the noise is not clipped
    inside = np.clip(residual - centre, -CLIP * sigma, CLIP * sigma) + centre
    even = inside / sigma
    return np.asarray(even - even.mean())


@dataclass(frozen=True)
class Grid:
    """The frequencies of a spectrum: the whole ones `at`, their logarithms, their cosines, and where they lie among
    the quarter ones (`whole`), and the numbers of those (`fine`).
    """

    at: Array
    logs: Array
    cosines: Array
    whole: Array
    fine: Array


@lru_cache(maxsize=16)  # a search asks for the grid of its curve some ten times
def grid_of(whole: int, fine: int) -> Grid:
    """Return the places of a spectrum of so many frequencies, `fine` of them with zero padding."""
    at = np.arange(whole, dtype=np.float64)
    cosines = np.cos(np.pi * at / (whole - 1))
    return Grid(at, np.log(np.maximum(at, 1)), cosines, at * OVERSAMPLING, np.arange(fine, dtype=np.float64))


def power_of(values: Array, oversampling: int) -> Array:
    """Return the power of values at all frequencies, float64[1 + oversampling * n // 2]."""
    transform = np.fft.rfft(values, oversampling * values.size)
    return np.asarray(transform.real**2 + transform.imag**2)


@lru_cache(maxsize=64)  # every look of a curve asks for it several times; nobody changes it
def taper_of(n: int) -> Array:
    """Return the window of n values that fades in and out at both ends."""
    window = np.ones(n)
    width = int(HARMONIC_TAPER * n / 2)
    if width:
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(width) + 0.5) / width)
        window[:width], window[-width:] = ramp, ramp[::-1]
    window.flags.writeable = False
    return window


def continuum_of(power: Array, free: NDArray[np.bool_], first: int, grid: Grid) -> tuple[Array, Array]:
    """Return the expected power of the noise at whole frequencies and the degrees of freedom of that estimate.

    Geometric means of blocks of neighbouring `free` frequencies, joined by straight lines in log-log: a peak among
    them hardly moves them, and a slope (red noise) is followed. Where blocks differ by more than chance (the lobes
    of a moving average), the larger one counts for its neighbours, too; and below the centre of the first block,
    where the line is a guess, no frequency expects less than the mean of the octave under it: the foot of a
    wandering trend is not a period.
    """
    order = np.flatnonzero(free)
    edges = _block_edges(int(np.searchsorted(order, first)), order.size)
    counts = np.diff(edges).astype(np.float64)

    def means(values: Array) -> Array:
        return np.asarray(np.add.reduceat(values, edges[:-1]) / counts)

    inside = order[: edges[-1]]
    dof = LOG_DOF * counts
    level, centre = means(np.log(np.maximum(power[inside], 1e-300))) + np.euler_gamma, means(grid.logs[inside])
    level = _lifted(level, dof)
    line = np.exp(np.interp(grid.logs, centre, level))
    sums, numbers = (np.concatenate(([0.0], np.cumsum(part))) for part in (power * free, free))
    at = np.arange(first + 1, min(int(math.exp(centre[0])), power.size - 1) + 1)
    under = np.maximum(first, at // 2)
    beneath = (sums[at] - sums[under]) / np.maximum(numbers[at] - numbers[under], 1)
    line[at] = np.maximum(line[at], beneath)
    return line, np.interp(grid.at, np.exp(centre), dof)


def _lifted(level: Array, dof: Array) -> Array:
    """Return the log levels of blocks, each lifted to a neighbour that is higher by more than chance."""
    rise = np.diff(level)
    clear = LOBE * np.sqrt(1 / dof[1:] + 1 / dof[:-1])
    lifted = level.copy()
    lifted[:-1] = np.where(rise > clear, level[1:], lifted[:-1])
    lifted[1:] = np.where(-rise > clear, np.maximum(level[:-1], lifted[1:]), lifted[1:])
    return lifted


def _block_edges(first: int, last: int) -> Index:
    edges, width = [first], float(NEIGHBOURS)
    while edges[-1] + 2 * int(width) <= last:
        edges.append(edges[-1] + int(width))
        width *= WIDENING
    return np.array([*edges, last] if edges[-1] < last else edges, dtype=np.int64)
