"""Periods: whether a curve repeats itself more than red noise would, after how many points, and by how much.

The test is a harmonic sum. A curve that repeats itself has power at its frequency and at the multiples of it; the
power of noise at each frequency is exponentially distributed about a smooth continuum. The continuum is read off the
curve's own spectrum (geometric means over neighbouring frequencies), so noise of any colour is its own reference and no
surrogates are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from analyzer.stats import trend
from analyzer.stats.robust import (
    MAD_TO_SIGMA,
    MEDIAN_ERROR,
    block_levels,
    block_medians,
    even_edges,
    mad_sigma,
    median,
    quantile,
)

Array = NDArray[np.float64]
Index = NDArray[np.int64]

LEAST_POINTS = 48  # points: below, the continuum has too few frequencies
LEAST_CYCLES = 4.5  # periods that must be seen: the bends of a trend that the decay does not follow have up to four
CYCLE_ERROR = 0.25  # cycles by which the count of periods in a curve may be off
FINE_BLOCKS = 32  # blocks of the trend in the fine look; it searches shapes that repeat more often than that
LEAST_IN_BLOCK = 8  # points in such a block
DECAY_BLOCKS = 64  # blocks whose medians the decay is fitted to
BREAK_MARGIN = 4  # blocks of the trend at either end in which no break is sought
BREAK_SHARE = 0.5  # share of the rest that a break must explain
CLIP = 4.0  # local sigma: one leap is no period
OVERSAMPLING = 4  # zero padding: a frequency is at most 1/8 of a bin off, which costs 5 % of its power
LEADING = ((1, 1), (2, 2), (4, 32))  # terms of sums whose best peaks are tested each
MODEL_ERROR = 5.0  # chance over its nominal value in noise of strong colour (AR(1) of .95 and more), measured
SHAPES = 3  # independent tests that the sums below amount to: each holds the terms of the one before
HARMONICS = (1, 2, 4, 8, 16, 32)  # terms of the sums that are tried: from a sine to narrow teeth
SEARCHED = (1, 2, 4)  # terms of the sums that are tried at every frequency; the others at candidates
LOUDEST = 50.0  # power over its median at which a peak of the spectrum is cut before echoes are sought
ECHOES = 3  # strongest echoes of the whitened curve that become candidates

FIRST = 2  # cycles: below, the fitted decay has taken the power
NEIGHBOURS = 24  # frequencies in a block of the continuum, at least
WIDENING = 1.35  # width of a block of the continuum over that of the block before
LOG_DOF = 6 / math.pi**2  # frequencies whose mean is as certain as the geometric mean of one
LOBE = 3.0  # standard errors by which neighbouring blocks differ in a spectrum that is not smooth
TREND_TERMS = 7  # terms of the decay
MOST_RED = 0.99  # lag-1 autocorrelation that the AR(1) part of the continuum may have
SCALE_BLOCKS = 16  # stretches with a noise of their own
SHAPE_TERMS = 8  # harmonics of a shape whose period is given
FOLD_BINS = 64  # bins of a folded shape
WHOLE_SHARE = 1.3  # variance that a longer period explains over that of its part, at least
SAME_SHARE = 0.9  # variance that a part of a period explains over that of the whole where nothing else repeats
PARTS = 3  # times that a period may turn out to be a part of a longer one
PART_CHANCE = 0.001  # chance of the rest of a longer period at which the best one is taken for a part of it
WORTH_A_LOOK = 0.05  # expected peaks of noise above which nothing more is asked of a period
WIDE = 1.7  # scatter at a place over that at most places: a batch of a third of the examples
ALONE = 1.5  # shift of one place over that of any place not next to it
SHAPELESS = 2.0  # standard errors by which places lie apart, in the mean: about 1 where there is no shape
SPREAD = 12  # places in a period from which a point may lie next to its place
SHIFTED = 0.5  # places by which a length that is not whole shifts over the curve
STRETCHES = 6  # parts of the curve in each of which the shape must recur
HARMONIC_TAPER = 0.1  # share of the curve that fades in and out, so that its ends do not leak into all frequencies


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
class Period:
    """The period of the best echo: `length` in points, `echo` the correlation one period later, `cycles` seen."""

    length: float
    echo: float
    cycles: float


@dataclass(frozen=True)
class _Ratios:
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
        grid = _grid(self.noise.size, self.power.size)
        return np.asarray(self.power[places] / np.interp(grid.fine[places], grid.whole, self.noise))


@dataclass(frozen=True, eq=False)
class _Residual:
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
        return _taper(self.size)

    @cached_property
    def power(self) -> Array:
        """Power at quarter frequencies."""
        return _power(self.values * self.window, OVERSAMPLING)

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

    def without(self, length: float, terms: int) -> _Residual:
        """Return what the folded shape leaves."""
        return _Residual(self.values - self.course(length, terms))

    def swing(self, length: float, terms: int) -> tuple[float, float]:
        """Return the height of a sine with the power of the folded shape, freed from noise, and the rest's sigma."""
        course = self.course(length, terms)
        sigma = float(np.std(clipped(self.values - course)))
        power = float(np.mean(course**2)) - 2 * terms * sigma**2 / self.size
        return 2 * math.sqrt(2 * max(0.0, power)), sigma


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


