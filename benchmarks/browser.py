"""A headless Chromium for pictures, measurements and tests, driven by playwright; the browser is the system's own."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--font-render-hinting=none")  # fmt: skip

PAINTED = "() => new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
"""Milliseconds since the page was asked for, once it has run its script, laid itself out and painted."""


def missing() -> str:
    """Return what is missing for a browser in one sentence, or nothing."""
    try:
        import playwright.sync_api  # noqa: F401 - only asked for
    except ImportError:
        return "playwright is not installed: pip install -e '.[dev]'"
    if not any(shutil.which(name) for name in NAMES):
        return "no Chromium is installed: apt-get install chromium"
    return ""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser; RuntimeError, in a sentence, when there is none."""
    if why := missing():
        raise RuntimeError(why)
    from playwright.sync_api import sync_playwright

    path = next(found for name in NAMES if (found := shutil.which(name)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def ready_times(browser: Browser, addresses: Sequence[str], *, repeats: int = 9, slower: int = 1) -> list[float]:
    """Return the milliseconds until each address is painted: the lower quartile of turns in which all are opened.

    Turns meet other load on the machine alike, and that load only ever adds to what a page takes. `slower` divides
    the speed of the page's processor. The first turn warms caches and does not count.
    """
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    times: list[list[float]] = [[] for _ in addresses]
    for turn in range(repeats + 1):
        for own, address in zip(times, addresses, strict=True):
            page = context.new_page()
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
            page.goto(address, wait_until="load")
            taken = float(page.evaluate(PAINTED))
            page.close()
            if turn:
                own.append(taken)
    context.close()
    return [statistics.quantiles(own, n=4)[0] for own in times]


def nodes(browser: Browser, address: str) -> int:
    """Return how many elements a page has after its script ran."""
    page = browser.new_page()
    page.goto(address, wait_until="load")
    count: Any = page.evaluate("document.querySelectorAll('*').length")
    page.close()
    return int(count)
