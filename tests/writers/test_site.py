"""The site is whole at every moment, ours to write again, and nobody else's."""

import json
from dataclasses import replace

import made
import pytest

from analyzer.errors import OutputError
from analyzer.model.result import Night
from analyzer.writers import plain
from analyzer.writers.page import Making, page_name
from analyzer.writers.site import Site
from writers.markup import check_page


def write(folder, *results):
    site = Site(folder, made.guides())
    for result in results:
        site.add(result, Making("1", "posthoc report logs"))
    return site.finish(Night("1", ("logs",), tuple(result.without_curves() for result in results)))


def test_pages_index_and_document_belong_together(tmp_path):
    index = write(tmp_path / "deep" / "site", made.overfitted(), made.hostile())
    assert index == tmp_path / "deep" / "site" / "index.html"
    for link in check_page(index.read_text()).links:
        assert link.startswith(("#", "data:")) or (index.parent / link).is_file(), link
    page = (index.parent / "runs" / page_name("exp1/train_a")).read_text()
    read = check_page(page)
    assert "../index.html" in read.links and "../report.css" in read.links
    document = json.loads((index.parent / "findings.json").read_text("utf-8"))
    assert document["runs"][0]["run"] == "exp1/train_a"
    assert not list(index.parent.rglob("*.tmp"))


def test_the_next_night_replaces_the_last(tmp_path):
    write(tmp_path, made.overfitted(), made.healthy())
    write(tmp_path, made.healthy())
    assert [p.name for p in (tmp_path / "runs").iterdir()] == [page_name("exp2/good")]


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(OutputError, match="not empty and no posthoc site"):
        Site(tmp_path, {})
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(OutputError, match="is a file"):
        Site(tmp_path / "thesis.tex", {})


def test_two_runs_of_one_name_do_not_happen_but_hashes_keep_names_apart(tmp_path):
    index = write(tmp_path, *(replace(made.healthy(), run=name) for name in ("a/b", "a_b", "../a", "A/B")))
    assert len(list((index.parent / "runs").iterdir())) == 4


def test_a_page_that_cannot_be_drawn_costs_its_own_pictures_only(tmp_path, monkeypatch):
    whole = plain.run_page

    def failing(result, *a, **k):
        if result.run == "exp1/train_a":
            raise ZeroDivisionError("no axis")
        return whole(result, *a, **k)

    monkeypatch.setattr(plain, "run_page", failing)
    index = write(tmp_path, made.overfitted(), made.healthy())
    page = (tmp_path / "runs" / page_name("exp1/train_a")).read_text()
    assert "could not be drawn (ZeroDivisionError: no axis)" in page and "error: overfitting" in page
    assert check_page(page).links and "exp1/train_a: the page could not be drawn" in index.read_text()
    assert len(json.loads((tmp_path / "findings.json").read_text())["runs"]) == 2
