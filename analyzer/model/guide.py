"""The page of a symptom, taken from its detector's docstring: one text for README, `explain` and the report."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from dataclasses import dataclass

SECTIONS = ("Why it matters", "How it is measured", "When it is wrong", "What to do", "References")


@dataclass(frozen=True, slots=True)
class LimitGuide:
    """One settings key of a symptom: its default and what it means."""

    key: str
    default: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Guide:
    """What is known about a symptom, for people. Section texts hold paragraphs separated by blank lines."""

    symptom: str
    title: str
    why_it_matters: str
    how_it_is_measured: str
    when_it_is_wrong: str
    what_to_do: str
    references: str
    limits: tuple[LimitGuide, ...] = ()


def docstring_of(module: str) -> str:
    """Return the docstring of a module from its source: Python leaves docstrings out with PYTHONOPTIMIZE=2."""
    try:
        return ast.get_docstring(ast.parse(inspect.getsource(sys.modules[module]))) or ""
    except (KeyError, TypeError, OSError, SyntaxError):
        return ""


def parse_guide(symptom: str, docstring: str, limits: tuple[LimitGuide, ...] = ()) -> Guide:
    """Return the guide written in a detector's docstring; ValueError names a missing or empty section."""
    text = inspect.cleandoc(docstring or "")
    title, _, body = text.partition("\n")
    parts = re.split(rf"^({'|'.join(SECTIONS)})\n-+\n", body, flags=re.MULTILINE)
    found = {name: content.strip() for name, content in zip(parts[1::2], parts[2::2], strict=True)}
    missing = [name for name in SECTIONS if not found.get(name)]
    if missing or not title.strip():
        raise ValueError(f"the page of {symptom} lacks {', '.join(missing) or 'its first line'}")
    why, how, wrong, todo, references = (found[name] for name in SECTIONS)
    return Guide(symptom, title.strip().rstrip("."), why, how, wrong, todo, references, limits)
