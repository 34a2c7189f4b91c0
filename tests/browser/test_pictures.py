"""The look of a fixed set of pages, compared with small accepted pictures.

Skipped where another browser or other fonts would draw other pixels. `POSTHOC_ACCEPT=1` accepts what is drawn now.
"""

import io
import json
import os
from pathlib import Path

import pytest

Image = pytest.importorskip("PIL.Image", reason="pillow is not installed: pip install -e '.[dev]'")

PICTURES = Path(__file__).parent / "pictures"
DRAWN_BY = PICTURES / "drawn-by.json"
ACCEPT = os.environ.get("POSTHOC_ACCEPT") == "1"
WIDE, PHONE = 1000, 390
CASES = [
    *((name, WIDE, "light") for name in ("overfitted", "exploded", "healthy", "index", "symptom")),
    ("overfitted", WIDE, "dark"),
    ("overfitted", PHONE, "light"),
    ("index", PHONE, "dark"),
]
HEIGHT, SHRINK = 1800, 3
APART, SHARE = 24, 0.01
"""A picture is another one when more than this share of its pixels differ by more than so many of 255 grey levels."""

FONT = """() => { const pen = document.createElement("canvas").getContext("2d");
  return ["system-ui", "sans-serif", "monospace"].map(name => {
    pen.font = "16px " + name; return Math.round(pen.measureText("The quick brown fox 0123456789").width * 10);
  }); }"""


@pytest.fixture(scope="module")
def comparable(browser, pages):
    page = browser.new_page()
    page.goto(pages["healthy"].as_uri())
    here = {"browser": browser.version.partition(".")[0], "fonts": page.evaluate(FONT)}
    page.close()
    if ACCEPT:
        PICTURES.mkdir(exist_ok=True)
        DRAWN_BY.write_text(json.dumps(here) + "\n")
    accepted = json.loads(DRAWN_BY.read_text())
    if accepted != here:
        pytest.skip(f"the accepted pictures were drawn by another browser or with other fonts: {accepted}, here {here}")


@pytest.mark.parametrize(("name", "width", "scheme"), CASES)
def test_a_page_looks_as_accepted(comparable, pages, visit, name, width, scheme):
    page = visit(pages[name], width=width, height=HEIGHT, color_scheme=scheme, reduced_motion="reduce").page
    page.wait_for_timeout(1000)  # charts in view are dressed
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("L")
    drawn = shot.resize((width // SHRINK, HEIGHT // SHRINK), Image.Resampling.BOX)
    path = PICTURES / f"{name.replace(' ', '-')}-{width}-{scheme}.png"
    if ACCEPT:
        drawn.quantize(32).save(path, optimize=True)
        return
    accepted = Image.open(path).convert("L")
    assert accepted.size == drawn.size
    apart = sum(abs(a - b) > APART for a, b in zip(accepted.tobytes(), drawn.tobytes(), strict=True))
    assert apart <= SHARE * len(accepted.tobytes()), f"{apart} pixels differ; if it is meant: POSTHOC_ACCEPT=1"
