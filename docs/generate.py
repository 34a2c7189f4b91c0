"""Rewrite the generated parts of docs/ from the detectors' own pages: `python docs/generate.py`."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from analyzer import detectors  # noqa: E402 - the checkout itself is documented, not an installed copy


def symptoms() -> str:
    """Return the table of symptoms: id and what one sees."""
    rows = [f"| `{name}` | {detector.guide.title} |" for name, detector in detectors.known().items()]
    return "\n".join(["| symptom | what one sees |", "| --- | --- |", *rows])


def limits() -> str:
    """Return the table of limits that settings can change."""
    rows = [
        f"| `limits.{name}` | `{limit.key}` | {limit.default:g} | {limit.meaning} |"
        for name, detector in detectors.known().items()
        for limit in detector.guide.limits
    ]
    return "\n".join(["| table | key | default | meaning |", "| --- | --- | --- | --- |", *rows])


PARTS = {"symptoms.md": ("symptoms", symptoms), "settings.md": ("limits", limits)}


def renewed(page: str) -> str:
    """Return a page of docs/ with its part between `<!-- name -->` and `<!-- /name -->` written anew."""
    name, make = PARTS[page]
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    if not pattern.search(text):
        raise ValueError(f"docs/{page} has no part {name}")
    return pattern.sub(partial(_filled, make()), text)


def _filled(made: str, match: re.Match[str]) -> str:
    return f"{match[1]}{made}\n{match[2]}"


if __name__ == "__main__":
    for page in PARTS:
        (ROOT / "docs" / page).write_text(renewed(page), encoding="utf-8")
