"""The index of 5,000 runs answers what is asked of it: search, filters, order, keyboard, and all of it small."""

import re

import pytest


@pytest.fixture
def index(many_runs, visit):
    seen = visit(many_runs)
    yield seen.page
    assert seen.said == []


def counted(page) -> str:
    return page.locator(".finder output").text_content()  # also where it is scrolled out of sight


def box(page, label):
    return page.locator(".finder label", has_text=re.compile(f"^{label} ")).locator("select")


def pressed(page, kind, value):
    page.locator(f"[data-{kind}={value}] button").click()
    return counted(page)


def chosen(page, label, value):
    box(page, label).select_option(value)
    return counted(page)


def test_search_finds_a_run_by_name_sentence_symptom_or_id(index):
    search = index.get_by_label("Search")
    search.fill("seed0777")
    assert counted(index) == "1 of 5,000"
    search.fill(f"{777:032x}"[::-1])  # the whole id of a run that is shown by its name
    assert counted(index) == "1 of 5,000"
    search.fill("overfitting sweep_05")
    assert counted(index).endswith("of 5,000") and index.locator(".runs tbody tr").count() > 1
    search.fill("no such run")
    assert counted(index) == "0 of 5,000"
    assert index.locator(".runs tbody tr").all_inner_texts() == ["No run matches these filters."]
    index.get_by_role("button", name="Clear").click()
    assert counted(index) == "" and index.locator(".runs tbody tr").count() == 200


def test_filters_by_symptom_verdict_experiment_state_and_log_combine(index):
    assert pressed(index, "symptom", "overfitting") == "1,000 of 5,000"
    assert chosen(index, "Since last time", "new") == "285 of 5,000"
    assert chosen(index, "Experiment", "sweep_05") == "35 of 5,000"
    assert pressed(index, "symptom", "overfitting") == "35 of 5,000"
    index.get_by_role("button", name="Clear").click()
    assert chosen(index, "Log", "partial") == "1,000 of 5,000"
    assert pressed(index, "tone", "healthy") == "0 of 5,000"


def test_the_counts_above_are_filters_that_tell_their_state(index):
    button = index.locator("[data-symptom=overfitting] button")
    button.focus()
    index.keyboard.press("Enter")
    assert counted(index) == "1,000 of 5,000" and button.get_attribute("aria-pressed") == "true"
    index.keyboard.press("Enter")
    assert counted(index) == "" and button.get_attribute("aria-pressed") == "false"
    index.locator("[data-state=regressed] button").click()
    assert box(index, "Since last time").input_value() == "regressed"


def test_rows_are_sorted_and_more_are_shown_on_demand(index):
    box(index, "Sort").select_option("name")
    names = index.locator(".runs tbody tr th a").all_inner_texts()
    assert len(names) == 200 and names == sorted(names)
    index.get_by_role("button", name="Show 200 more").click()
    assert index.locator(".runs tbody tr").count() == 400


def test_a_row_made_by_the_script_looks_like_the_others(index):
    index.get_by_label("Search").fill(f"seed{4997:04d}")  # a healthy run of a tracker, beyond the static rows
    row = index.locator(".runs tbody tr")
    assert row.locator("th a").inner_text() == "lr3e-4_seed4997"
    assert row.locator("th code").inner_text() == f"{4997:032x}"[::-1][:8]
    assert row.locator("path").count() == 1 and row.locator("svg.sign use").count() == 1


def test_a_row_made_by_the_script_says_what_is_new_as_the_others_do(index):
    static = index.locator(".runs tbody tr", has_text="exploding-loss · new").first.locator(".chip").first
    assert static.text_content() == "exploding-loss · new" and static.locator("b").count() == 1
    box(index, "Since last time").select_option(label="back again")
    index.get_by_label("Search").fill("overfitting")
    row = index.locator(".runs tbody tr").last
    assert (
        row.locator("td:last-child small").text_content() == "val/\u200bloss"
    )  # may break there; the curve that the finding speaks of
    assert row.locator(".chip").first.text_content() == "overfitting · back again"
    assert row.locator(".chip").first.get_attribute("class") == "chip error" and row.locator("b").count() >= 1


def test_it_is_small_and_searches_at_once(many_runs, index):
    assert many_runs.stat().st_size <= 600_000
    taken = index.evaluate("""() => {
      const box = document.querySelector(".finder input"), begun = performance.now();
      box.value = "seed0777"; box.dispatchEvent(new Event("input"));
      document.body.offsetHeight;
      return performance.now() - begun;
    }""")
    assert taken < 3000  # far more than it takes on an idle machine


def test_the_address_keeps_what_was_asked_for_and_back_comes_to_it_again(index):
    index.get_by_label("Search").fill("sweep_05")
    pressed(index, "symptom", "overfitting")
    box(index, "Sort").select_option("name")
    asked, address = counted(index), index.url
    assert "symptom=overfitting" in address and asked.endswith("of 5,000")
    index.goto("about:blank")
    index.go_back()
    assert index.url == address and counted(index) == asked
    index.reload()
    assert counted(index) == asked and index.get_by_label("Search").input_value() == "sweep_05"
    index.get_by_role("button", name="Clear").click()
    assert "symptom" not in index.url


def test_the_rows_begin_on_the_first_screen(index):
    index.set_viewport_size({"width": 1440, "height": 900})
    assert index.locator(".runs tbody tr").first.bounding_box()["y"] <= 500


def test_rows_say_when_they_ended_and_sort_by_it_and_by_how_long_they_ran(index):
    rows = index.locator(".runs tbody tr")
    time = rows.first.locator("time")
    assert re.fullmatch(r"\d+ (d|h|min) ago", time.text_content())
    assert re.search(r"20\d\d", time.get_attribute("title"))  # the local time, and the exact one as an attribute
    assert time.get_attribute("datetime").startswith("2026-")
    box(index, "Sort").select_option("ended")
    ends = [one.get_attribute("datetime") for one in index.locator(".runs time").all()[:20]]
    assert ends == sorted(ends, reverse=True) and len(ends) == 20
    box(index, "Sort").select_option("ran")
    assert rows.first.locator(".when small").first.text_content() == "ran 1 d 1 h"
    assert rows.locator(".when small", has_text="best").count() > 0
