"""The benchmark of comparisons: draws, halves, and that it notices a test that is wrong too often."""

import numpy as np

from benchmarks import compare


def test_simulated_groups_stand_in_where_there_are_no_real_ones(capsys):
    groups = compare.made_groups(40)
    assert {compare.half_of(group.name) for group in groups} == {"tune", "report"}
    compare.rates(groups, 200)
    lines = [line for line in capsys.readouterr().out.splitlines() if "posthoc, pool" in line]
    false = [float(line.split("sd (")[1].split("posthoc, pool")[1].split("[")[0]) for line in lines]
    assert len(false) == len(compare.DESIGNS) and all(share < 9 for share in false)


def test_a_test_that_always_finds_something_is_seen(capsys, monkeypatch):
    monkeypatch.setattr(compare, "TESTS", {"always": lambda a, b, prior: 0.0})
    compare.rates(compare.made_groups(10), 50)
    assert capsys.readouterr().out.count("100.0 [100.0, 100.0]") == 2 * len(compare.DESIGNS)


def test_the_prior_of_a_group_never_holds_the_group():
    groups = compare.made_groups(6)
    loud = compare.Seeds("made", "loud", groups[0].values * 1000)
    prior = compare.prior_of(loud, [*groups, loud])
    assert prior is not None and prior.variance < np.var(loud.values) / 1e3
