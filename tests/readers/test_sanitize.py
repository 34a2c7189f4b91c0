"""What leaves a reader is bounded, masked and never merged; one log that breaks its reader costs its run alone."""

import errno
import json
from dataclasses import replace

import numpy as np
import pytest

from analyzer.model.run import Note, Run, Series
from analyzer.readers import discover, folder_walk, open_source
from analyzer.readers.run_ref import RunRef
from analyzer.readers.sanitize import MOST_NAME, add_series, cleaned, distinct


def run_of(*tags, **params):
    one = np.zeros(1)
    return Run("r", "r", "made", "x", {t: Series(t, one.astype(int), one, one) for t in tags}, params)


def test_tags_that_differ_only_in_their_secret_stay_apart():
    one, two = cleaned(run_of("http://u:one@h/loss", "http://u:two@h/loss")).series
    assert one != two and one.startswith("http://***") and one.endswith("@h/loss")
    assert [*cleaned(run_of("http://u:two@h/loss")).series] == [two]  # whatever else is there


def test_lone_surrogates_are_shown_wherever_a_text_comes_from():
    run = cleaned(run_of("a\udc80b", note="x\ud800"))
    assert [*run.series] == ["a\\udc80b"] and run.params == {"note": "x\\ud800"}


@pytest.mark.parametrize("odd", ["\ud800", "\udcff"], ids=["no byte", "a byte"])
def test_lone_surrogates_in_long_names_and_secrets_cost_nothing(odd, tmp_path):
    run = cleaned(run_of(odd * (MOST_NAME + 1), password=odd, note=f"http://user:{odd}@host/"))
    assert [one.points for one in run.series.values()] == [1] and "***" in str(run.params["note"])
    name = json.dumps(odd)[1:-1] * (MOST_NAME + 1)
    rows = (f'{{"step": {n}, "loss": 1.5, "run": "{part}{name}"}}\n' for n in range(9) for part in "ab")
    (tmp_path / "metrics.jsonl").write_text("".join(rows))
    assert [one.series["loss"].points for one in open_source(str(tmp_path))] == [9, 9]


def test_a_note_is_one_line_whatever_it_names():
    run = replace(run_of("a"), notes=(Note("damage", "the run a\nb\u2028c is damaged"),))
    assert cleaned(run).notes[0].message == "the run a b c is damaged"


def test_names_of_thousands_that_look_alike_are_told_apart_at_once():
    taken: set[str] = set()
    for _ in range(20_000):
        taken.add(distinct("token", taken))
    assert len(taken) == 20_000 and "token (20000)" in taken


def test_two_series_of_one_name_stay_two_with_a_note():
    series, notes = {}, []
    for _ in range(2):
        add_series(series, Series("train/loss", np.zeros(1, int), np.zeros(1), np.zeros(1)), notes)
    assert [*series] == ["train/loss", "train/loss (2)"] and "two series are called train/loss" in notes[0].message


def test_long_names_and_texts_are_cut_and_told_apart():
    first, second = cleaned(run_of("a" * 10**6, "a" * 10**6 + "b", note="x" * 10**6)).series
    assert len(first) < MOST_NAME + 60
    assert first != second
    assert "1,000,000 characters" in first


def test_a_name_that_is_taken_gets_a_number_that_is_not():
    assert distinct("a", {"a", "a (2)"}) == "a (3)"


class Hostile(RunRef):
    def load(self, marks):
        raise KeyError("http://me:hunter2@host")


def test_a_reader_that_raises_gives_an_unreadable_run():
    run = Hostile("x", "x", "made", "there").read()
    assert not run.series
    assert [n.kind for n in run.notes] == ["unreadable"]
    assert "KeyError" in run.notes[0].message
    assert "hunter2" not in run.notes[0].message


def metric(root, name, run_id):
    place = root / name / run_id
    (place / "metrics").mkdir(parents=True)
    (place / "params").mkdir()
    (place / "metrics" / "loss").write_text("1 2 3\n")


def test_every_run_keeps_an_id_of_its_own(tmp_path):
    for i, name in enumerate(["a", "b", "c"]):
        metric(tmp_path, name, "x" if i < 2 else "x (2)")
    ids = [ref.id for ref in discover(str(tmp_path))]
    assert len(set(ids)) == 3


def test_a_path_that_is_too_long_is_named(tmp_path):
    metric(tmp_path, "a", "x")

    class Entry:
        name = "deeper"

        def is_file(self):
            raise OSError(errno.ENAMETOOLONG, "File name too long")

    walked = folder_walk._Walk(tmp_path)
    walked._sorted("deep", [Entry()])
    assert walked.unreadable == [("deep/deeper", "File name too long")]


HOSTILE = {
    "bool": "x: !!bool maybe",
    "int": 'x: !!int ""',
    "time": "x: !!timestamp foo",
    "hex": "run_name: 0x" + "f" * 15_000,
    "deep": "- " * 7_000 + "x",
    "open": "[" * 15_000,
    "sixty": "x: " + "1:" * 7_000,
}


@pytest.mark.parametrize("meta", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_meta_yaml_costs_nothing_but_itself(tmp_path, meta):
    metric(tmp_path, "1", "a" * 32)
    metric(tmp_path, "1", "b" * 32)
    (tmp_path / "1" / ("a" * 32) / "meta.yaml").write_text(meta)
    runs = list(open_source(str(tmp_path)))
    assert len(runs) == 2
    assert all(run.series["loss"].values.tolist() == [2.0] for run in runs)


def test_many_copies_of_one_name_cost_logarithmic_time_each():
    class Counting(dict):
        looks = 0

        def __contains__(self, name):
            Counting.looks += 1
            return super().__contains__(name)

    taken, copies = Counting(), 2_000
    for _ in range(copies):
        taken[distinct("x", taken)] = None
    assert len(taken) == copies
    assert Counting.looks < 40 * copies  # each used to ask for all before it: 2,000,000 in all
