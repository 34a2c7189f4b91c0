# ruff: noqa: E501 - a script in a string
"""In a real browser: no error, nothing refused, nothing fetched, and the script does its work."""

import re
import shutil
import subprocess

import made
import pytest

from writers.test_page import page
from writers.test_site import write

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=3000", "--window-size=1200,4000", "--dump-dom"]  # fmt: skip
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium here")

PLAY = """<script>
const begun = setInterval(() => {
const figure = document.querySelector("article figure"), pad = figure && figure.querySelector(".catch");
if (!pad) return;  // a chart is dressed when it comes into view, which takes as long as the machine is busy
clearInterval(begun);
const box = pad.getBoundingClientRect();
pad.setPointerCapture = () => {};
const say = (what, text) => { document.body.append(Object.assign(document.createElement("p"), {id: what, textContent: text})); };
const send = (type, f) => pad.dispatchEvent(new PointerEvent(type, {clientX: box.left + f * box.width, clientY: box.top + 9, button: 0}));
send("pointermove", .5); say("read", figure.querySelector(".readout").textContent);
send("pointerdown", .6); send("pointermove", .8); send("pointerup", .8);
say("zoomed", figure.querySelector(".zoom").getAttribute("viewBox"));
figure.querySelectorAll(".tools button")[1].click(); say("scale", figure.querySelectorAll(".tools button")[1].textContent);
figure.querySelector(".plots").dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}));
say("whole", figure.querySelector(".zoom").getAttribute("viewBox"));
}, 50);
</script>"""


def opened(path, tmp_path):
    """Return the page's elements after its script ran, and what the browser complained of."""
    profile = tmp_path / "profile"
    done = subprocess.run(
        [BROWSER, *FLAGS, f"--user-data-dir={profile}", path.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def said(dom, what):
    return re.search(rf'<p id="{what}">([^<]*)</p>', dom)[1]


def test_a_run_s_page_opens_without_a_complaint(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page(made.hostile()), "utf-8")
    dom, complaints = opened(path, tmp_path)
    assert complaints == [] and dom.count('class="tools"') >= 2


def test_the_site_opens_without_a_complaint(tmp_path):
    dom, complaints = opened(write(tmp_path / "site", made.overfitted(), made.healthy(), made.hostile()), tmp_path)
    assert complaints == [] and 'class="finder"' in dom


def test_a_foreign_script_is_refused(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        page(made.healthy()).replace("</body>", "<script>document.title = 'owned'</script></body>"), "utf-8"
    )
    dom, complaints = opened(path, tmp_path)
    assert complaints and "<title>owned" not in dom


def test_values_zoom_scale_and_keys_work(tmp_path):
    path = tmp_path / "page.html"
    without_policy = re.sub(r"<meta http-equiv=[^>]*>", "", page(made.overfitted()))
    path.write_text(without_policy.replace("</body>", PLAY + "</body>"), "utf-8")
    dom, complaints = opened(path, tmp_path)
    assert complaints == []
    assert "step 500  val/loss" in said(dom, "read") and "train/loss" in said(dom, "read")
    assert [round(float(part)) for part in said(dom, "zoomed").split()] == [600, 0, 200, 1000]
    assert said(dom, "whole") == "0 0 1000 1000"
    assert said(dom, "scale") == "Log"
