"""One Chromium for all browser tests, the pages they look at, and a loopback server with a policy like Jenkins'."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from analyzer import api
from benchmarks import browser as browsers
from tests import made
from tests.writers.test_index import full as index_pages
from tests.writers.test_page import page as run_page
from tests.writers.test_site import write

JENKINS = "sandbox; default-src 'none'; img-src 'self'; style-src 'self'"


@pytest.fixture(scope="session")
def browser():
    if why := browsers.missing():
        pytest.skip(why)
    with browsers.chromium() as chromium:
        yield chromium


@dataclass
class Visit:
    """An open page, what it said on its console, and all that it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def visit(browser) -> Callable[..., Visit]:
    """Open an address in a context of its own: `visit(path, color_scheme="dark", width=400)`."""
    contexts = []

    def opened(where: Path | str, *, width: int = 1000, height: int = 800, **more) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.page.on("console", lambda message: seen.said.append(message.text))
        seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.goto(where.as_uri() if isinstance(where, Path) else where, wait_until="load")
        return seen

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory) -> dict[str, Path]:
    """The pages that are looked at, by name; `of the site` are an audit's own."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name in ("overfitted", "exploded", "healthy", "unjudged", "failed", "hostile"):
        found[name] = folder / f"{name}.html"
        found[name].write_text(run_page(getattr(made, name)()), "utf-8")
    results = (made.overfitted(), made.exploded(), made.healthy(), made.unjudged(), made.failed(), made.hostile())
    found["index"] = write(folder / "site", *results)
    full = folder / "full"
    full.mkdir()
    for name, text in index_pages(30).items():
        (full / name).write_text(text, "utf-8")
    (full / "report.css").write_text("")
    found["index with all there is"] = full / "index.html"
    found["page of a site"] = sorted((folder / "site" / "runs").glob("*.html"))[0]
    api.gallery(folder / "gallery")
    found["gallery"] = folder / "gallery" / "index.html"
    found["symptom"] = folder / "gallery" / "repetitive-loss.html"
    return found


@pytest.fixture(scope="session")
def many_runs(tmp_path_factory) -> Path:
    """The index of 5,000 runs."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "report.css").write_text("")
    for name, text in index_pages(5000).items():
        (folder / name).write_text(text, "utf-8")
    return folder / "index.html"


@pytest.fixture(scope="session")
def jenkins(pages):
    """The address of a loopback server that sends the site and the gallery under Jenkins' policy."""

    class Handler(SimpleHTTPRequestHandler):
        def end_headers(self):
            self.send_header("Content-Security-Policy", JENKINS)
            super().end_headers()

        def log_message(self, format, *args):  # noqa: A002 - the name that http.server gives it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=pages["overfitted"].parent))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
