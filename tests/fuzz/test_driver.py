"""The parts of the fuzzer that need no atheris, and that its laws are broken by parsers that are wrong."""

from __future__ import annotations

import sys

import pytest

from analyzer.readers.mlflow import metric_history
from tests.fuzz import __main__ as driver
from tests.fuzz import laws
from tests.fuzz.inputs import Taken, edited, growing, grown
from tests.fuzz.targets import cells, mlflow_history, target


def test_without_atheris_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fuzz", "cells"])
    monkeypatch.setattr(driver, "find_spec", lambda name: None)
    assert driver.main() == 2
    assert (
        capsys.readouterr().err == 'fuzzing needs atheris, which is not installed; pip install -e ".[fuzz]" (Linux)\n'
    )


def test_an_input_stands_for_a_long_text_and_for_a_changed_file():
    assert grown(growing(b"a", b"bc", 1 << 10, b"d")) == b"a" + b"bc" * 1024 + b"d"
    assert grown(b"\x00abc") == b"abc"
    assert edited(b"0123456789", Taken(b"\x02\x00\x03\x02xy")) == b"01xy56789"


def test_a_target_that_is_slow_breaks_the_law(monkeypatch):
    monkeypatch.setattr(laws, "SECONDS", 0.0)
    with pytest.raises(AssertionError, match="3 bytes of input took"):
        laws.obeys(lambda data: sum(range(10_000)), b"abc")


def test_an_error_in_several_lines_breaks_the_law():
    with laws.only(ValueError):
        raise ValueError("one line")
    with pytest.raises(AssertionError), laws.only(ValueError):
        raise ValueError("two\nlines")
    with pytest.raises(KeyError), laws.only(ValueError):
        raise KeyError("another")


def test_a_parser_that_is_wrong_breaks_its_law(monkeypatch):
    monkeypatch.setattr(cells, "is_number", lambda text: text.isdigit())
    with pytest.raises(AssertionError):
        cells.one_input(b"\0\0" + b"1.5")
    parsed = metric_history.parse_history
    monkeypatch.setattr(metric_history, "parse_history", lambda raw, file: parsed(raw[:-6], file))
    with pytest.raises(AssertionError):
        mlflow_history.one_input(b"\0" + b"1 2 3\n" * 3)


def test_the_corpus_is_chosen_by_what_each_input_adds():
    seeds = list(target("cells").seeds())
    chosen = driver._chosen("cells", [*seeds, *seeds[:1]])
    assert 1 < len(chosen) < len(seeds) and len(chosen) == len(set(chosen))
