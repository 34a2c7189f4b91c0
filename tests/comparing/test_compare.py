"""Sides of runs compared: which metric decides, which runs are left out and why, what differs, and what is said."""

import json
import re

import numpy as np
import pytest

import analyzer
from analyzer.errors import PosthocError, UsageError
from tests.comparing.made import STEPS, damaged, run, side

A, B = [1.0, 1.02, 0.98], [0.8, 0.82, 0.78]


def reasons(found, which="candidate"):
    return {one["run"]: one["reason"] for one in found.to_dict()[which]["excluded"]}


def test_a_lower_loss_is_better_and_a_higher_accuracy_too():
    assert analyzer.compare(side("a", A), side("b", B)).verdict == "better"
    assert analyzer.compare(side("a", A, tag="val/accuracy"), side("b", B, tag="val/accuracy")).verdict == "worse"
    assert analyzer.compare(side("a", A), side("b", B), better="higher").verdict == "worse"


def test_a_metric_whose_direction_is_not_known_asks_for_it():
    sides = side("a", A, tag="zeta"), side("b", B, tag="zeta")
    with pytest.raises(UsageError, match="--better"):
        analyzer.compare(*sides, metric="zeta")
    assert analyzer.compare(*sides, metric="zeta", better="lower").verdict == "better"


def test_the_held_out_loss_decides_and_the_others_are_adjusted_together():
    more = {"train/loss": 0.5, "val/accuracy": 0.9, "test/loss": 1.1}
    found = analyzer.compare(side("a", A, more=more), side("b", B, more=more))
    assert found.to_dict()["primary"] == "val/loss"
    assert {m.tag for m in found.metrics[1:]} == set(more)
    assert all(
        m.p_adjusted is not None and m.p_adjusted >= m.p_value for m in found.metrics[1:] if m.p_value is not None
    )


def test_no_metric_in_common_is_one_sentence():
    with pytest.raises(UsageError, match="no metric or loss in common: a has val/loss; b has val/mae"):
        analyzer.compare(side("a", A), side("b", B, tag="val/mae"))


def test_runs_end_at_the_last_step_that_all_reached():
    early = [run(f"b/{i}", end, steps=STEPS[:15]) for i, end in enumerate(B)]
    aligned = analyzer.compare(side("a", A), early).to_dict()["aligned"]
    assert aligned == {"by": "step", "at": int(STEPS[14]), "reason": "the last step that every run reached"}


def test_runs_that_failed_are_named_counted_and_tested():
    bad = [run("b/nan", 0.8, nan_from=300), run("b/short", 0.8, steps=STEPS[:6]), damaged("b/broken")]
    found = analyzer.compare(side("a", A), [*side("b", B), *bad])
    assert set(reasons(found)) == {"b/nan", "b/short", "b/broken"}
    assert "NaN from step 300" in reasons(found)["b/nan"]
    assert "ended at step 250 of 1,000" in reasons(found)["b/short"]
    assert "1 of 6 runs of b diverged." in found.sentence
    assert found.extra["failures"]["candidate"] == {"failed": 2, "runs": 5}
    assert len(found.primary.candidate.values) == 3


def test_a_side_without_a_finished_run_cannot_be_compared():
    with pytest.raises(UsageError, match=r"b has no finished run to compare .*NaN from step 300"):
        analyzer.compare(side("a", A), [run(f"b/{i}", 0.8, nan_from=300) for i in range(2)])


def test_a_copy_is_no_further_seed():
    found = analyzer.compare(side("a", A), [run("b/0", 0.8), run("b/1", 0.8), run("b/2", 0.8)])
    assert len(found.primary.candidate.values) == 1
    assert all("same as in b/0" in reason for reason in reasons(found).values())


def test_one_run_each_cannot_tell_until_seed_noise_is_known():
    one, other = [run("a/0", 1.0)], [run("b/0", 0.8)]
    assert analyzer.compare(one, other).verdict == "cannot-tell"
    rng = np.random.default_rng(1)
    pool = [r for g in range(8) for r in side(f"pool/{g}", 1 + 0.01 * rng.normal(size=5))]
    noise = analyzer.seed_noise(pool, metric="val/loss")
    assert noise.sd == pytest.approx(0.01, rel=0.5) and noise.df <= 8
    told = analyzer.compare(one, other, noise_from=noise)
    assert (told.verdict, told.primary.test) == ("better", "moderated-t")
    assert analyzer.compare(one, other, noise_from=pool).to_dict() == told.to_dict()
    assert analyzer.compare(one, [run("b/0", 0.99)], noise_from=noise).verdict == "cannot-tell"


