"""The search for the frequency whose harmonics hold more power than the continuum, and its chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.continuum import LOG_DOF, OVERSAMPLING, grid_of
from analyzer.stats.echoes import LEAST_CYCLES
from analyzer.stats.robust import (
    median,
)

Array = NDArray[np.float64]
Index = NDArray[np.int64]

CYCLE_ERROR = 0.25  # cycles by which the count of periods in a curve may be off
SHAPES = 3  # independent tests that the sums below amount to: each holds the terms of the one before
HARMONICS = (1, 2, 4, 8, 16, 32)  # terms of the sums that are tried: from a sine to narrow teeth
SEARCHED = (1, 2, 4)  # terms of the sums that are tried at every frequency; the others at candidates
LOUDEST = 50.0  # power over its median at which a peak of the spectrum is cut before echoes are sought
ECHOES = 3  # strongest echoes of the whitened curve that become candidates


@dataclass(frozen=True)
class Ratios:
    """The power at quarter frequencies, its continuum (`noise`) at whole ones, and the dof of that continuum.

    `n`: points of the curve. `shortest`: points of the shortest wave that counts.
    """

    power: Array
    noise: Array
    dof: Array
    n: int
    shortest: float

    @cached_property
    def over(self) -> Array:
        """Power over the continuum at quarter frequencies."""
        return self.at(slice(None))

    def at(self, places: Index | slice) -> Array:
        """Return power over the continuum at some quarter frequencies: a test of one period asks for a few of them."""
        grid = grid_of(self.noise.size, self.power.size)
        return np.asarray(self.power[places] / np.interp(grid.fine[places], grid.whole, self.noise))


@dataclass(frozen=True)
class Peak:
    """A frequency in cycles per curve, the harmonics summed, the chance of their power, how many were tried."""

    cycles: float
    terms: int
    chance: float
    tried: float = 1.0

    @property
    def expected(self) -> float:
        """How many such peaks noise alone would show."""
        return self.chance * self.tried


def searched(ratios: Ratios, candidates: Iterable[tuple[float, float]], parts: int) -> list[Peak]:
    """Return the peaks at candidates, each a frequency and how far it may be off."""
    octaves = math.log2(max(2.0, ratios.n / ratios.shortest / LEAST_CYCLES))
    return [
        Peak(at, terms, chance, parts * SHAPES * octaves * at * terms)
        for cycles, reach in candidates
        if is_searched(cycles, ratios)
        for at, terms, chance in tuned(ratios, cycles, reach)
    ]


def is_searched(cycles: float, ratios: Ratios) -> bool:
    """Whether a number of cycles lies within the range that is searched."""
    return LEAST_CYCLES - CYCLE_ERROR <= cycles <= ratios.n / ratios.shortest


def strongest(ratios: Ratios) -> Iterator[tuple[float, float]]:
    """Yield for each number of searched harmonics the frequency at which their sum stands out most, and its error."""
    for terms in SEARCHED:
        first, last = int(LEAST_CYCLES * OVERSAMPLING), int(ratios.n / (ratios.shortest * terms) * OVERSAMPLING)
        if last <= first:
            continue
        at = np.arange(first, last + 1)
        total = np.zeros(at.size)
        for k in range(1, terms + 1):
            total += ratios.over[k * first : k * last + 1 : k]
        # every octave has the same chance to hold the best: long periods have few frequencies
        score = -_log_chances(total, terms, ratios.dof[at // OVERSAMPLING]) - np.log(at)
        yield float(at[int(np.argmax(score))]) / OVERSAMPLING, 1 / OVERSAMPLING


def echoing(ratios: Ratios) -> Iterator[tuple[float, float]]:
    """Yield the frequencies of the strongest echoes of the whitened curve, and their errors.

    Teeth have hundreds of weak harmonics: together they show as an echo.
    """
    over = ratios.over[::OVERSAMPLING]
    echoes = np.fft.irfft(np.minimum(over, LOUDEST * median(over)))
    least = math.ceil(ratios.shortest)
    inner = echoes[least : int(ratios.n / LEAST_CYCLES) + 1].copy()
    for _ in range(ECHOES):
        if not inner.size:
            return
        lag = int(np.argmax(inner)) + least
        yield ratios.n / lag, min(0.5, 1 / OVERSAMPLING + 0.5 * ratios.n / lag**2)
        inner[max(0, lag - least - 2) : lag - least + 3] = -np.inf


def tuned(ratios: Ratios, cycles: float, reach: float) -> Iterator[tuple[float, int, float]]:
    """Yield for each number of harmonics the best frequency within `reach` bins and its chance in noise.

    Where the best one lies below the fewest cycles, the power belongs to a slower course: it is left out.
    """
    for terms in HARMONICS:
        if cycles * terms > ratios.n / ratios.shortest:
            return
        steps = round(reach * OVERSAMPLING * terms)
        near = cycles + np.arange(-steps, steps + 1) / (OVERSAMPLING * terms)
        near = near[near * terms <= ratios.n / ratios.shortest]
        total = _sums(ratios.over, near, terms)
        top = int(np.argmax(total))
        if near[top] >= LEAST_CYCLES - CYCLE_ERROR:
            chance = log_chance(float(total[top]), terms, degrees_of_freedom(ratios.dof, float(near[top]), terms))
            yield float(near[top]), terms, math.exp(max(chance, -700.0))


def degrees_of_freedom(dof: Array, cycles: float, terms: int) -> float:
    """Return the dof of the continuum under a frequency and its multiples.

    One frequency rests on one block; the errors of many blocks average out over harmonics that span them.
    """
    return max(float(dof[int(cycles * (terms + 1) / 2)]), LOG_DOF * cycles * (terms - 1))


def _sums(ratio: Array, cycles: Array, terms: int) -> Array:
    """Return the sum of the ratios at each frequency and its multiples."""
    return np.asarray(ratio.take(multiples(cycles, terms)).sum(axis=1))


def multiples(cycles: Array, terms: int) -> Index:
    """Return the places of each frequency and its multiples among quarter frequencies, int64[cycles, terms]."""
    return np.rint(cycles[:, None] * np.arange(1, terms + 1) * OVERSAMPLING).astype(np.int64)


def _log_chances(total: Array, terms: int, dof: Array) -> Array:
    """Return the log of the chance that `terms` powers over an estimated continuum sum to `total` or more.

    The sum over its reference is beta-prime distributed (an F distribution); with whole `terms` its tail is a
    binomial sum.
    """
    inside = total / (dof + total)
    summed = np.ones(total.shape)
    term = np.ones(total.shape)
    for i in range(1, terms):
        term = term * inside * (dof + i - 1) / i
        summed += term
    return np.asarray(np.log(summed) - dof * np.log1p(total / dof))


def log_chance(total: float, terms: int, dof: float) -> float:
    """Return the same of one sum, without the cost of arrays."""
    inside = total / (dof + total)
    summed = term = 1.0
    for i in range(1, terms):
        term *= inside * (dof + i - 1) / i
        summed += term
    return min(0.0, math.log(summed) - dof * math.log1p(total / dof))
