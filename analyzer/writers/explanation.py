"""The page of a symptom on the terminal, and the list of all."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

from analyzer.model.formatting import number
from analyzer.model.guide import Guide

SECTIONS = (
    ("Why it matters", "why_it_matters"),
    ("How it is measured", "how_it_is_measured"),
    ("When this may be wrong", "when_it_is_wrong"),
    ("What to do", "what_to_do"),
    ("References", "references"),
)


def list_of(guides: Mapping[str, Guide], width: int = 0) -> str:
    """Return all symptoms with what one sees, wrapped to the width (0: one a line)."""
    column = max(map(len, guides), default=0)
    lines = [f"{symptom:<{column}}  {guide.title}" for symptom, guide in sorted(guides.items())]
    return wrapped("\n".join([*lines, "", "posthoc explain SYMPTOM shows more.", ""]), width, " " * (column + 2))


def page_of(guide: Guide, width: int = 0) -> str:
    """Return the page of one symptom, with its limits as they stand in settings, wrapped to the width (0: as it is)."""
    parts = [f"{guide.symptom}: {guide.title}"]
    parts += [f"{title}\n{'-' * len(title)}\n{getattr(guide, name)}" for title, name in SECTIONS]
    if guide.limits:
        head = f"Limits ([limits.{guide.symptom}] in posthoc.toml)"
        rows = [f"{limit.key} = {number(limit.default, 6)}: {limit.meaning}" for limit in guide.limits]
        parts.insert(-1, "\n".join([head, "-" * len(head), *rows]))
    return wrapped("\n\n".join(parts) + "\n", width)


def wrapped(text: str, width: int, indent: str = "") -> str:
    """Return the text with lines that are longer than the width wrapped; 0 leaves it as it is."""
    if not width:
        return text
    lines = (
        line if len(line) <= width else fill(line, width, subsequent_indent=indent, break_on_hyphens=False)
        for line in text.split("\n")
    )
    return "\n".join(lines)
