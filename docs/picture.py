"""Draw docs/report.png again from the examples: `python docs/picture.py` (needs chromium)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = "examples/logs/keras/unicorn_by_heart"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=1000,1180")  # fmt: skip


def main() -> None:
    """Write the page of one example and take its picture."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("docs/picture.py: chromium is not installed")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        report = [sys.executable, "-m", "analyzer", "report", RUN, "-o", str(page), "--fail-on", "never", "-q"]
        subprocess.run(report, cwd=ROOT, check=True)  # noqa: S603 - our own command
        shot = [browser, *FLAGS, f"--user-data-dir={folder}/profile", f"--screenshot={ROOT / 'docs' / 'report.png'}"]
        subprocess.run([*shot, page.as_uri()], check=True, capture_output=True)  # noqa: S603 - the browser found above


if __name__ == "__main__":
    main()
