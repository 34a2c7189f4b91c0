"""Colours can be read, light and dark."""

import re

import pytest

from analyzer.writers.template_environment import template_folder

STYLE = (template_folder() / "style.css").read_text("utf-8")
PAIRS = [("ink", "bg"), ("soft", "bg"), ("soft", "panel"), ("link", "bg"), ("soft", "unjudged-bg")]
PAIRS += [(tone, "bg") for tone in ("error", "warning", "info", "healthy", *(f"k{i}" for i in range(6)))]
PAIRS += [(text, f"{tone}-bg") for tone in ("error", "warning", "info", "healthy") for text in (tone, "ink", "link")]
PAIRS.remove(("link", "info-bg"))


def palette(scheme):
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return colours | (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark)) if scheme == "dark" else {})


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(scheme, text, ground):
    colours = palette(scheme)
    high, low = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5
