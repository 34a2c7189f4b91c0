"""Results of a night stay on disk until they are looked at, and are the same as if they were in memory."""

import copy
import pickle
import tracemalloc
from dataclasses import replace

import pytest

from analyzer.auditing.record import RunRecord
from analyzer.auditing.record_store import RecordStore, Results
from analyzer.model.result import Night
from analyzer.writers.index_row import Thumbnail
from tests import made


def rows_of(folder, results):
    rows = RecordStore(folder)
    for number, result in enumerate(results):
        rows.put(number, RunRecord(result, Thumbnail(), "").text())
    return rows


RESULTS = tuple(r.without_curves() for r in (made.overfitted(), made.healthy(), made.hostile(), made.failed()))


def test_they_are_a_sequence_like_a_tuple_of_the_same(tmp_path):
    results = Results(rows_of(tmp_path, RESULTS), range(4))
    assert len(results) == 4 and tuple(results) == RESULTS and results[-1] == RESULTS[-1]
    assert results[1:3] == RESULTS[1:3] and RESULTS[0] in results
    with pytest.raises(IndexError):
        results[4]


def test_nights_of_the_same_results_are_equal_wherever_these_are_kept(tmp_path):
    kept = Night("1", ("logs",), Results(rows_of(tmp_path, RESULTS), range(4)))
    there = Night("1", ("logs",), RESULTS)
    assert kept == there and there == kept and kept.counts == there.counts
    assert replace(kept, results=kept.results[:3]) != there
    other = Results(rows_of(tmp_path, (*RESULTS[:3], made.healthy("x"))), range(4))
    assert (
        kept.results != other and kept.results != [] and kept.results == Results(rows_of(tmp_path, RESULTS), range(4))
    )


def test_results_with_nan_are_equal_however_often_they_are_read(tmp_path):
    nan = replace(RESULTS[0], series=tuple(replace(row, last=float("nan")) for row in RESULTS[0].series))
    results = Results(rows_of(tmp_path, (nan,)), range(1))
    assert results == results and results == tuple(results) and pickle.loads(pickle.dumps(results)) == results
    assert results != RESULTS[:1] and repr(results) == "<Results of 1 runs, read from disk as they are looked at>"


def test_a_night_can_be_pickled_and_copied(tmp_path):
    night = Night("1", ("logs",), Results(rows_of(tmp_path, RESULTS), range(4)))
    assert pickle.loads(pickle.dumps(night)) == night and copy.deepcopy(night) == night


def test_memory_does_not_grow_with_what_results_hold(tmp_path):
    text = RunRecord(made.large(4, 40, 9).without_curves(), Thumbnail(), "").text()
    tracemalloc.start()
    try:
        rows = RecordStore(tmp_path)
        for number in range(2000):
            rows.put(number, text)
        sick = sum(result.verdict == "problems" for result in Results(rows, range(2000)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sick in {0, 2000} and held < 2000 * 600 < 2000 * len(text) / 4
