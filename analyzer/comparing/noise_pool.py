"""Seed noise borrowed from groups of replicates: sub-folders or settings of a source, or the other sides of a call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from analyzer.comparing import exclusion
from analyzer.comparing.metric_choice import Better
from analyzer.comparing.outcome import Outcome, common_budget, outcomes
from analyzer.comparing.settings_diff import key_of
from analyzer.comparing.subject import Subject
from analyzer.comparing.variance_prior import Prior, fitted
from analyzer.model.comparison import SeedNoise

WIDE = 10.0  # times: groups whose levels span more scatter in proportion to their level, and are pooled in logs
LEAST = 2  # runs of a group that show a scatter


def groups_of(subjects: Iterable[Subject]) -> Mapping[str, list[Subject]]:
    """Return groups of replicates by name: runs of one folder (or experiment) with the same settings but for labels."""
    found: dict[tuple[object, ...], list[Subject]] = {}
    for subject in subjects:
        folder = subject.run.id.rpartition("/")[0]
        root = subject.run.location.removesuffix(subject.run.id)
        found.setdefault((root, folder, key_of(subject)), []).append(subject)
    return {f"{i}:{key[1] or key[0]}": group for i, (key, group) in enumerate(sorted(found.items(), key=str))}


def noise_of(
    groups: Mapping[str, Sequence[Subject]],
    tag: str,
    better: Better,
    outcome: Outcome = "final",
    *,
    noisy: bool = False,
) -> SeedNoise:
    """Return the seed noise of a metric in groups of replicates; its `sd` is None for fewer than four of them."""
    rows = []
    for name, group in groups.items():
        tracks = [track for s in _sound(group, tag) if (track := s.track(tag)) is not None]
        if len(tracks) < LEAST:
            continue
        at = common_budget(tracks)
        values = np.array([o.value for o in outcomes(tracks, at, outcome, lower=better == "lower", noisy=noisy)])
        rows.append((name.partition(":")[2], int(values.size), float(values.mean()), float(values.std(ddof=1))))
    return seed_noise_from(tag, rows)


def seed_noise_from(tag: str, rows: Sequence[tuple[str, int, float, float]]) -> SeedNoise:
    """Return the seed noise out of (name, runs, mean, sd) of groups."""
    means = [mean for _, _, mean, _ in rows]
    log = bool(means) and min(means) > 0 and max(means) > WIDE * min(means)
    variances = [(sd / mean) ** 2 if log else sd**2 for _, _, mean, sd in rows]
    prior = fitted(variances, [n - 1 for _, n, _, _ in rows])
    return SeedNoise(tag, math.sqrt(prior.variance) if prior else None, prior.df if prior else None, log, tuple(rows))


def prior_for(noise: SeedNoise | None, level: float) -> Prior | None:
    """Return the prior for outcomes around a level, in the unit of the metric."""
    if noise is None or noise.sd is None or noise.df is None:
        return None
    sd = noise.sd * abs(level) if noise.log else noise.sd
    return Prior(sd**2, noise.df, len(noise.groups)) if sd > 0 else None


def _sound(group: Sequence[Subject], tag: str) -> list[Subject]:
    """Return the runs of a group that a comparison would take: readable, finite, finished, each once."""
    kept = [s for s in group if exclusion.unreadable(s) is None and exclusion.without_metric(s, tag) is None]
    kept = [s for s in kept if exclusion.diverged(s, tag, None) is None and _has_points(s, tag)]
    for gone in (exclusion.cut_off(kept, (), tag, None), exclusion.copies(kept, tag)):
        out = {id(excluded.subject) for excluded in gone}
        kept = [s for s in kept if id(s) not in out]
    return kept


def _has_points(subject: Subject, tag: str) -> bool:
    track = subject.track(tag)
    return track is not None and bool(track.x.size)