@dataclass(frozen=True)
class _Peak:
    """A frequency in cycles per curve, the harmonics summed, the chance of their power, how many were tried."""

    cycles: float
    terms: int
    chance: float
    tried: float = 1.0

    @property
    def expected(self) -> float:
        """How many such peaks noise alone would show."""
        return self.chance * self.tried


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
        looks.append(_look(look, _averaged(values, size), size, hints))
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
    residual = _Residual(look.without_trend(values))
    even = _Residual(_standardised(residual.values))
    peaks = _search(even, [one / size for one in known], look)
    tested = [_tested(even, peak, look) for peak in _leaders(peaks) if peak.expected <= look.doubt]
    if not tested:
        return None
    best = min(tested, key=lambda peak: peak.expected)
    if best.expected <= WORTH_A_LOOK:
        best = _tested(even, _whole(_fundamental(even, best, peaks, look), even.size), look)
        odd = _odd_places(even.values, even.size / best.cycles)
        if np.any(odd):
            without = _tested(_Residual(_bridged(even.values, odd)), best, look)
            best = max(best, without, key=lambda peak: peak.expected)
            residual = _Residual(_bridged(residual.values, odd))
    length = even.size / best.cycles
    if (
        best.expected <= WORTH_A_LOOK
    ):  # the trend has taken a part of a long wave: for its size both are fitted together
        wave = residual.course(length, best.terms)
        residual = _Residual(levelled(values - wave) + wave)
    swing, sigma = residual.swing(length, best.terms)
    return Repetition(length * size, best.cycles, swing, sigma, _kept(even, length, best.terms), best.expected)


def _leaders(peaks: Sequence[_Peak]) -> list[_Peak]:
    """Return the best peaks of one, two and more harmonics: waves and teeth hide in each other's noise."""
    groups = ([p for p in peaks if low <= p.terms <= high] for low, high in LEADING)
    return [min(group, key=lambda peak: peak.expected) for group in groups if group]


def _whole(peak: _Peak, n: int) -> _Peak:
    """Return the peak at a whole number of points where its frequency cannot be told from that: epochs are whole."""
    cycles = n / round(n / peak.cycles)
    return replace(peak, cycles=cycles) if abs(cycles - peak.cycles) < 0.5 / peak.terms else peak


def _tested(even: _Residual, peak: _Peak, look: _Look) -> _Peak:
    """Return the peak with its chance when the noise is what is left without it."""
    ratios = _ratios(even, even.without(even.size / peak.cycles, peak.terms), look, peak)
    total = float(ratios.at(_multiples(np.array([peak.cycles]), peak.terms)).sum(axis=1)[0])
    chance = _log_chance(total, peak.terms, _freedom(ratios.dof, peak.cycles, peak.terms))
    return replace(peak, chance=math.exp(max(-700.0, chance)))


