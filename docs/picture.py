"""Draw the README's pictures again from the examples: `python docs/picture.py` (needs chromium and `.[dev]`)."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from analyzer.writers.page import page_name  # noqa: E402 - the checkout itself is shown, not an installed copy
from benchmarks.browser import chromium  # noqa: E402 - as above

LOGS, RUN = "logs", "keras/unicorn_by_heart"
COLOURS = 220
"""Colours of a picture: enough for a page, at half the bytes."""


def main() -> None:
    """Audit the examples, and take a picture of the index and of one run's page."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        site = Path(folder) / "site"
        command = [sys.executable, "-m", "analyzer", "audit", LOGS, "-o", str(site), "-q"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=ROOT / "examples", env=environment, check=True)  # noqa: S603 - our own command
        for name, page, height in (("index", "index.html", 1560), ("report", f"runs/{page_name(RUN)}", 1560)):
            tab = browser.new_page(viewport={"width": 1000, "height": height}, color_scheme="light")
            tab.goto((site / page).as_uri())
            tab.locator("figure .tools, .finder").first.wait_for()
            picture = (
                Image.open(io.BytesIO(tab.screenshot())).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            )
            picture.save(ROOT / "docs" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
