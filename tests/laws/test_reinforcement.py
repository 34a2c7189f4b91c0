"""What holds for every symptom of reinforcement learning: units, thinning and the axis of a reward change nothing."""

from dataclasses import replace

import pytest

from analyzer import detectors
from analyzer.features import RunFeatures
from analyzer.model.evidence import Evidence, Found, judge
from analyzer.model.run import Run, Series

NAMES = (
    "reward-collapse", "reward-plateau", "reward-instability", "entropy-collapse", "kl-blow-up",
    "policy-update-too-large", "no-learning-signal", "reward-hacking", "truncated-completions",
    "lopsided-reward", "value-divergence",
)  # fmt: skip
ALL = detectors.known()
CASES = [pytest.param(ALL[name], c, id=f"{name}: {c.name}") for name in NAMES for c in ALL[name].cases]


def outcome(detector, run: Run) -> str:
    """How grave the finding is that counts, "none" where there is none."""
    found = [
        r.severity
        for r in detector.measure(RunFeatures(run))
        if isinstance(r, Evidence) and isinstance(judge(r, detector.default_limits), Found) and r.explained_by is None
    ]
    return min(found, key=("error", "warning", "info").index, default="none")


def changed(run: Run, change, tags=None) -> Run:
    series = {
        t: Series(t, *change(s.steps, s.values, s.wall_times)) if tags is None or t in tags else s
        for t, s in run.series.items()
    }
    return replace(run, series=series)


def of_the_reward(run: Run) -> set[str]:
    """Tags that are measured in the unit of the reward."""
    curves = RunFeatures(run).curves.values()
    units = ("value-estimate", "reward-spread")
    return {c.tag for c in curves if c.role.goal not in ("", "independent") or c.role.signal in units}


@pytest.mark.parametrize(("detector", "case"), CASES)
def test_another_unit_of_the_reward_changes_nothing(detector, case):
    run = case.make()
    tags = of_the_reward(run)
    squared = {c.tag for c in RunFeatures(run).measuring("value-loss")}
    other = changed(run, lambda steps, values, times: (steps, 50 * values, times), tags)
    other = changed(other, lambda steps, values, times: (steps, 2500 * values, times), squared)
    if detector.symptom in ("reward-plateau", "lopsided-reward") or "solved" in case.name:
        pytest.skip("a share of 1 and a reward of 0 are known levels")
    assert outcome(detector, other) == outcome(detector, run)


@pytest.mark.parametrize(("detector", "case"), CASES)
def test_every_third_point_tells_the_same(detector, case):
    run = case.make()
    if max(s.points for s in run.series.values()) < 180 or min(s.points for s in run.series.values()) < 60:
        pytest.skip("too few points are left")
    thin = changed(run, lambda steps, values, times: (steps[::3], values[::3], times[::3]))
    assert outcome(detector, thin) == outcome(detector, run)


@pytest.mark.parametrize(("detector", "case"), CASES)
def test_steps_that_are_renamed_to_episodes_change_nothing(detector, case):
    run = case.make()
    renamed = changed(run, lambda steps, values, times: (steps * 1000 + 12, values, times))
    assert outcome(detector, renamed) == outcome(detector, run)