def _odd_places(even: Array, length: float) -> NDArray[np.bool_]:
    """Return which points lie at places of the period that differ by their scatter, or alone and by less than that.

    The last batch of an epoch often holds fewer examples: its loss scatters more, and the mean of the logarithm
    shifts with the scatter. One place that is shifted by less than it scatters is no wave, whose extreme places lie
    next to each other; a leap at the same place of each period is shifted by more.
    """
    places = min(even.size // 4, max(2, round(length)))
    place = np.minimum((np.arange(even.size) % length * (places / length)).astype(np.int64), places - 1)
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


def stands_alone(even: Array, length: float) -> bool:
    """Whether one place of the period lies apart from all the others and scatters more than they do.

    So does the last batch of each epoch where it holds fewer examples, most of all with batch normalisation.
    """
    places = max(2, round(length))
    place = np.minimum((np.arange(even.size) % length * (places / length)).astype(np.int64), places - 1)
    counts = np.bincount(place, minlength=places)
    cycles = int(counts.min())
    if places < 4 or cycles < 4:
        return False
    first = np.cumsum(counts) - counts
    parts = even[np.argsort(place, kind="stable")[first[:, None] + np.arange(cycles)]]  # places × cycles
    level = np.median(parts, axis=1)
    scatter = MAD_TO_SIGMA * np.median(np.abs(parts - level[:, None]), axis=1)
    shift, usual = np.abs(level - median(level)), median(scatter)
    top = int(np.argmax(shift))
    others = np.delete(shift, top) / max(MEDIAN_ERROR * usual / math.sqrt(even.size / places), 1e-300)
    return bool(scatter[top] > WIDE * usual and math.sqrt(float(np.mean(others**2))) < SHAPELESS)


def _bridged(values: Array, gaps: NDArray[np.bool_]) -> Array:
    at = np.arange(values.size)
    return np.where(gaps, np.interp(at, at[~gaps], values[~gaps]), values)


def levelled(values: Array) -> Array:
    """Return what is left of a curve when its decay is taken away; periods of a quarter of the curve or less stay.

    The decay is smooth (a cubic in time, and logarithms with three onsets for the steep
    start of a training), fitted to block medians, with one break of the level where that explains most of the rest:
    too stiff to follow a wave of four cycles.
    """
    edges = trend.block_edges(values.size, DECAY_BLOCKS)
    level, weight = block_medians(values, edges), np.sqrt(np.diff(edges))
    at = (edges[:-1] + edges[1:] - 1) / (2 * values.size)
    basis, time = _decay(at), np.arange(values.size) / values.size
    broken = _break(basis, level, weight)
    whole = _decay(time)
    if broken is not None:
        since = float(edges[broken]) / values.size
        basis, whole = np.hstack([basis, _reset(at, since)]), np.hstack([whole, _reset(time, since)])
    factors = np.linalg.lstsq(basis * weight[:, None], level * weight, rcond=None)[0]
    return np.asarray(values - whole @ factors)


def _decay(at: Array) -> Array:
    """Return the basis of the decay at times in [0, 1), float64[n, 7]."""
    powers = [at**k for k in range(4)]
    onsets = [np.log1p(at / share) for share in (0.005, 0.02, 0.08)]
    return np.stack([*powers, *onsets], axis=1)


def _reset(at: Array, since: float) -> Array:
    """Return the basis of a level that breaks at a time and decays again, float64[n, 2]."""
    after = np.maximum(at - since, 0.0)
    return np.stack([(at >= since).astype(np.float64), np.log1p(after / 0.02)], axis=1)


def _break(basis: Array, level: Array, weight: Array) -> int | None:
    """Return the block before which one step explains most of what the basis leaves of the level, None if none does.

    A step that has been freed from the basis is a tooth of a few blocks: of a wave of four cycles it explains a third.
    """
    n = level.size
    if n <= 2 * basis.shape[1]:
        return None
    frame = np.linalg.qr(basis * weight[:, None])[0]
    steps = np.tri(n)[:, BREAK_MARGIN : n - BREAK_MARGIN] * weight[:, None]
    steps = steps - frame @ (frame.T @ steps)
    rest = level * weight - frame @ (frame.T @ (level * weight))
    total = float(np.dot(rest, rest))
    if total <= 0:
        return None
    share = (rest @ steps) ** 2 / np.maximum(np.sum(steps**2, axis=0), 1e-12) / total
    top = int(np.argmax(share))
    return top + BREAK_MARGIN if share[top] > BREAK_SHARE else None


def _averaged(values: Array, size: int) -> Array:
    """Return means of `size` points each, without the first few where that makes the FFT fast (under a sixteenth)."""
    points = values.size // size
    points -= points % 2 ** max(0, points.bit_length() - 5)
    held = values[values.size - points * size :]
    return held if size == 1 else np.asarray(held.reshape(points, size).mean(axis=1))


def _standardised(residual: Array) -> Array:
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


def _ratios(even: _Residual, rest: _Residual, look: _Look, held: _Peak | None = None) -> _Ratios:
    """Return the power of `even` over the continuum of `rest`.

    `held` is a period that has been taken out of `rest`: the frequencies it leaves empty say nothing of the noise.
    """
    power, left = even.power, rest.values
    noise = power[::OVERSAMPLING] if rest is even else _power(left * even.window, 1)
    energy = float(np.dot(left, left))
    rho = float(np.dot(left[1:], left[:-1])) / energy if energy > 0 else 0.0
    rho = min(max(0.0, rho + TREND_TERMS * (1 + rho) / (2 * rest.size)), MOST_RED)  # a fitted trend takes colour away
    # an AR(1) process has this spectrum: without it, what is left is nearly flat
    grid = _grid(noise.size, power.size)
    red = 1 / (1 + rho**2 - 2 * rho * grid.cosines)
    free = np.ones(noise.size, dtype=np.bool_)
    if held is not None:
        multiples = held.cycles * np.arange(1, held.terms + 1)
        for shift in (0.0, 1.0):
            free[np.minimum((multiples + shift).astype(np.int64), noise.size - 1)] = False
    continuum, dof = _continuum(noise / red, free, look.first, grid)
    return _Ratios(power, continuum * red, dof, even.size, look.shortest)


@dataclass(frozen=True)
class _Grid:
    """The frequencies of a spectrum: the whole ones `at`, their logarithms, their cosines, and where they lie among
    the quarter ones (`whole`), and the numbers of those (`fine`).
    """

    at: Array
    logs: Array
    cosines: Array
    whole: Array
    fine: Array


@lru_cache(maxsize=16)  # a search asks for the grid of its curve some ten times
def _grid(whole: int, fine: int) -> _Grid:
    at = np.arange(whole, dtype=np.float64)
    cosines = np.cos(np.pi * at / (whole - 1))
    return _Grid(at, np.log(np.maximum(at, 1)), cosines, at * OVERSAMPLING, np.arange(fine, dtype=np.float64))


def _power(values: Array, oversampling: int) -> Array:
    transform = np.fft.rfft(values, oversampling * values.size)
    return np.asarray(transform.real**2 + transform.imag**2)


@lru_cache(maxsize=64)  # every look of a curve asks for it several times; nobody changes it
def _taper(n: int) -> Array:
    window = np.ones(n)
    width = int(HARMONIC_TAPER * n / 2)
    if width:
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(width) + 0.5) / width)
        window[:width], window[-width:] = ramp, ramp[::-1]
    window.flags.writeable = False
    return window