def test_values_that_scatter_nowhere_are_held_to_the_digits_they_were_logged_with():
    def ones(name, value):
        return [run(f"{name}/{i}", value, tag="test_accuracy", steps=np.array([0])) for i in range(3)]

    assert analyzer.compare(ones("a", 0.91), ones("b", 0.91)).verdict == "cannot-tell"
    assert analyzer.compare(ones("a", 0.91), ones("b", 0.915)).verdict == "better"


def test_a_difference_that_would_matter_gives_equivalence_and_the_runs_that_settle_it():
    rng = np.random.default_rng(2)
    a, b = (list(1 + 0.001 * rng.normal(size=8)) for _ in range(2))
    assert analyzer.compare(side("a", a), side("b", b), worth=0.01).verdict == "no-difference"
    assert analyzer.compare(side("a", a), side("b", b), worth="1%").primary.worth == pytest.approx(0.01, rel=0.01)
    open_ = analyzer.compare(side("a", a[:2]), side("b", b[:2]), worth=0.0001)
    assert open_.verdict == "cannot-tell"
    assert open_.to_dict()["metrics"][0]["more_runs"]["for"] == 0.0001
    for wrong in ("much", 0, -1):
        with pytest.raises(UsageError, match="is not a relevant difference"):
            analyzer.compare(side("a", a), side("b", b), worth=wrong)


def test_pairs_of_equal_seeds_are_compared_by_their_differences():
    a = [1.0, 1.5, 0.7, 1.2]
    found = analyzer.compare(side("a", a), [*side("b", [v - 0.01 - 0.001 * i for i, v in enumerate(a)])], paired=True)
    assert (found.verdict, found.primary.test, found.paired) == ("better", "paired-t", True)
    assert analyzer.compare(side("a", a), side("b", [v - 0.01 for v in a])).verdict == "cannot-tell"
    with pytest.raises(UsageError, match="'fold'"):
        analyzer.compare(side("a", a), side("b", a), paired="fold")


def test_settings_that_differ_are_rows_and_labels_are_not():
    a = side("a", A, params={"lr": 0.001, "batch_size": 32, "run_name": "x"}, tags={"mlflow.source.git.commit": "aa"})
    b = side("b", B, params={"lr": 0.003, "batch_size": 64, "run_name": "y"}, tags={"mlflow.source.git.commit": "bb"})
    found = analyzer.compare(a, b)
    rows = {row.name: (row.base, row.candidate, row.kind) for row in found.settings}
    assert rows == {
        "lr": ("0.001", "0.003", "param"), "batch_size": ("32", "64", "plan"), "git commit": ("aa", "bb", "code"),
    }  # fmt: skip
    assert any("which of them did it is not known" in note for note in found.notes)


def test_a_setting_that_varies_within_a_side_and_goes_with_the_outcome_is_named():
    ends = [1.0, 1.01, 0.99, 1.5, 1.51, 1.49]
    runs = [run(f"a/{i}", end, params={"gpu": "a" if i < 3 else "b"}) for i, end in enumerate(ends)]
    found = analyzer.compare(runs, side("b", B, params={"gpu": "a"}))
    assert [row["name"] for row in found.extra["confounding"]] == ["gpu"]


def test_curves_that_cross_are_told():
    rng = np.random.default_rng(5)

    def crossing(name, early, late):
        values = [np.where(STEPS < 600, early, late) + 0.01 * rng.normal() for _ in range(3)]
        return [_with(f"{name}/{i}", v) for i, v in enumerate(values)]

    found = analyzer.compare(crossing("a", 1.0, 0.9), crossing("b", 1.2, 0.7))
    assert found.verdict == "better"
    assert 550 <= found.to_dict()["metrics"][0]["crossing"]["step"] <= 600
    assert any("a leads until step" in note for note in found.notes)
    assert analyzer.compare(side("a", A), side("b", B)).primary.crossing is None


def _with(name, values):
    from analyzer.model.run import Run, Series

    series = {"val/loss": Series("val/loss", STEPS, values, 1.7e9 + STEPS)}
    return Run(name, name, "made", f"/logs/{name}", series=series)


