"""Runs, results and audits show themselves in a notebook without script, style or inline charts."""

import base64
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from analyzer import AuditResult, analyze
from analyzer.testing import falling, made_run
from tests import made
from tests.writers.markup import Markup

NAMES = ("overfitted", "exploded", "healthy", "unjudged", "failed", "hostile")


def fragments():
    audit = AuditResult("1", (), tuple(getattr(made, name)() for name in NAMES))
    hostile = made_run({made.HOSTILE.replace("\udc80", "\\x80"): falling(50), "empty": np.empty(0)})
    return [*(one._repr_html_() for one in audit.results), audit._repr_html_(), hostile._repr_html_()]


def images(html):
    return [{n: v for tag, n, v in Markup(html).attributes if tag == "img"}]


def picture(html):
    address = images(html)[0]["src"]
    assert address.startswith("data:image/svg+xml;base64,")
    return base64.b64decode(address.partition(",")[2]).decode()


def test_every_fragment_stays_in_its_place():
    for html in fragments():
        read = Markup(html)
        assert not read.scripts and not read.styles
        assert not any(n == "style" or n.startswith("on") for _, n, _ in read.attributes)
        assert not set(html) & set("\x1b\u202e\x00")
    assert "Use the checkpoint of step 400" in Markup(made.overfitted()._repr_html_()).words


@pytest.mark.parametrize("name", ["overfitted", "exploded", "healthy", "hostile"])
def test_the_chart_is_an_image_of_fixed_ratio_and_whole_xml(name):
    html = getattr(made, name)()._repr_html_()
    root = ElementTree.fromstring(picture(html))
    size = [root.get("width"), root.get("height")]
    assert size == [images(html)[0]["width"], images(html)[0]["height"]]
    assert root.get("viewBox").split() == ["0", "0", *size]
    assert not any(e.tag.endswith(("script", "foreignObject")) for e in root.iter())


def test_the_chart_is_annotated_with_what_the_finding_marks():
    texts = [e.text for e in ElementTree.fromstring(picture(made.overfitted()._repr_html_())).iter() if e.text]
    assert any("best: step 400" in text for text in texts)
    assert any("1000" in text.replace(",", "").replace(" ", "") or "800" in text for text in texts), "no step axis"


def test_an_audit_counts_verdicts_and_lists_its_runs():
    words = Markup(AuditResult("1", (), (made.healthy(), made.exploded()))._repr_html_()).words
    assert "2 runs" in words and "1 healthy" in words and "1 problems" in words
    assert made.healthy().run in words and made.exploded().sentence in words


def test_a_run_lists_its_series():
    words = Markup(made_run({"loss": falling(1500)})._repr_html_()).words
    assert "loss" in words and "1,500" in words


def test_objects_are_one_short_line_in_a_terminal():
    run = made_run({"loss": falling(30_000)})
    for one in (run, run.series["loss"], analyze(run), AuditResult("1", (), (made.failed(),))):
        assert "\n" not in repr(one) and len(repr(one)) < 400
    assert "30,000" in repr(run) and "1 failed" in repr(AuditResult("1", (), (made.failed(),)))


@pytest.mark.integration
def test_a_notebook_that_is_converted_keeps_the_chart(tmp_path):
    """Nbconvert runs a kernel and sanitises what it shows, as it does with a notebook that is not trusted."""
    nbformat = pytest.importorskip("nbformat")
    nbconvert = pytest.importorskip("nbconvert")
    pytest.importorskip("ipykernel")
    code = "from analyzer import analyze, testing\nanalyze(testing.made_run({'loss': testing.falling(200)}))"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    (tmp_path / "book.ipynb").write_text(nbformat.writes(book))
    words = [
        sys.executable,
        "-m",
        "nbconvert",
        "--execute",
        "--to",
        "html",
        "--HTMLExporter.sanitize_html=True",
        "book.ipynb",
    ]
    done = subprocess.run([*words, "book.ipynb"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "book.html").read_text("utf-8")
    assert 'src="data:image/svg+xml;base64,' in page and "Out" in page and nbconvert
