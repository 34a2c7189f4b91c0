"""What sick runs have in common is told when it is sure and matters, as one sentence with its counts."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.auditing.cross_run.shared_settings import in_common
from benchmarks.across import NULLS, high_rate_diverges, no_dropout_overfits, run


def sweep(size=60, symptom="exploding-loss", **columns):
    """Return runs whose sickness is a function of their number, each column a function of it too."""
    sick = columns.pop("sick")
    return [
        run(f"s/r{i:02d}", {name: value(i) for name, value in columns.items()}, [symptom] if sick(i) else [])
        for i in range(size)
    ]


def test_nine_of_eleven_and_one_of_forty():
    rates = [0.1] * 10 + [0.001] * 41
    night = sweep(51, lr=lambda i: rates[i], sick=lambda i: i < 9 or i in (20, 30))
    (found,) = in_common(night)
    assert found.sentence == "9 of 11 runs with exploding-loss had lr = 0.1; 1 of 40 others."
    assert found.rows == (("0.001", "2", "39", "4.9 %"), ("0.1", "9", "1", "90 %"))
    assert found.runs == tuple(f"s/r{i:02d}" for i in range(9)) and found.p_value < 1e-5 and found.group == "s"


def test_a_number_is_cut_where_few_digits_will_do():
    night = sweep(lr=lambda i: 0.00137 * 1.1**i, sick=lambda i: i >= 40)
    (found,) = in_common(night)
    assert found.sentence == "20 of 20 runs with exploding-loss had lr ≥ 0.06; 0 of 40 others."
    low = sweep(lr=lambda i: 0.00137 * 1.1**i, sick=lambda i: i < 20)
    assert "had lr < 0.009; 0 of 40" in in_common(low)[0].sentence


def test_numbers_and_switches_kept_as_texts_are_what_they_say():
    night = sweep(amp=lambda i: str(i % 2 == 0), lr=lambda i: f"{10.0 ** -(i % 3 + 1)}", sick=lambda i: i % 2 == 0)
    (found,) = in_common(night)
    assert found.sentence == "30 of 30 runs with exploding-loss had amp = True; 0 of 30 others."


def test_settings_that_go_along_are_named_together():
    night = sweep(
        lr=lambda i: i // 40, warmup=lambda i: 7 - i // 40, opt=lambda i: "ab"[i // 40], sick=lambda i: i >= 40
    )
    (found,) = in_common(night)
    assert "had lr = 1;" in found.sentence and "opt and warmup go along with it here" in found.evidence


@pytest.mark.parametrize(
    "name", ["seed", "random_state", "output_dir", "run_name", "start_time", "trial", "final_loss"]
)
def test_what_is_no_setting_is_never_told(name):
    assert in_common(sweep(**{name: lambda i: 1 + i // 40, "sick": lambda i: i >= 40})) == []


def test_places_clocks_counts_and_what_is_different_in_every_run_are_no_settings():
    for column in (lambda i: f"/data/{i // 40}", lambda i: 1.7e9 + i // 40, lambda i: i, lambda i: f"word{i}"):
        assert in_common(sweep(what=column, sick=lambda i: i >= 40)) == []


def test_runs_that_were_not_judged_for_the_symptom_are_left_out():
    night = sweep(lr=lambda i: i // 30, sick=lambda i: i >= 30)
    blind = [replace(one, checked=()) if i < 30 else one for i, one in enumerate(night)]
    assert in_common(night) and in_common(blind) == []
    aside = [replace(o, findings=tuple(replace(f, suppressed={"reason": "x"}) for f in o.findings)) for o in night]
    explained = [replace(o, findings=tuple(replace(f, explained_by="x") for f in o.findings)) for o in night]
    mild = [replace(o, findings=tuple(replace(f, severity="info") for f in o.findings)) for o in night]
    going = [replace(o, status="in-progress") for o in night]
    assert all(in_common(other) == [] for other in (aside, explained, mild, going))


def test_a_sure_difference_that_hardly_matters_is_not_told():
    rng = np.random.default_rng(1)
    night = sweep(2000, lr=lambda i: i % 2, sick=lambda i: rng.random() < (0.35 if i % 2 else 0.25))
    assert in_common(night) == []


def test_ways_to_diverge_are_one_thing_to_whoever_looks_for_the_cause():
    (found,) = in_common(high_rate_diverges(np.random.default_rng(2)))
    assert "runs that diverged (exploding-loss or non-finite) had lr ≥ 0.0088;" in found.sentence
    assert "44 comparisons" in found.evidence and "lr_final goes along" in found.evidence


def test_a_level_is_found_among_several():
    (found,) = in_common(no_dropout_overfits(np.random.default_rng(3)))
    assert "had augment = none;" in found.sentence and len(found.rows) == 3


def test_sweeps_are_looked_at_apart():
    night = sweep(lr=lambda i: 1 + i // 40, sick=lambda i: i >= 40)
    cut = [replace(one, run=one.run.replace("s/", f"project{i // 40}/")) for i, one in enumerate(night)]
    assert in_common(cut)  # no setting varies within either folder: one sweep, a value in each
    other = [replace(o, params=(*o.params, ("depth", i % 3))) for i, o in enumerate(cut)]
    assert in_common(other) == []  # two sweeps of depth, each at its own rate: the folder is no evidence


@pytest.mark.parametrize(
    "make", [NULLS["random searches, random sickness"], NULLS["a grid with seeds, nothing matters"]]
)
def test_chance_is_hardly_ever_told(make):
    """At most one in twenty nights; `python -m benchmarks.across` measures it closely."""
    assert sum(bool(in_common(make(np.random.default_rng([5, i])))) for i in range(15)) <= 1
