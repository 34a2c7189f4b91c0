"""Index, digest and terminal say which runs vanished and what they leave open."""

import io

import pytest

from analyzer.model.result import Night, Vanished
from analyzer.writers import since_last_audit
from analyzer.writers.index import index_pages
from analyzer.writers.index_row import entry
from analyzer.writers.markdown import write_markdown
from analyzer.writers.terminal import night_summary
from tests import made
from tests.writers.markup import check_page


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ((), ""),
        ((Vanished("a", 0),), "1 run of last time is not there any more: a."),
        ((Vanished("0123456789", 0, "best"),), "1 run of last time is not there any more: best (01234567)."),
        (
            (Vanished("a", 0), Vanished("b", 1)),
            "2 runs of last time are not there any more: a, b; their 1 finding was left unresolved.",
        ),
        (
            tuple(Vanished(name, 2) for name in "abcde"),
            "5 runs of last time are not there any more: a, b, c and 2 more runs; "
            "their 10 findings were left unresolved.",
        ),
    ],
)
def test_what_vanished_is_said_with_what_it_leaves_open(gone, sentence):
    assert since_last_audit.vanished(gone) == sentence


def test_what_vanished_is_on_the_index_in_the_digest_and_on_the_terminal():
    gone = (Vanished("<b>a</b>", 3),)
    night = Night("1", ("logs",), (made.healthy(),), vanished=gone)
    digest = io.StringIO()
    write_markdown(night, digest)
    index = check_page(
        dict(index_pages([entry(made.healthy())], ["logs"], version="1", vanished=gone))["index.html"]
    ).words
    for told in (index, digest.getvalue().replace("\\", ""), night_summary(night, "")):
        assert "1 run of last time is not there any more: <b>a</b>; its 3 findings were left unresolved." in told
