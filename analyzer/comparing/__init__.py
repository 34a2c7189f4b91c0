"""Did it get better: two groups of runs compared by what they came to, beside how much seeds scatter.

| module | content |
| --- | --- |
| `ask` | the options, checked |
| `sides`, `subject` | where the runs of a side come from, and a run as a comparison sees it |
| `exclusion`, `failures` | runs that are taken out with a reason, and Fisher's test on failures |
| `choosing`, `outcome` | which metric decides, and what each run came to at the common budget |
| `difference`, `prior`, `pool` | the tests, and the noise of seeds that is borrowed from other groups |
| `power`, `anova`, `tasks` | what can be found, several values of a setting, several tasks |
| `crossing`, `settings_diff` | the difference over the steps, and the settings that differ |
| `engine`, `metric`, `wording`, `method` | the comparison put together, and its sentences |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analyzer.comparing.engine import Group, Memory, compare_groups
from analyzer.comparing.noise_pool import groups_of, noise_of
from analyzer.comparing.sides import Given, Origin, groups_by, named, subjects_of
from analyzer.comparing.subject import Subject
from analyzer.errors import UsageError
from analyzer.model.comparison import Comparison, SeedNoise
from analyzer.model.roles import read_role

__all__ = ["Given", "Origin", "compare_cut", "compare_given", "noise_given"]

Noise = SeedNoise | Given | None


def compare_given(
    sides: Sequence[Given], origin: Origin, noise: Noise = None, memory: Memory | None = None
) -> Comparison:
    """Return the comparison of sides, the base first. UsageError or SourceError when they cannot be compared."""
    given = [list(one) if isinstance(one, Iterator) else one for one in sides]
    subjects = [subjects_of(one, origin) for one in given]
    if not all(subjects):
        raise UsageError(f"the {'base' if not subjects[0] else 'candidate'} has no run")
    names = named(given, subjects)
    groups = [Group(name, own) for name, own in zip(names, subjects, strict=True)]
    return compare_groups(groups[0], groups[1:], origin.ask, _borrowed(noise, origin), memory)


def compare_cut(
    source: Given,
    by: str,
    origin: Origin,
    *,
    base: str | None = None,
    only: Sequence[str] = (),
    noise: Noise = None,
    memory: Memory | None = None,
) -> Comparison:
    """Return the comparison of one source cut by a setting: the first value, or the one named, is the base."""
    groups = groups_by(subjects_of(source, origin), by, base, only)
    return compare_groups(groups[0], groups[1:], origin.ask, _borrowed(noise, origin), memory)


def noise_given(source: Given, metric: str, origin: Origin) -> SeedNoise:
    """Return the seed noise of a metric in the groups of replicates of a source; UsageError when no run logs it."""
    subjects = subjects_of(source, origin)
    having = [s for s in subjects if s.track(metric) is not None]
    if not having:
        raise UsageError(f"no run of the source logs {metric!r}")
    role = having[0].roles.get(metric) or read_role(metric)
    better = origin.ask.better or role.direction or "lower"
    noisy = role.split not in {"validation", "test"}
    return noise_of(groups_of(having), metric, better, origin.ask.outcome, noisy=noisy)


def _borrowed(noise: Noise, origin: Origin) -> SeedNoise | Sequence[Subject] | None:
    return noise if noise is None or isinstance(noise, SeedNoise) else subjects_of(noise, origin)
