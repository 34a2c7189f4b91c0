"""Pages ask for nothing, complain of nothing, and show foreign text as text."""

import pytest

from analyzer.writers.phrases import visible
from tests import made

RUNS = ("overfitted", "exploded", "healthy", "unjudged", "failed", "hostile", "page of a site")
NAMES = (*RUNS, "index", "index with all there is", "gallery", "symptom")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_asks_for_nothing_but_the_style_beside_it_and_says_nothing(pages, visit, name):
    seen = visit(pages[name])
    seen.page.mouse.wheel(0, 5000)
    seen.page.wait_for_timeout(50)
    others = [address for address in seen.asked[1:] if not address.startswith("data:")]
    assert all(address.startswith("file:") and address.endswith("/report.css") for address in others)
    assert seen.said == []


@pytest.mark.parametrize("name", ["hostile", "index"])
def test_hostile_names_are_text_and_make_no_element(pages, visit, name):
    page = visit(pages[name]).page
    assert page.locator("img").count() == 0 and page.locator("[onerror]").count() == 0
    assert page.locator("script:not([type])").count() == 1
    assert page.get_by_text("</script><script>alert(1)</script><img src=x").count() >= 1
    text = page.inner_text("body")
    assert not set("\x1b\u202e\u2066\x00") & set(text) and visible("\u202e") in text


def test_a_very_long_name_is_cut_and_widens_nothing(tmp_path, visit):
    from dataclasses import replace

    from tests.writers.test_page import page as run_page

    long = made.healthy()
    series = tuple(replace(row, tag="x" * 10_000 + str(i)) for i, row in enumerate(long.series))
    path = tmp_path / "page.html"
    path.write_text(run_page(replace(long, run="r" * 10_000, series=series, checked=())), "utf-8")
    page = visit(path, width=400).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_foreign_script_in_the_page_is_refused(pages, tmp_path, visit):
    path = tmp_path / "page.html"
    text = pages["healthy"].read_text("utf-8")
    path.write_text(text.replace("</body>", "<script>document.title = 'owned'</script></body>"), "utf-8")
    seen = visit(path)
    assert seen.page.title() != "owned" and any("Content Security Policy" in line for line in seen.said)
