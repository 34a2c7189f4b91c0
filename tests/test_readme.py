"""README and docs tell what the code does: generated tables are fresh, and what they name exists."""

import importlib.util
import re
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.cli.parser_tools import ABOUT as MORE

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
OPTIONS = sorted({name for text in TEXTS.values() for name in re.findall(r"`(--[a-z][a-z-]+)", text)})


@pytest.mark.parametrize("page", ["symptoms.md", "settings.md"])
def test_the_generated_tables_are_fresh(page):
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.renewed(page) == TEXTS[page], "run `python docs/generate.py`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_it_points_to_exists(page):
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", TEXTS[page.name]):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_heading_it_points_to_exists(page):
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", TEXTS[page.name]):
        there = page.parent / target if target else page
        headings = re.findall(r"(?m)^#+ (.+)$", there.read_text(encoding="utf-8"))
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_it_names_is_known_to_the_command(option, capsys):
    texts = ""
    for verb in ("report", "audit", "compare", "series", "dump", "explain", "history", *MORE):
        with pytest.raises(SystemExit):
            raise SystemExit(main([verb, "--help"]))
        texts += capsys.readouterr().out
    assert option in texts or option == "--version"
