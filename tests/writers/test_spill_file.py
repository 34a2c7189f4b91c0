"""Texts come back from disk as they were put there, in order, and leave nothing behind."""

import multiprocessing
import threading

import pytest

from analyzer.errors import OutputError
from analyzer.writers.spill_file import SpillFile


@pytest.mark.parametrize("posix", [True, False])
def test_texts_come_back_by_number_and_in_order_whatever_order_they_came_in(tmp_path, monkeypatch, posix):
    if not posix:
        monkeypatch.delattr("os.pread")
    shelf = SpillFile(tmp_path)
    texts = {number: f"text {number} " + "ä" * (number * 37 % 5000) for number in (5, 0, 3, 1, 2, 4)}
    for number, text in texts.items():
        shelf.put(number, text)
    assert [shelf[number] for number in range(6)] == list(shelf) == [texts[number] for number in range(6)]
    assert len(shelf) == 6 and 5 in shelf and 6 not in shelf
    with pytest.raises(KeyError):
        shelf[6]


def test_what_is_put_again_takes_the_place_of_what_was_there(tmp_path):
    shelf = SpillFile(tmp_path)
    for text in ("first", "a much longer second", ""):
        shelf.put(0, text)
        assert shelf[0] == text and len(shelf) == 1


def test_it_leaves_no_file_behind(tmp_path):
    shelf = SpillFile(tmp_path)
    shelf.put(0, "text")
    assert not list(tmp_path.iterdir())
    del shelf
    assert not list(tmp_path.iterdir())


def test_many_threads_read_and_write_at_once(tmp_path):
    shelf, wrong = SpillFile(tmp_path), []

    def work(first):
        for number in range(first, first + 100):
            shelf.put(number, f"{number}" * 50)
        wrong.extend(n for n in range(first, first + 100) if shelf[n] != f"{n}" * 50)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(0, 800, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(shelf) == 800


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="processes as POSIX forks them")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes_that_were_forked_read_at_once(tmp_path):
    shelf, fork = SpillFile(tmp_path), multiprocessing.get_context("fork")
    texts = [f"{number}" * 500 for number in range(100)]
    for number, text in enumerate(texts):
        shelf.put(number, text)
    wrong = fork.SimpleQueue()

    def work():
        wrong.put(sum(list(shelf) != texts for _ in range(30)))

    forks = [fork.Process(target=work) for _ in range(3)]
    for one in forks:
        one.start()
    assert [wrong.get() for _ in forks] == [0, 0, 0]
    for one in forks:
        one.join()


def test_a_disk_that_takes_nothing_is_told(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        SpillFile(tmp_path / "not there")