def _continuum(power: Array, free: NDArray[np.bool_], first: int, grid: _Grid) -> tuple[Array, Array]:
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


def _search(even: _Residual, known: Sequence[float], look: _Look) -> list[_Peak]:
    """Return the candidates for a period, each with its chance and how many were tried.

    Half of the chance of a false alarm is spent on suggested lengths, half on the search: there equally on each
    octave and, within it, on each independent frequency.
    """
    ratios = _ratios(even, even, look)
    suggested = [even.size / one for one in known if one > 0 and _fits(even.size / one, ratios)]
    parts = 2 if suggested else 1
    found = [
        _Peak(at, terms, chance, parts * SHAPES * len(suggested))
        for one in suggested
        for at, terms, chance in _tuned(ratios, one, CYCLE_ERROR)
    ]
    return found + _searched(ratios, [*_strongest(ratios), *_echoing(ratios)], parts)


def _fundamental(even: _Residual, best: _Peak, peaks: Sequence[_Peak], look: _Look) -> _Peak:
    """Return the longest period of which the best one is a part: the strongest frequency is often a multiple.

    A longer period counts when what is left without the best one has significant power at its harmonics, and when its
    shape explains clearly more: a wave whose height changes has weak sidebands.
    """
    n = even.size

    def height(peak: _Peak) -> float:
        return even.swing(n / peak.cycles, peak.terms)[0]

    best = max([best, *(peak for peak in peaks if peak.expected <= PART_CHANCE)], key=height)
    for _ in range(PARTS):
        rest = even.without(n / best.cycles, best.terms)
        ratios = _ratios(rest, rest, look, best)
        divided = [(best.cycles / k, 0.5) for k in range(2, 8)]
        slower = {peak.cycles for peak in peaks if peak.cycles < 0.9 * best.cycles}
        found = _searched(ratios, [*((cycles, 1 / OVERSAMPLING) for cycles in slower), *divided], 1)
        longer = sorted((peak for peak in found if peak.expected <= PART_CHANCE), key=lambda peak: peak.expected)
        whole = [peak for peak in longer if height(peak) ** 2 >= WHOLE_SHARE * height(best) ** 2]
        if not whole:
            break
        best = whole[0]
    return _reduced(even, best)


