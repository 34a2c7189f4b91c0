"""Without scripts, and under Jenkins' policy, the pages are whole: words, curves, colours and links."""

import re

import pytest

from analyzer.writers.index import STATIC_ROWS


@pytest.mark.parametrize("name", ["overfitted", "exploded", "healthy", "symptom"])
def test_a_page_without_scripts_shows_its_curves_and_words(pages, visit, name):
    page = visit(pages[name], java_script_enabled=False).page
    assert page.locator("figure path").first.is_visible()
    assert page.locator("summary").first.is_visible()
    page.locator("summary").first.click()
    assert page.locator("details[open]").count() >= 1


def test_the_index_without_scripts_has_its_rows_and_further_pages(many_runs, visit):
    page = visit(many_runs, java_script_enabled=False).page
    assert page.locator(".runs tbody tr").count() == STATIC_ROWS
    page.get_by_role("link", name="2", exact=True).first.click()
    page.wait_for_url("**/rows-2.html", wait_until="load")
    assert page.locator(".runs tbody tr").count() == 500


@pytest.mark.parametrize("where", ["site/index.html", "page", "gallery/plateau.html"])
def test_jenkins_policy_leaves_style_and_curves(jenkins, pages, visit, where):
    name = f"site/runs/{pages['page of a site'].name}" if where == "page" else where
    seen = visit(f"{jenkins}/{name}")
    assert [re.sub(r".*/", "", address) for address in seen.asked] == [name.rsplit("/", 1)[-1], "report.css"]
    assert len(seen.page.get_by_role("heading").all()) >= 2
    styled = seen.page.locator("main").evaluate("node => getComputedStyle(node).maxWidth")
    assert styled.endswith("px") and seen.page.locator(".spark path, figure path").first.is_visible()
