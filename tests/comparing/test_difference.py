"""The tests agree with scipy's where those exist, and the prior with Smyth's fit on data of known parameters."""

import numpy as np
import pytest
from scipy import stats

from analyzer.comparing.anova import welch_anova
from analyzer.comparing.difference import paired, rounding_variance, unpaired
from analyzer.comparing.failures import fisher
from analyzer.comparing.power import detectable, more_runs, power_of
from analyzer.comparing.variance_prior import MOST_DF, Prior, fitted, lends

RNG = np.random.default_rng(3)


@pytest.mark.parametrize(("sizes", "name", "equal"), [((3, 3), "student-t", True), ((1, 5), "student-t", True),
    ((2, 5), "student-t", True), ((4, 7), "welch-t", False)])  # fmt: skip
def test_p_values_and_intervals_are_those_of_scipy(sizes, name, equal):
    a, b = RNG.normal(size=sizes[0]), RNG.normal(size=sizes[1]) + 1
    found, known = unpaired(a, b), stats.ttest_ind(b, a, equal_var=equal)
    assert found.test == name
    assert found.p_value == pytest.approx(known.pvalue)
    if min(sizes) > 1:
        assert found.interval(0.95) == pytest.approx(tuple(known.confidence_interval(0.95)))


def test_pairs_are_tested_by_their_differences():
    a = RNG.normal(size=6)
    b = a + 0.3 + 0.1 * RNG.normal(size=6)
    found = paired(a, b)
    assert found.p_value == pytest.approx(stats.ttest_rel(b, a).pvalue)
    assert found.correlation == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_one_run_each_has_no_test_without_a_pool_and_one_with_it():
    a, b = np.array([1.0]), np.array([1.4])
    assert unpaired(a, b).p_value is None
    found = unpaired(a, b, Prior(0.01, 8.0, 10))
    assert (found.test, found.origin, found.df) == ("moderated-t", "pool", 8.0)
    assert found.p_value == pytest.approx(2 * stats.t.sf(0.4 / np.sqrt(0.02), 8))


def test_a_pool_that_is_clearly_quieter_lends_nothing():
    prior = Prior(0.01, 8.0, 10)
    assert lends(prior, 0.012, 4) and not lends(prior, 0.2, 4)
    loud = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 3.1])
    assert unpaired(*loud, prior).test == "student-t"


def test_the_prior_finds_the_variance_and_its_df_again():
    true_df, true_variance, d = 6.0, 0.04, 9
    variances = true_variance * stats.f.rvs(d, true_df, size=4000, random_state=1)
    found = fitted(variances, [d] * variances.size)
    assert found.variance == pytest.approx(true_variance, rel=0.05)
    assert found.df == pytest.approx(true_df, rel=0.1)


def test_the_prior_is_never_trusted_for_more_than_eight_df_and_needs_four_groups():
    alike = 0.04 * stats.chi2.rvs(9, size=200, random_state=1) / 9
    assert fitted(alike, [9] * 200).df == MOST_DF
    assert fitted([0.1, 0.2, 0.3], [4, 4, 4]) is None
    assert fitted([0.0, 0.0, 0.0, 0.1], [4] * 4) is None


def test_equal_values_of_few_digits_hide_what_rounding_hides():
    assert rounding_variance([0.91, 0.91]) == pytest.approx(0.01**2 / 12)
    assert rounding_variance([float(np.float32(0.91))] * 2) == pytest.approx(0.01**2 / 12)
    assert rounding_variance([0.9123456789, 0.91]) == 0


def test_equivalence_is_two_one_sided_tests():
    a, b = np.array([1.0, 1.1, 0.9, 1.0]), np.array([1.02, 1.08, 0.93, 1.0])
    found = unpaired(a, b)
    low, high = found.interval(0.9)
    assert found.equivalent(max(-low, high) + 1e-9, 0.95)
    assert not found.equivalent(max(-low, high) - 1e-9, 0.95)


def test_power_is_what_simulation_finds():
    gap, n = 1.4, 6
    rng = np.random.default_rng(0)
    hits = [stats.ttest_ind(rng.normal(size=n), gap + rng.normal(size=n)).pvalue < 0.05 for _ in range(3000)]
    assert power_of(gap, np.sqrt(2 / n), 2 * n - 2, 0.95) == pytest.approx(np.mean(hits), abs=0.03)


def test_the_runs_asked_for_have_the_power_and_one_less_has_not():
    found = unpaired(np.array([1.0, 1.2, 1.1]), np.array([1.05, 1.25, 1.2]))
    gap = 0.1
    more = more_runs(found, gap, 0.95)
    power = [power_of(gap, found.sd * np.sqrt(2 / (3 + k)), 4 + 2 * k, 0.95) for k in (more - 1, more)]
    assert power[0] < 0.8 <= power[1]
    assert power_of(detectable(found, 0.95), found.error, found.df, 0.95) == pytest.approx(0.8, abs=1e-6)


def test_fisher_is_that_of_scipy():
    for failed, runs in (((0, 2), (5, 5)), ((3, 0), (4, 9)), ((1, 1), (2, 8))):
        table = [[failed[0], runs[0] - failed[0]], [failed[1], runs[1] - failed[1]]]
        assert fisher(failed, runs) == pytest.approx(stats.fisher_exact(table).pvalue)


def test_welchs_analysis_of_variance_of_two_groups_is_his_t_test():
    groups = [RNG.normal(size=5), RNG.normal(size=8) * 2 + 1, RNG.normal(size=6)]
    found = welch_anova(groups)
    assert 0 < found["p_value"] < 1
    n = np.array([g.size for g in groups])
    w = n / np.array([g.var(ddof=1) for g in groups])
    centre = np.sum(w * [g.mean() for g in groups]) / w.sum()
    spread = np.sum((1 - w / w.sum()) ** 2 / (n - 1))
    f = np.sum(w * ([g.mean() for g in groups] - centre) ** 2) / 2 / (1 + 2 / 8 * spread)
    assert found["f"] == pytest.approx(f)
    assert found["p_value"] == pytest.approx(stats.f.sf(f, 2, 8 / (3 * spread)))