def _reduced(even: _Residual, peak: _Peak) -> _Peak:
    """Return the shortest part of a period that explains as much: what repeats every epoch does so every other, too."""
    height, _ = even.swing(even.size / peak.cycles, peak.terms)
    for k in (5, 4, 3, 2):
        part = replace(peak, cycles=peak.cycles * k, terms=max(1, peak.terms // k))
        if part.cycles * part.terms <= even.size / 2:
            inside, _ = even.swing(even.size / part.cycles, part.terms)
            if inside**2 >= SAME_SHARE * height**2:
                return part
    return peak


def _searched(ratios: _Ratios, candidates: Iterable[tuple[float, float]], parts: int) -> list[_Peak]:
    """Return the peaks at candidates, each a frequency and how far it may be off."""
    octaves = math.log2(max(2.0, ratios.n / ratios.shortest / LEAST_CYCLES))
    return [
        _Peak(at, terms, chance, parts * SHAPES * octaves * at * terms)
        for cycles, reach in candidates
        if _fits(cycles, ratios)
        for at, terms, chance in _tuned(ratios, cycles, reach)
    ]


def _fits(cycles: float, ratios: _Ratios) -> bool:
    return LEAST_CYCLES - CYCLE_ERROR <= cycles <= ratios.n / ratios.shortest


def _strongest(ratios: _Ratios) -> Iterator[tuple[float, float]]:
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


def _echoing(ratios: _Ratios) -> Iterator[tuple[float, float]]:
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


def _tuned(ratios: _Ratios, cycles: float, reach: float) -> Iterator[tuple[float, int, float]]:
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
            chance = _log_chance(float(total[top]), terms, _freedom(ratios.dof, float(near[top]), terms))
            yield float(near[top]), terms, math.exp(max(chance, -700.0))


def _freedom(dof: Array, cycles: float, terms: int) -> float:
    """Return the dof of the continuum under a frequency and its multiples.

    One frequency rests on one block; the errors of many blocks average out over harmonics that span them.
    """
    return max(float(dof[int(cycles * (terms + 1) / 2)]), LOG_DOF * cycles * (terms - 1))


def _sums(ratio: Array, cycles: Array, terms: int) -> Array:
    """Return the sum of the ratios at each frequency and its multiples."""
    return np.asarray(ratio.take(_multiples(cycles, terms)).sum(axis=1))


def _multiples(cycles: Array, terms: int) -> Index:
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


def _log_chance(total: float, terms: int, dof: float) -> float:
    """Return the same of one sum, without the cost of arrays."""
    inside = total / (dof + total)
    summed = term = 1.0
    for i in range(1, terms):
        term *= inside * (dof + i - 1) / i
        summed += term
    return min(0.0, math.log(summed) - dof * math.log1p(total / dof))


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


def _kept(even: _Residual, length: float, terms: int) -> float:
    """Return how much of the shape the weakest fifth of the stretches shows: 1 all of it, 0 nothing."""
    course = even.course(length, terms)
    stretches = int(min(STRETCHES, even.size / length))
    edges = even_edges(even.size, stretches)[:-1]
    size = np.add.reduceat(course**2, edges)
    along = np.add.reduceat(even.values * course, edges)
    return quantile(np.divide(along, size, out=np.zeros(size.size), where=size > 0), 0.2)


def find_period(values: Array) -> Period | None:
    """Return the period of the best echo of values without a trend, untested; None when no peak stands out.

    For curves without noise, such as a schedule: whether noise alone would echo as much is not asked.
    """
    if values.size < 24:
        return None
    best = _best_echo(values, LEAST_CYCLES)
    return None if best is None else Period(best[1], best[2], values.size / best[1])


def explained_share(residual: Array, length: float) -> float:
    """Return the share of the variance that a shape of a given period explains, 0 to 1."""
    total = float(np.var(residual))
    return 1 - float(np.var(residual - _Residual(residual).course(length, SHAPE_TERMS))) / total if total > 0 else 0.0


def clipped(residual: Array) -> Array:
    """Return the residual centred and clipped at ± 4 robust sigma, so that one leap is no period."""
    centred = residual - median(residual)
    scale = mad_sigma(centred)
    return np.clip(centred, -CLIP * scale, CLIP * scale) if scale > 0 else centred


def autocorrelations(residual: Array, most: int) -> Array:
    """Return autocorrelations at lags 0 … `most`, float64[most+1], by FFT, each by its own number of pairs."""
    held = clipped(residual)
    held = held - held.mean()
    n = held.size
    power = np.abs(np.fft.rfft(held, 2 * n)) ** 2
    raw = np.fft.irfft(power)[: most + 1] / (n - np.arange(most + 1))
    return np.asarray(raw / raw[0] if raw[0] > 0 else np.zeros(most + 1))


def _best_echo(residual: Array, least_cycles: float) -> tuple[int, float, float] | None:
    """Return lag, period and height of the best echo; peaks at its multiples sharpen the period, or mislead."""
    n = residual.size
    most = int(n / least_cycles)
    if most < 3:
        return None
    echoes = autocorrelations(residual, min(n - 2, 2 * most + 2))
    inner = echoes[1:-1]
    peaks = np.flatnonzero((inner >= echoes[:-2]) & (inner > echoes[2:])) + 1
    # a decaying correlation has its ripple at small lags: a period must first have become uncorrelated
    crossed = np.flatnonzero(echoes[: most + 1] < np.maximum(0.1, 0.5 * np.max(echoes[2 : most + 1], initial=0.0)))
    peaks = peaks[(peaks >= 2) & (peaks <= most) & (peaks > (crossed[0] if crossed.size else most))]
    if not peaks.size:
        return None
    top = float(np.max(echoes[peaks]))
    if top <= 0:
        return None
    first = int(peaks[np.flatnonzero(echoes[peaks] >= 0.85 * top)[0]])
    return first, _refined(echoes, first, n), float(echoes[first])


def _refined(echoes: Array, lag: int, n: int) -> float:
    """Sharpen a period by the peaks near its multiples: the k-th fixes it k times better."""
    length = float(lag)
    for k in range(2, int((echoes.size - 2) / lag) + 1):
        centre = round(k * length)
        reach = max(1, round(0.2 * lag))
        window = echoes[max(1, centre - reach) : min(echoes.size, centre + reach + 1)]
        if window.size < 2 or np.max(window) < 0.3 * echoes[lag]:
            break
        length = (max(1, centre - reach) + int(np.argmax(window))) / k
    return length


def _roughness(values: Array) -> Array:
    """Return what is left of a curve when all that is slower than a few blocks is taken away."""
    return values - trend.smooth(values, FINE_BLOCKS)


COARSE = _Look(LEAST_POINTS, 512, 8.0, levelled, FIRST, 10.0)
FINE = _Look(FINE_BLOCKS * LEAST_IN_BLOCK, 16_384, 2.0, _roughness, FINE_BLOCKS, 0.3)
ONLY = replace(COARSE, shortest=2.0)  # of a curve that is too short for the fine look
