"""The README tells what the code does: its generated tables are fresh, and what it names exists."""

import importlib.util
import re
from pathlib import Path

import pytest

from analyzer.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_generated_tables_are_fresh():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.renewed(README) == README, "run `python docs/generate.py`"


def test_every_file_it_points_to_exists():
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[a-z][a-z-]+)", README))))
def test_every_option_it_names_is_known_to_the_command(option, capsys):
    texts = ""
    for verb in ("report", "audit", "series", "dump", "explain"):
        with pytest.raises(SystemExit):
            raise SystemExit(main([verb, "--help"]))
        texts += capsys.readouterr().out
    assert option in texts or option == "--version"
