"""The page of a symptom on the terminal, and the list of all."""

from __future__ import annotations

from collections.abc import Mapping

from analyzer.model.guide import Guide
from analyzer.model.wording import number

SECTIONS = (
    ("Why it matters", "why_it_matters"),
    ("How it is measured", "how_it_is_measured"),
    ("When this may be wrong", "when_it_is_wrong"),
    ("What to do", "what_to_do"),
    ("References", "references"),
)


def list_of(guides: Mapping[str, Guide]) -> str:
    """Return all symptoms, one a line, with what one sees."""
    column = max(map(len, guides), default=0)
    lines = [f"{symptom:<{column}}  {guide.title}" for symptom, guide in sorted(guides.items())]
    return "\n".join([*lines, "", "posthoc explain SYMPTOM tells more.", ""])


def page_of(guide: Guide) -> str:
    """Return the page of one symptom, with its limits as they stand in settings."""
    parts = [f"{guide.symptom}: {guide.title}"]
    parts += [f"{title}\n{'-' * len(title)}\n{getattr(guide, name)}" for title, name in SECTIONS]
    if guide.limits:
        head = f"Limits ([limits.{guide.symptom}] in posthoc.toml)"
        rows = [f"{limit.key} = {number(limit.default, 6)}: {limit.meaning}" for limit in guide.limits]
        parts.insert(-1, "\n".join([head, "-" * len(head), *rows]))
    return "\n\n".join(parts) + "\n"
