"""Periods: whether a curve repeats itself more than red noise would, after how many points, and by how much.

The test is a harmonic sum. A curve that repeats itself has power at its frequency and at the multiples of it; the
power of noise at each frequency is exponentially distributed about a smooth continuum. The continuum is read off the
curve's own spectrum (geometric means over neighbouring frequencies), so noise of any colour is its own reference and no
surrogates are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.continuum import OVERSAMPLING, averaged, continuum_of, grid_of, power_of, standardised
from analyzer.stats.decay import bridged, levelled
from analyzer.stats.echoes import FINE_BLOCKS, roughness
from analyzer.stats.harmonic_sum import (
    CYCLE_ERROR,
    SHAPES,
    Peak,
    Ratios,
    degrees_of_freedom,
    echoing,
    is_searched,
    log_chance,
    multiples,
    searched,
    strongest,
    tuned,
)
from analyzer.stats.residual import Residual, odd_places, share_explained

Array = NDArray[np.float64]
Index = NDArray[np.int64]

LEAST_POINTS = 48  # points: below, the continuum has too few frequencies
LEAST_IN_BLOCK = 8  # points in such a block
LEADING = ((1, 1), (2, 2), (4, 32))  # terms of sums whose best peaks are tested each
MODEL_ERROR = 5.0  # chance over its nominal value in noise of strong colour (AR(1) of .95 and more), measured
FIRST = 2  # cycles: below, the fitted decay has taken the power
TREND_TERMS = 7  # terms of the decay
MOST_RED = 0.99  # lag-1 autocorrelation that the AR(1) part of the continuum may have
WHOLE_SHARE = 1.3  # variance that a longer period explains over that of its part, at least
SAME_SHARE = 0.9  # variance that a part of a period explains over that of the whole where nothing else repeats
PARTS = 3  # times that a period may turn out to be a part of a longer one
PART_CHANCE = 0.001  # chance of the rest of a longer period at which the best one is taken for a part of it
WORTH_A_LOOK = 0.05  # expected peaks of noise above which nothing more is asked of a period


@dataclass(frozen=True)
class Repetition:
    """A period, `length` in points.

    `swing` is the distance between the highs and lows of a sine of the same power, in units of the curve; `sigma` the
    standard deviation of what the period does not explain; `kept` how much of the shape is present in the weakest
    fifth of the stretches (1: all of it, 0: nothing); `p_value` the chance of such a period anywhere in noise of the
    same colour.
    """

    length: float
    cycles: float
    swing: float
    sigma: float
    kept: float
    p_value: float


@dataclass(frozen=True)
class _Look:
    """A way to look at a curve: points at least and most, in the shortest wave, the trend that is taken away.

    `first`: the lowest frequency (cycles) that the trend leaves as it was. `doubt`: expected peaks of noise above which
    a candidate is not worth a test; a strong wave leaks into its own noise where the trend is stiff.
    """

    least: int
    most: int
    shortest: float
    without_trend: Callable[[Array], Array]
    first: int
    doubt: float


def find_repetition(values: Array, known: Iterable[float] = ()) -> Repetition | None:
    """Return the most significant period of evenly spaced values (trend included), None for too few points.

    `known` are lengths (in points) that the log suggests: they are tested before the search and pay for fewer trials.
    A length must fit `LEAST_CYCLES` times. The p-value is corrected for every frequency and shape that was tried.

    Two looks are taken. The coarse one averages points and takes away the decay alone, so that it sees the longest
    periods; the fine one takes away everything that is slower than a few blocks of the curve, so that breaks of the
    level do not hide short periods.
    """
    if values.size < LEAST_POINTS or np.ptp(values) == 0:
        return None
    hints = tuple(known)
    looks = []
    for look in (COARSE, FINE) if values.size >= FINE.least else (ONLY,):
        size = math.ceil(values.size / look.most)
        looks.append(_look(look, averaged(values, size), size, hints))
    held = sorted((one for one in looks if one is not None), key=lambda one: one.p_value)
    if not held:
        return None
    found, *others = held
    for other in others:  # the fine look sees but the harmonics of a long period
        sure = other.length > found.length and other.p_value <= PART_CHANCE
        if sure and other.swing**2 >= WHOLE_SHARE * found.swing**2:
            found = other
    return replace(found, p_value=min(1.0, found.p_value * len(looks) * MODEL_ERROR))


def _look(look: _Look, values: Array, size: int, known: Sequence[float]) -> Repetition | None:
    """Return the best period of one residual; `known` lengths are in points, of which each value holds `size`.

    Once it is found, it is tested against what is left without it: a strong one must not count as its own noise.
    """
    residual = Residual(look.without_trend(values))
    even = Residual(standardised(residual.values))
    peaks = _search(even, [one / size for one in known], look)
    tested = [_tested(even, peak, look) for peak in _leaders(peaks) if peak.expected <= look.doubt]
    if not tested:
        return None
    best = min(tested, key=lambda peak: peak.expected)
    if best.expected <= WORTH_A_LOOK:
        best = _tested(even, _whole(_fundamental(even, best, peaks, look), even.size), look)
        odd = odd_places(even.values, even.size / best.cycles)
        if np.any(odd):
            without = _tested(Residual(bridged(even.values, odd)), best, look)
            best = max(best, without, key=lambda peak: peak.expected)
            residual = Residual(bridged(residual.values, odd))
    length = even.size / best.cycles
    if (
        best.expected <= WORTH_A_LOOK
    ):  # the trend has taken a part of a long wave: for its size both are fitted together
        wave = residual.course(length, best.terms)
        residual = Residual(levelled(values - wave) + wave)
    swing, sigma = residual.swing(length, best.terms)
    return Repetition(
        length * size, best.cycles, swing, sigma, share_explained(even, length, best.terms), best.expected
    )


def _leaders(peaks: Sequence[Peak]) -> list[Peak]:
    """Return the best peaks of one, two and more harmonics: waves and teeth hide in each other's noise."""
    groups = ([p for p in peaks if low <= p.terms <= high] for low, high in LEADING)
    return [min(group, key=lambda peak: peak.expected) for group in groups if group]


