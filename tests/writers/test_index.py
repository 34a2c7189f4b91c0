"""The index of an audit: counts, order, size, and every run reachable without a script."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from analyzer.model.cross_run import ACROSS_KINDS, Across
from analyzer.model.run import Note
from analyzer.model.totals import Tally
from analyzer.writers.index import FURTHER_ROWS, STATIC_ROWS, headline, index_pages, title_of_sources
from analyzer.writers.index_row import FRESH, entry
from tests import made
from tests.writers.markup import check_page


def entries(count):
    """Make entries of all kinds: every fifth of a tracker with names, some with findings that are new or persist."""
    kinds = [entry(r) for r in (made.overfitted(), made.exploded(), made.healthy(), made.unjudged(), made.failed())]
    return [_named(stated(kinds[i % 5], STATES[i % 7]), i) for i in range(count)]


def stated(one, states):
    """Return the entry with findings in these states, the chips of its first ones marked as an audit marks them."""
    marks = [state if state in FRESH else "" for state in states]
    fresh = [chip._replace(state=mark) for chip, mark in zip(one.chips, marks, strict=False)]
    return replace(one, states=states, chips=(*fresh, *one.chips[len(fresh) :]))


STATES = (("new",), ("persisting",), ("regressed", "new"), (), (), (), ())


def _named(one, i):
    group, name = f"sweep_{i % 40:02d}", f"lr3e-4_seed{i:04d}"
    if i % 5 == 2:
        return replace(one, run=f"{i:032x}"[::-1], name=name, experiment=str(i % 40), page=f"{i:016x}.html")
    return replace(one, run=f"{group}/{name}", name=name, experiment=group, page=f"{i:016x}.html")


def pages(count, **more):
    return dict(index_pages(entries(count), ["logs/"], version="1.2.3", **more))


def full(count):
    """Make the pages of a night that has as much to tell across runs and over nights as an index shows."""
    names = tuple(one.run for one in entries(300))
    seen = [
        Across(kind, f"sweep_{i}", f"{i} of 99 runs with exploding-loss had learning_rate ≥ 0.0{i}; 1 of 40 others.",
               names[i : i + 120], ("learning_rate", "with it", "without", "share with it"),
               tuple((f"{j}e-05", "12", "345", "9.1 %") for j in range(6)), "as sure as can be", ("Try another one.",))
        for kind in ACROSS_KINDS for i in range(30)
    ]  # fmt: skip
    symptoms = {f"symptom-{i}": i for i in range(20)}
    nights = [
        Tally(f"2026-01-01T05:00:{i:02d}Z", count, {"error": i, "healthy": 3}, i % 2, symptoms, 1.5 * i)
        for i in range(60)
    ]
    return pages(count, across=seen, nights=nights)


def test_the_index_is_well_formed_and_sorted_worst_first():
    text = pages(50)["index.html"]
    words = check_page(text).words
    assert "30 of 40 judged runs have problems, all of them severe." in words
    assert "exploding-loss" in words and "20 runs" not in words.split("What was found")[0]
    order = [
        text.index(f'class="sign {tone}" width="16"', text.index("<tbody>", text.index('class="runs"')))
        for tone in ("error", "unjudged", "healthy")
    ]
    assert order == sorted(order)


@pytest.mark.integration
def test_five_thousand_runs_fit_and_are_all_there():
    made_pages = full(5000)
    index = made_pages["index.html"]
    assert len(index.encode()) <= 600_000
    read = check_page(index)
    data = next(json.loads(text) for given, text in read.scripts if given.get("id") == "rows")
    assert len(data["rows"]) == 5000 and len(data["experiments"]) == 40
    static = {link for text in made_pages.values() for link in check_page(text).links if link.startswith("runs/")}
    assert static == {f"runs/{i:016x}.html" for i in range(5000)}
    assert len(made_pages) == 1 + -(-(5000 - STATIC_ROWS) // FURTHER_ROWS)


def test_hostile_names_stay_names():
    read = check_page(
        dict(index_pages([entry(made.hostile())], [made.HOSTILE], [Note("layout", made.HOSTILE)], version="1"))[
            "index.html"
        ]
    )
    assert not any(tag == "img" for tag, _, _ in read.attributes)


def test_an_empty_night_and_a_quiet_one_have_their_sentence():
    check_page(dict(index_pages([], ["logs/"], version="1"))["index.html"])
    assert headline(Counter()) == "No run was found."
    assert headline(Counter(healthy=1)) == "Nothing points to a problem in 1 run."
    assert headline(Counter(healthy=1, unjudged=1)).endswith("; 1 run could not be judged.")
    assert headline(Counter(unjudged=1)) == "The one run could not be judged."
    assert headline(Counter(error=1, healthy=1)) == "1 of 2 runs has problems."


def test_what_changed_since_last_time_is_told_when_it_is_known():
    fresh = replace(entry(made.overfitted()), states=("new", "persisting"))
    gone = [{"run": run, "symptom": "plateau"} for run in (fresh.run, "another")]
    text = dict(index_pages([fresh], ["logs/"], version="1", resolved=gone))["index.html"]
    words = check_page(text).words
    assert "Since the last audit: 1 new, 2 resolved, 1 still there." in words
    assert f"Resolved: {fresh.run} (plateau), another (plateau)." in words and text.count(fresh.page) == 2
    words = check_page(dict(index_pages([fresh], ["logs/"], version="1", resolved=gone * 4))["index.html"]).words
    assert "another (plateau), exp1/train_a (plateau) and 3 more in findings.json." in words
    quiet = replace(fresh, states=("persisting",))
    assert (
        "Since the last audit: 0 new, 1 still there."
        in check_page(dict(index_pages([quiet], ["logs/"], version="1"))["index.html"]).words
    )


def test_too_many_experiments_are_grouped_higher_up():
    deep = [replace(e, experiment=f"top{i % 3}/x{i}") for i, e in enumerate(entries(400))]
    text = dict(index_pages(deep, ["logs/"], version="1"))["index.html"]
    assert "3 experiments" in check_page(text).words


def test_a_row_says_in_words_what_is_new_or_back_and_such_rows_lead_their_kind():
    there, fresh = (
        replace(stated(entry(made.exploded()), (name,)), run=name, name="") for name in ("persisting", "new")
    )
    back = replace(stated(entry(made.overfitted()), ("regressed",)), run="regressed", name="")
    index = dict(index_pages([there, fresh, back], ["logs/"], version="1"))["index.html"]
    words = check_page(index).words
    assert "exploding-loss · new" in words and "overfitting · back again" in words
    assert "New or back, worst first: new, regressed." in words
    places = [index.index(f">{name}</a>", index.index('class="runs"')) for name in ("new", "regressed", "persisting")]
    assert places == sorted(places)
    chips = next(json.loads(text) for given, text in check_page(index).scripts if given.get("id") == "rows")["chips"]
    assert ["exploding-loss", "error", "new"] in chips and ["exploding-loss", "error", ""] in chips


def test_the_first_night_marks_nothing_as_new():
    fresh = stated(entry(made.exploded()), ("new", "new"))
    tonight = Tally("2026-01-01T05:00:00Z", 1, {"error": 1}, 0, {"exploding-loss": 1}, 0.0)
    words = check_page(dict(index_pages([fresh], ["logs/"], version="1", nights=(tonight,)))["index.html"]).words
    assert "First tracked audit" in words and "· new" not in words and "Since last time" not in words
    words = check_page(
        dict(index_pages([fresh], ["logs/"], version="1", nights=(tonight, tonight)))["index.html"]
    ).words
    assert "Since the last audit: 2 new." in words and "exploding-loss · new" in words


def test_the_title_is_what_the_user_says_or_the_sources_without_a_machine_s_folders():
    assert title_of_sources(["/home/ada/project/runs"]) == "project/runs"
    assert title_of_sources(["runs", "s3://bucket/runs"]) == "runs, s3://bucket/runs"
    assert title_of_sources(["sqlite:////data/mlflow.db", "file:///data/x/mlruns"]) == "data/mlflow.db, x/mlruns"
    assert title_of_sources(["C:\\work\\project\\runs"]) == "project/runs"
    assert title_of_sources([f"r{i}" for i in range(7)]).endswith("r4 and 2 more")
    *_, (_, named) = index_pages([], ["/home/ada/runs"], version="1", title="Night <of> March")
    assert "<h1>Night &lt;of&gt; March</h1>" in named and "<title>Night &lt;of&gt; March: No run" in named
    *_, (_, plain) = index_pages([], ["/home/ada/runs"], version="1")
    assert "<h1>ada/runs</h1>" in plain and "<title>ada/runs: " in plain