def test_noisy_training_curves_are_compared_by_their_level_at_the_end():
    rng = np.random.default_rng(7)
    steps = np.arange(1000)

    def noisy(name, end):
        from analyzer.model.run import Run, Series

        values = end + np.exp(-steps / 100) + 0.2 * rng.normal(size=1000)
        return Run(
            name,
            name,
            "made",
            f"/logs/{name}",
            series={"train/loss": Series("train/loss", steps, values, steps + 1.7e9)},
        )

    found = analyzer.compare([noisy(f"a/{i}", 1.0) for i in range(4)], [noisy(f"b/{i}", 1.0) for i in range(4)])
    assert found.primary.tag == "train/loss"
    assert np.std(found.primary.base.values) < 0.1  # the noise of a single point is 0.2
    assert found.primary.measurement_error == pytest.approx(0.04, rel=0.5)


def test_the_best_and_the_mean_are_outcomes_of_their_own():
    dip = [np.where(STEPS == 500, 0.5, 1.0 + 0.01 * i) for i in range(3)]
    low = [np.where((STEPS >= 300) & (STEPS <= 700), 0.5 + 0.01 * i, 1.0) for i in range(3)]
    one, other = ([_with(f"{n}/{i}", v) for i, v in enumerate(vs)] for n, vs in (("a", dip), ("b", low)))
    assert analyzer.compare(one, other, outcome="best").verdict == "better"  # one low point is no level
    assert analyzer.compare(one, other, outcome="auc").verdict == "better"


def test_several_tasks_are_told_one_by_one_and_by_their_interquartile_mean():
    rng = np.random.default_rng(9)

    def runs(name, games, shift):
        return [
            run(
                f"{name}/{g}-{s}",
                (g + 1) * (1 + 0.01 * rng.normal()) + shift * (g + 1),
                tag="val/reward",
                params={"env_id": f"g{g}"},
            )
            for g in range(games)
            for s in range(3)
        ]

    found = analyzer.compare(runs("a", 5, 0), runs("b", 5, 0.1))
    tasks = found.extra["tasks"]
    assert (tasks["count"], found.verdict, found.primary.p_value) == (5, "better", None)
    assert tasks["interval"][0] > 0 and "5 tasks" in found.sentence
    assert analyzer.compare(runs("a", 3, 0), runs("b", 3, 0.0)).verdict == "cannot-tell"


def test_the_document_is_strict_and_has_the_keys_of_its_schema():
    found = analyzer.compare(side("a", A), side("b", B))
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["schema"] == "posthoc-compare/1"
    keys = {"schema", "tool", "verdict", "sentence", "primary", "base", "candidate", "aligned", "outcome", "paired"}
    assert keys | {"settings", "metrics"} <= set(document)
    metric = {
        "tag",
        "better",
        "base",
        "candidate",
        "difference",
        "relative",
        "interval",
        "level",
        "p_value",
        "p_adjusted",
    }
    metric |= {
        "test",
        "df",
        "noise",
        "improvement",
        "detectable",
        "more_runs",
        "worth",
        "crossing",
        "verdict",
        "sentence",
    }
    assert metric <= set(document["metrics"][0])
    assert document["metrics"][0]["noise"]["from"] == "groups"


def test_a_notebook_shows_a_comparison():
    html = analyzer.compare(side("<b>", A), side("b", B))._repr_html_()
    assert "is better" in html and "<script" not in html and "<b>/seed" not in html


@pytest.mark.parametrize("given", [[], ["/nowhere/at/all"]])
def test_a_side_that_is_absent_is_an_error(given):
    with pytest.raises(PosthocError):
        analyzer.compare(given, side("b", B))


def test_an_interval_that_excludes_zero_is_not_written_as_if_it_touched_it():
    from analyzer.comparing.difference import Difference
    from analyzer.comparing.wording import figures

    found = Difference(-0.0018, (10, 10), error=0.0018 / 2.0931, sd=0.002, df=19.0, test="student-t", p_value=0.0499)
    assert re.search("to −0[.]0*[1-9]", figures("val/loss", found, (3.28, 3.2782), 0.95))


def test_a_run_beside_the_group_it_belongs_to_is_compared_with_the_others():
    group = side("a", A)
    found = analyzer.compare(group, [group[1]])
    assert reasons(found, "base") == {"a/seed-1": "it is a run of the other side"}
    assert (len(found.primary.base.values), len(found.primary.candidate.values)) == (2, 1)


def test_a_source_of_noise_with_too_few_groups_is_named():
    pool = [*side("p", [1.0, 1.1]), *side("q", [0.9, 0.95])]
    found = analyzer.compare([run("a/0", 1.0)], [run("b/0", 0.9)], noise_from=pool)
    assert any("its source has 2 groups of replicates that log val/loss; 4 are needed" in note for note in found.notes)
    assert not any("borrowed" in note for note in analyzer.compare([run("a/0", 1.0)], [run("b/0", 0.9)]).notes)