def _whole(peak: Peak, n: int) -> Peak:
    """Return the peak at a whole number of points where its frequency cannot be told from that: epochs are whole."""
    cycles = n / round(n / peak.cycles)
    return replace(peak, cycles=cycles) if abs(cycles - peak.cycles) < 0.5 / peak.terms else peak


def _tested(even: Residual, peak: Peak, look: _Look) -> Peak:
    """Return the peak with its chance when the noise is what is left without it."""
    ratios = _ratios(even, even.without(even.size / peak.cycles, peak.terms), look, peak)
    total = float(ratios.at(multiples(np.array([peak.cycles]), peak.terms)).sum(axis=1)[0])
    chance = log_chance(total, peak.terms, degrees_of_freedom(ratios.dof, peak.cycles, peak.terms))
    return replace(peak, chance=math.exp(max(-700.0, chance)))


def _ratios(even: Residual, rest: Residual, look: _Look, held: Peak | None = None) -> Ratios:
    """Return the power of `even` over the continuum of `rest`.

    `held` is a period that has been taken out of `rest`: the frequencies it leaves empty say nothing of the noise.
    """
    power, left = even.power, rest.values
    noise = power[::OVERSAMPLING] if rest is even else power_of(left * even.window, 1)
    energy = float(np.dot(left, left))
    rho = float(np.dot(left[1:], left[:-1])) / energy if energy > 0 else 0.0
    rho = min(max(0.0, rho + TREND_TERMS * (1 + rho) / (2 * rest.size)), MOST_RED)  # a fitted trend takes colour away
    # an AR(1) process has this spectrum: without it, what is left is nearly flat
    grid = grid_of(noise.size, power.size)
    red = 1 / (1 + rho**2 - 2 * rho * grid.cosines)
    free = np.ones(noise.size, dtype=np.bool_)
    if held is not None:
        multiples = held.cycles * np.arange(1, held.terms + 1)
        for shift in (0.0, 1.0):
            free[np.minimum((multiples + shift).astype(np.int64), noise.size - 1)] = False
    continuum, dof = continuum_of(noise / red, free, look.first, grid)
    return Ratios(power, continuum * red, dof, even.size, look.shortest)


def _search(even: Residual, known: Sequence[float], look: _Look) -> list[Peak]:
    """Return the candidates for a period, each with its chance and how many were tried.

    Half of the chance of a false alarm is spent on suggested lengths, half on the search: there equally on each
    octave and, within it, on each independent frequency.
    """
    ratios = _ratios(even, even, look)
    suggested = [even.size / one for one in known if one > 0 and is_searched(even.size / one, ratios)]
    parts = 2 if suggested else 1
    found = [
        Peak(at, terms, chance, parts * SHAPES * len(suggested))
        for one in suggested
        for at, terms, chance in tuned(ratios, one, CYCLE_ERROR)
    ]
    return found + searched(ratios, [*strongest(ratios), *echoing(ratios)], parts)


def _fundamental(even: Residual, best: Peak, peaks: Sequence[Peak], look: _Look) -> Peak:
    """Return the longest period of which the best one is a part: the strongest frequency is often a multiple.

    A longer period counts when what is left without the best one has significant power at its harmonics, and when its
    shape explains clearly more: a wave whose height changes has weak sidebands.
    """
    n = even.size

    def height(peak: Peak) -> float:
        return even.swing(n / peak.cycles, peak.terms)[0]

    best = max([best, *(peak for peak in peaks if peak.expected <= PART_CHANCE)], key=height)
    for _ in range(PARTS):
        rest = even.without(n / best.cycles, best.terms)
        ratios = _ratios(rest, rest, look, best)
        divided = [(best.cycles / k, 0.5) for k in range(2, 8)]
        slower = {peak.cycles for peak in peaks if peak.cycles < 0.9 * best.cycles}
        found = searched(ratios, [*((cycles, 1 / OVERSAMPLING) for cycles in slower), *divided], 1)
        longer = sorted((peak for peak in found if peak.expected <= PART_CHANCE), key=lambda peak: peak.expected)
        whole = [peak for peak in longer if height(peak) ** 2 >= WHOLE_SHARE * height(best) ** 2]
        if not whole:
            break
        best = whole[0]
    return _reduced(even, best)


def _reduced(even: Residual, peak: Peak) -> Peak:
    """Return the shortest part of a period that explains as much: what repeats every epoch does so every other, too."""
    height, _ = even.swing(even.size / peak.cycles, peak.terms)
    for k in (5, 4, 3, 2):
        part = replace(peak, cycles=peak.cycles * k, terms=max(1, peak.terms // k))
        if part.cycles * part.terms <= even.size / 2:
            inside, _ = even.swing(even.size / part.cycles, part.terms)
            if inside**2 >= SAME_SHARE * height**2:
                return part
    return peak


COARSE = _Look(LEAST_POINTS, 512, 8.0, levelled, FIRST, 10.0)
FINE = _Look(FINE_BLOCKS * LEAST_IN_BLOCK, 16_384, 2.0, roughness, FINE_BLOCKS, 0.3)
ONLY = replace(COARSE, shortest=2.0)  # of a curve that is too short for the fine look
