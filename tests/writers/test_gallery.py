"""The gallery shows every symptom with its guide and its cases; it is a folder of its own that needs nothing else."""

import re

import pytest

from analyzer import api, detectors
from analyzer.cli import main
from analyzer.errors import OutputError
from tests.writers.markup import check_page


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    api.gallery(folder)
    return folder


def test_every_symptom_has_a_page_that_the_index_links(gallery):
    linked = re.findall(r'href="([a-z-]+)\.html"', (gallery / "index.html").read_text("utf-8"))
    assert linked == sorted(api.guides())
    assert all((gallery / f"{symptom}.html").is_file() for symptom in linked)


def test_a_page_has_the_guide_the_limits_and_every_case_with_its_own_sentence(gallery):
    for symptom, detector in detectors.known().items():
        page = (gallery / f"{symptom}.html").read_text("utf-8")
        assert page.count('<article class="case') == len(detector.cases)
        assert all(f"<code>{limit.key}</code>" in page for limit in detector.guide.limits)
        firing = sum(case.expect == "fires" for case in detector.cases)
        assert len(re.findall(r'class="severity ', page)) >= firing


def test_pages_are_sound_small_and_link_to_nothing_outside(gallery):
    for path in gallery.glob("*.html"):
        text = path.read_text("utf-8")
        check_page(text)
        assert len(text) < 150_000
        assert not re.search(r'(?:src|href)="(?!#|report\.css"|data:|[a-z-]+\.html")', text)


def test_a_case_explained_by_something_ordinary_says_so_and_wears_no_alarm(gallery):
    page = (gallery / "repetitive-loss.html").read_text("utf-8")
    case = page[page.index("A cyclic learning rate") :]
    assert "No alarm: explained by" in case[: case.index("</article>")]


def test_a_gallery_is_written_again_but_not_over_other_files(tmp_path, capsys):
    assert main(["explain", "plateau", "--html", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out.endswith("plateau.html\n")
    assert main(["explain", "--html", str(tmp_path / "new")]) == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    with pytest.raises(OutputError, match="not empty and no posthoc gallery"):
        api.gallery(tmp_path / "mine")
