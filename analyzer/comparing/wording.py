"""The sentences of a comparison, with as many digits as the interval supports."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analyzer.comparing.difference import Difference
from analyzer.comparing.exclusion import FAILURES, Excluded
from analyzer.model.comparison import CompareVerdict
from analyzer.model.formatting import counted, number, step

PLAIN_DIGITS = 4  # significant digits of a level whose error is not known
MOST_PLACES = 12  # decimal places


def places_for(found: Difference, level: float) -> int:
    """Return the decimal places that show two digits of the interval's half width, else of the gap.

    An end of the interval that is not 0 is not written as 0: on which side of 0 it lies makes the verdict.
    """
    inside = found.interval(level)
    width = (inside[1] - inside[0]) / 2 if inside else 0.0
    size = width or abs(found.difference)
    places = min(MOST_PLACES, max(0, 1 - math.floor(math.log10(size)))) if size > 0 else PLAIN_DIGITS
    while places < MOST_PLACES and any(end and not round(end, places) for end in inside or ()):
        places += 1
    return places


def written(value: float, places: int) -> str:
    """Return a number with so many decimal places and a typographic minus."""
    text = f"{value:,.{places}f}"
    return (text.removeprefix("-") if not float(text.replace(",", "")) else text).replace("-", "−")


def figures(tag: str, found: Difference, means: tuple[float, float], level: float) -> str:
    """Return `val/loss 3.2781 against 3.2867 (−0.0086, 95 % −0.0098 to −0.0074; 10 v 10 runs)`."""
    places = places_for(found, level)
    inside = found.interval(level)
    percent = f"{100 * level:.4g} %"
    span = f", {percent} {written(inside[0], places)} to {written(inside[1], places)}" if inside else ""
    base, candidate = found.sizes
    runs = f"{counted(candidate, 'pair')}" if found.test == "paired-t" else f"{candidate} v {base} runs"
    values = f"{tag} {written(means[1], places)} against {written(means[0], places)}"
    return f"{values} ({written(found.difference, places)}{span}; {runs})"


def verdict_sentence(
    verdict: CompareVerdict,
    names: tuple[str, str],
    tag: str,
    found: Difference,
    means: tuple[float, float],
    *,
    level: float,
    worth: float | None,
    equivalent: bool,
) -> str:
    """Return the verdict on one metric in a sentence."""
    base, candidate = names
    numbers = figures(tag, found, means, level)
    if verdict in {"better", "worse"}:
        return f"{candidate} is {verdict} than {base}: {numbers}.{_against_worth(found, level, worth)}"
    if verdict == "no-difference" and worth is not None:
        inside = found.interval(level)
        there = inside is not None and not inside[0] <= 0 <= inside[1]
        more = " There is a difference, but a smaller one." if there else ""
        return f"{candidate} and {base} do not differ by {plain(worth)} or more: {numbers}.{more}"
    if found.p_value is None:
        gap = plain(abs(found.difference))
        why = "one run each" if found.sizes == (1, 1) else "too few runs"
        scatter = "how much seeds scatter is not known here"
        places = places_for(found, level)
        values = f"{tag} {written(means[1], places)} against {written(means[0], places)}"
        known = f"{why}, the gap is {gap} ({values}); {scatter}"
        return f"It is unclear whether {candidate} is better than {base}: {known}."
    return f"It is unclear whether {candidate} is better than {base}: {numbers}."


def _against_worth(found: Difference, level: float, worth: float | None) -> str:
    """Return whether the interval lies beyond the difference that would matter."""
    inside = found.interval(level)
    if worth is None or inside is None:
        return ""
    if min(abs(inside[0]), abs(inside[1])) >= worth:
        return f" The difference is larger than {plain(worth)}, the smallest that matters."
    if max(abs(inside[0]), abs(inside[1])) <= worth:
        return f" The difference is smaller than {plain(worth)}, the smallest that matters."
    return f" Whether it is larger than {plain(worth)}, the smallest that matters, is open."


def plain(value: float) -> str:
    """Return a number with four significant digits."""
    return number(value, PLAIN_DIGITS)


def more_sentence(more: int, gap: float, *, worth: bool) -> str:
    """Return how many more runs settle it, with the warning that an observed gap flatters itself."""
    seeds = f"{counted(more, 'more seed')} a side"
    if worth:
        return f"With {seeds} a difference of {plain(gap)} could be detected."
    observed = f"a difference as large as the observed {plain(gap)}"
    return f"With {seeds} {observed} could be detected; the true one may be smaller."


def failures_sentences(sides: Sequence[tuple[str, int, Sequence[Excluded]]]) -> list[str]:
    """Return how many runs of each side failed, and how many were left out for other reasons; none where none were.

    `sides` are (name, runs of the side with those left out, the excluded).
    """
    found = []
    for name, runs, excluded in sides:
        kinds = [one.kind for one in excluded]
        failed = [kind for kind in kinds if kind in FAILURES]
        for kind, did in (("diverged", "diverged"), ("cut-off", "did not finish")):
            if kind in failed:
                found.append(f"{failed.count(kind)} of {counted(runs, 'run')} of {name} {did}.")
        rest = len(kinds) - len(failed)
        if rest:
            found.append(f"{counted(rest, 'run')} of {name} {'was' if rest == 1 else 'were'} left out.")
    return found


def settings_sentence(names: Sequence[str]) -> str:
    """Return what several settings that differ mean; empty for none or one."""
    if len(names) < 2:
        return ""
    listed = ", ".join(names[:-1]) + f" and {names[-1]}"
    return f"{listed} differ: which of them did it is not known."


def crossing_sentence(at: float, axis: str, leads: tuple[str, str]) -> str:
    """Return who leads until when; `leads` are the first and the second leader."""
    return f"{leads[0]} leads until {axis} {step(at)}, then {leads[1]}."
