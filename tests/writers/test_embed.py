"""Data in a page: nothing breaks out of it, and the script reads back what was put in."""

import base64
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.run import Series
from analyzer.writers.embed import SpillFile, json_for_html, packed
from tests import made


def unpacked(curve):
    """Read a packed curve as the page's script does."""
    raw = np.frombuffer(base64.b64decode(curve["v"]), dtype=np.uint8).reshape(-1, 3)
    values = np.concatenate([raw, np.zeros((len(raw), 1), np.uint8)], axis=1).tobytes()
    values = np.frombuffer(values, dtype=">f4").astype(float)
    steps = curve["r"][0] + curve["r"][1] * np.arange(curve["r"][2]) if "r" in curve else np.cumsum(curve["s"])
    return steps.tolist(), values


@given(st.lists(st.tuples(st.integers(0, 10**12), st.floats(width=32)), min_size=1, max_size=50))
def test_curves_keep_their_steps_and_four_digits(points):
    steps, values = (np.array(column) for column in zip(*points, strict=True))
    curve = packed(Series("t", steps, values, steps * 1.0))
    again_steps, again = unpacked(json.loads(json_for_html(curve)))
    assert again_steps == steps.tolist()
    normal = np.isfinite(values) & (np.abs(values) > 1e-37)
    assert np.allclose(again[normal], values[normal], rtol=5e-5)
    assert np.array_equal(np.isnan(again), np.isnan(values)) and np.array_equal(np.isposinf(again), np.isposinf(values))


def test_values_beyond_float32_are_written_out():
    curve = packed(Series("t", np.arange(2), np.array([1e300, np.nan]), np.arange(2.0)))
    assert curve["n"] == [1e300, "NaN"]


@given(st.text(st.characters(codec=None)))
def test_no_text_breaks_out_of_its_script(text):
    written = json_for_html({"text": text})
    assert not set(written) & set("<>&\u2028\u2029")
    written.encode("utf-8")
    assert json.loads(written)["text"].encode("utf-8", "surrogatepass") == text.encode("utf-8", "surrogatepass")


def test_a_tag_is_embedded_once():
    shelf, row = SpillFile(), made.row("loss", np.ones(50))
    assert shelf.number(row, row.curve, 20) == shelf.number(row, row.curve, 10) == 0
    assert len(shelf.curves) == 1
