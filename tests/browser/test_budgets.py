"""Pages are ready nearly as fast as an empty one beside them."""

import pytest

from benchmarks.browser import ready_times
from tests import made
from tests.writers.test_page import page as run_page


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    path = tmp_path_factory.mktemp("empty") / "empty.html"
    path.write_text('<!doctype html><html lang="en"><title>empty</title><p>nothing</p></html>', "utf-8")
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.html"
    path.write_text(run_page(made.large()), "utf-8")
    return path


def test_a_page_is_ready_soon_after_an_empty_one(browser, pages, empty, large):
    addresses = [path.as_uri() for path in (empty, pages["overfitted"], large)]
    for repeats in (6, 12):  # a machine that is busy with other things gets a second, longer look
        bare, usual, full = ready_times(browser, addresses, repeats=repeats)
        if usual <= 3 * bare and full <= 6 * bare:
            return
    pytest.fail(f"empty {bare:.0f} ms, usual {usual:.0f} ms, large {full:.0f} ms")


def test_a_slow_processor_keeps_nobody_waiting(browser, pages, empty):
    bare, usual = ready_times(browser, [empty.as_uri(), pages["overfitted"].as_uri()], repeats=5, slower=4)
    assert usual <= 10 * bare, (bare, usual)
