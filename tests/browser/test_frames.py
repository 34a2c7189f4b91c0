"""Charts stay inside their frames on phones, tablets and wide screens: nothing of a curve is cut off."""

import pytest

BEYOND = """() => [...document.querySelectorAll("figure.chart")].flatMap(f => {
  const frame = f.getBoundingClientRect();
  if (!frame.width) return [];  // folded
  return [...f.querySelectorAll(".plot")].map(p => (p.querySelector(".base") || p).getBoundingClientRect())
    .filter(r => r.right > frame.right + 1 || r.left < frame.left - 1).map(r => [r.right, frame.right]);
})"""


@pytest.mark.parametrize("width", [390, 500, 700, 1440, 1920])
@pytest.mark.parametrize("name", ["exploded", "overfitted", "healthy"])
def test_no_plot_reaches_beyond_its_frame(pages, visit, name, width):
    assert visit(pages[name], width=width).page.evaluate(BEYOND) == []
