"""What our pages cost in a browser, beside an empty page: `python -m benchmarks.pages` (needs chromium and `.[dev]`).

Bytes, elements, and the time until the page is painted as a multiple of what an empty page takes in the same turns,
at full speed and with a processor four times slower.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from analyzer import api, open_runs
from analyzer.auditing.cross_run import across
from analyzer.model.case import falling, noise
from analyzer.model.result import Night, Result
from analyzer.model.run import Run, Series
from analyzer.writers.index_row import thumbnail
from analyzer.writers.page import Provenance, page_name, run_page
from analyzer.writers.site import Site
from benchmarks.browser import chromium, nodes, ready_times

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples" / "logs"
MAKING = Provenance("0", "posthoc report logs")
RUNS = 5000
EMPTY = '<!doctype html><html lang="en"><title>empty</title><p>nothing</p></html>'


def main() -> None:
    """Write the pages, open them in turns, and print the table."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        pages = _pages(Path(folder))
        addresses = [path.as_uri() for path in pages.values()]
        fast = ready_times(browser, addresses, repeats=9)
        slow = ready_times(browser, addresses, repeats=5, slower=4)
        print("| page | KB | elements | painted | at 4× slower CPU |\n| --- | --- | --- | --- | --- |")
        for (name, path), once, late in zip(pages.items(), fast, slow, strict=True):
            size, count = path.stat().st_size / 1000, nodes(browser, path.as_uri())
            times = f"{once / fast[0]:.1f} × | {late / slow[0]:.1f} ×"
            print(f"| {name} | {size:.0f} | {count:,} | {times} |")
        print(f"\nAn empty page: {fast[0]:.0f} ms, {slow[0]:.0f} ms at 4× slower CPU, on this machine and its load.")


def _pages(folder: Path) -> Mapping[str, Path]:
    """Write what is compared: an empty page first, then ours, then coverage's report where coverage is installed."""
    empty = folder / "empty.html"
    empty.write_text(EMPTY, "utf-8")
    example = {run.id: run for run in open_runs(EXAMPLES)}
    found = {
        "an empty page": empty,
        "a run with a finding (example, 6 series)": _page(folder, example["keras/unicorn_by_heart"]),
        "a healthy run (example)": _page(folder, example["lightning/unicorn_working/lightning_logs/version_0"]),
        "a run with 60 series of 5,000 points": _page(folder, _wide()),
        f"the index of {RUNS:,} runs": _index(folder / "site", example),
    }
    peer = _coverage(folder)
    return found | ({"coverage.py: its report of analyzer.writers": peer} if peer else {})


def _page(folder: Path, run: Run) -> Path:
    path = folder / page_name(run.id)
    path.write_text(run_page(api.analyze(run), api.guides(), MAKING), "utf-8")
    return path


def _wide(series: int = 60, points: int = 5000) -> Run:
    """Return a run with many noisy losses, the first of which spikes."""
    at = np.arange(points)
    curves = {}
    for i in range(series):
        values = falling(points) * np.exp(noise(points, 0.2, i))
        values[3000] *= 30 if i == 0 else 1
        tag = f"part_{i:02d}/loss"
        curves[tag] = Series(tag, at, values, 1.7e9 + at)
    return Run("wide", "wide", "made", "formula", curves)


def _index(folder: Path, example: Mapping[str, Run]) -> Path:
    """Write the index of many runs, all results being those of the examples under other names.

    So each is there hundreds of times over, which the index says.
    """
    results = [api.analyze(run) for run in example.values()]
    site = Site(folder, api.guides())
    pictures = [thumbnail(result) for result in results]
    night: list[Result] = []
    for i in range(RUNS):
        result = results[i % len(results)]
        name = f"sweep_{i % 40:02d}/lr3e-4_seed{i:04d}"
        night.append(replace(result, run=name, name=name))
        site.add_row(night[-1], pictures[i % len(results)], paged=False)
    return site.finish(Night("0", ("logs",), tuple(night), across=across(night)[0]))


def _coverage(folder: Path) -> Path | None:
    """Return the largest page of coverage.py's HTML report, the lightest of the peers; None without coverage."""
    command = shutil.which("coverage", path=str(Path(sys.executable).parent))
    if command is None:
        return None
    data = f"--data-file={folder / 'coverage'}"
    target = folder / "page.html"
    run = [command, "run", data, "--source=analyzer.writers", "-m", "analyzer", "report"]
    subprocess.run([*run, str(EXAMPLES / "keras/unicorn_by_heart"), "-o", str(target), "-q"], cwd=ROOT, check=False)
    subprocess.run([command, "html", data, "-q", "-d", str(folder / "peer")], cwd=ROOT, check=True)
    return max((folder / "peer").glob("*.html"), key=lambda path: path.stat().st_size)


if __name__ == "__main__":
    main()
