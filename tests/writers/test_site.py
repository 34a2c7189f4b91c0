"""The site is whole at every moment, ours to write again, and nobody else's."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from analyzer.errors import OutputError
from analyzer.model.result import Night
from analyzer.writers import fallback_page
from analyzer.writers.page import Provenance, page_name
from analyzer.writers.site import MARKER, Site
from tests import made
from tests.writers.markup import check_page


def write(folder, *results):
    site = Site(folder, made.guides())
    for result in results:
        site.add(result, Provenance("1", "posthoc report logs"))
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
    whole = fallback_page.run_page

    def failing(result, *a, **k):
        if result.run == "exp1/train_a":
            raise ZeroDivisionError("no axis")
        return whole(result, *a, **k)

    monkeypatch.setattr(fallback_page, "run_page", failing)
    index = write(tmp_path, made.overfitted(), made.healthy())
    page = (tmp_path / "runs" / page_name("exp1/train_a")).read_text()
    assert "could not be drawn (ZeroDivisionError: no axis)" in page and "error: overfitting" in page
    assert check_page(page).links and "exp1/train_a: the page could not be drawn" in index.read_text()
    assert len(json.loads((tmp_path / "findings.json").read_text())["runs"]) == 2


def test_what_the_site_did_not_write_is_never_removed(tmp_path):
    write(tmp_path, made.overfitted(), made.healthy())
    mine = ["runs/mine.html", "rows-mine.html", "runs/0123456789abcdef.html", "rows-7.html"]
    for name in mine:
        (tmp_path / name).write_text("<!doctype html><p>mine, of posthoc")
    (tmp_path / "rows-9.html").write_bytes((tmp_path / "index.html").read_bytes())
    write(tmp_path, made.healthy())
    assert all((tmp_path / name).is_file() for name in mine) and not (tmp_path / "rows-9.html").exists()
    assert not (tmp_path / "runs" / page_name("exp1/train_a")).exists()


def test_a_folder_of_pages_that_is_a_link_is_refused(tmp_path):
    write(tmp_path / "site", made.healthy())
    (tmp_path / "site" / "runs").rename(tmp_path / "elsewhere")
    (tmp_path / "site" / "runs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="runs is a link"):
        Site(tmp_path / "site", {})


def test_a_site_that_was_killed_at_any_moment_can_be_written_again(tmp_path, monkeypatch):
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / f".{MARKER}.{dead.pid}.tmp").write_text("{")
    mine = tmp_path / "runs" / f".x.html.{os.getpid()}.tmp"
    Site(tmp_path, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == [MARKER, "report.css", "runs"]
    for name in (f"runs/.x.html.{dead.pid}.tmp", f".index.html.{dead.pid}.tmp"):
        (tmp_path / name).write_text("half")
    mine.write_text("at it")
    write(tmp_path, made.healthy())
    assert list(tmp_path.rglob("*.tmp")) == [mine]
    (tmp_path / "new").mkdir()
    monkeypatch.setattr(Path, "mkdir", Mock(side_effect=[None, None, KeyboardInterrupt]))
    with pytest.raises(KeyboardInterrupt):
        Site(tmp_path / "new", {})
    monkeypatch.undo()
    assert Site(tmp_path / "new", {}).folder.is_dir()
