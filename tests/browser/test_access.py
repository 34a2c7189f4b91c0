"""Everybody can read the pages: axe-core finds no violation, the keyboard reaches everything, focus is seen."""

from importlib import resources

import pytest

NAMES = (
    "overfitted",
    "exploded",
    "healthy",
    "unjudged",
    "failed",
    "index",
    "index with all there is",
    "gallery",
    "symptom",
)

TOUR = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const style = getComputedStyle(node), box = node.getBoundingClientRect();
  node.dataset.toured = "yes";
  return {what: node.localName + "." + (node.getAttribute("class") || "") + " " + node.textContent.trim().slice(0, 40),
          seen: box.width > 0 && box.height > 0, outline: style.outlineStyle !== "none"};
}"""
MISSED = """() => [...document.querySelectorAll("a[href], button, summary, input, select, [tabindex]")]
  .filter(node => node.checkVisibility() && node.dataset.toured !== "yes").map(node => node.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def axe():
    package = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed: pip install -e '.[dev]'")
    return (resources.files(package) / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_no_violation_with_everything_unfolded(pages, visit, axe, name, scheme):
    page = visit(pages[name], color_scheme=scheme, bypass_csp=True).page
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
    told = [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"][:3]]
    assert told == []


def test_axe_would_find_a_picture_without_a_name(pages, visit, axe):
    page = visit(pages["healthy"], bypass_csp=True).page
    page.evaluate("document.querySelector('.plots').removeAttribute('aria-label')")
    page.evaluate(axe)
    assert page.evaluate("async () => (await axe.run()).violations.map(one => one.id)") == ["svg-img-alt"]


@pytest.mark.parametrize("name", ["overfitted", "index with all there is", "symptom"])
def test_the_keyboard_reaches_everything_and_the_focus_is_seen(pages, visit, name):
    page = visit(pages[name]).page
    for figure in page.locator("details[open] figure, section > figure, article > figure").all():
        figure.scroll_into_view_if_needed()  # a chart is dressed when it comes into view
        figure.locator(".tools").wait_for()
    page.evaluate("scrollTo(0, 0)")
    stops = []
    for _ in range(400):
        page.keyboard.press("Tab")
        stop = page.evaluate(TOUR)
        if stop is None:
            break
        stops.append(stop)
    assert page.evaluate(MISSED) == []
    assert all(stop["seen"] and stop["outline"] for stop in stops), [s for s in stops if not s["seen"]]


def test_a_chart_is_read_and_zoomed_by_keys_and_escape_leaves(pages, visit):
    page = visit(pages["overfitted"]).page
    chart = page.locator("article figure").first
    chart.scroll_into_view_if_needed()
    chart.locator(".tools").wait_for()
    plots, readout, zoom = chart.locator(".plots"), chart.locator(".readout"), chart.locator(".zoom").first
    plots.focus()
    page.keyboard.press("ArrowRight")
    assert "step" in readout.inner_text() and "val/loss" in readout.inner_text()
    page.keyboard.press("+")
    assert zoom.get_attribute("viewBox") != "0 0 1000 1000"
    page.keyboard.press("Escape")
    assert zoom.get_attribute("viewBox") == "0 0 1000 1000" and readout.inner_text().strip() == ""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.plots') === null")


def test_values_are_read_and_a_stretch_is_zoomed_by_the_pointer(pages, visit):
    page = visit(pages["overfitted"]).page
    chart = page.locator("article figure").first
    chart.scroll_into_view_if_needed()
    chart.locator(".tools").wait_for()
    box = chart.locator(".catch").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    assert "val/loss" in chart.locator(".readout").inner_text()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=3)
    page.mouse.up()
    view = [float(part) for part in chart.locator(".zoom").first.get_attribute("viewBox").split()]
    assert view[0] == pytest.approx(600, abs=5) and view[2] == pytest.approx(200, abs=8)
    chart.get_by_role("button", name="Whole run").click()
    assert chart.locator(".zoom").first.get_attribute("viewBox") == "0 0 1000 1000"
    scale = chart.locator(".tools button").nth(1)
    other = {"Log": "Linear", "Linear": "Log"}[scale.inner_text()]
    scale.click()
    assert scale.inner_text() == other
