"""Every input that fuzzing found worth keeping obeys the law of its target."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.__main__ import CORPUS, MOST_BYTES, MOST_FILES
from tests.fuzz.laws import obeys
from tests.fuzz.targets import NAMES, target

FILES = [(name, path) for name in NAMES for path in sorted((CORPUS / name).iterdir())]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_target_begins_with_obeys_its_law(name: str) -> None:
    for data in (b"", *target(name).seeds()):
        obeys(target(name).one_input, data)


@pytest.mark.parametrize(("name", "path"), FILES, ids=[f"{name}-{path.name[:12]}" for name, path in FILES])
def test_what_was_found_obeys_the_law_of_its_target(name: str, path: Path) -> None:
    obeys(target(name).one_input, path.read_bytes())


def test_every_target_has_a_small_corpus_and_every_corpus_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(NAMES)
    for name in NAMES:
        sizes = [path.stat().st_size for path in (CORPUS / name).iterdir()]
        assert 0 < len(sizes) <= MOST_FILES and sum(sizes) <= MOST_BYTES, name
