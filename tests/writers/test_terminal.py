"""The terminal says the verdict, the findings and what to do, plainly in a pipe, safely for any name."""

from dataclasses import replace

from analyzer.model.result import Night
from analyzer.model.run import Note, Run
from analyzer.model.totals import Tally
from analyzer.writers import terminal
from analyzer.writers.page import page_name
from tests import made

GOLDEN = """\
✗ Overfitting: Validation loss was best at step 400 (0.47) and has risen by 66 % since, while training
  loss went on falling. Also: loss-spike.

  error  overfitting  val/loss, train/loss  steps 400 to 980
    most likely: The model memorises the training examples: it goes on improving on them and no longer
    on others.
  warning  loss-spike  train/loss  steps 620 to 621
    Training loss leapt to 14 times its level at step 620 and was back after 1 step.
  2 findings explained by the above or by the run itself

Do first
  1. Use the checkpoint of step 400; going on cost 0.31 of validation loss.
  2. Look at the batch of step 620.
  3. Stop when validation loss has not improved for 5 evaluations.

Report: file:///tmp/report.html
"""


def test_the_summary_of_a_sick_run():
    assert terminal.run_summary(made.overfitted(), "file:///tmp/report.html", width=104) == GOLDEN


def test_more_is_said_when_asked_for():
    said = terminal.run_summary(made.overfitted(), "", verbose=True, width=100)
    assert "speaks for it:" in said and "Not checked" in said and "wasted-tail (explained" in said


def test_no_escape_sequence_of_a_name_reaches_the_terminal():
    night = Night("1", (), (made.hostile(),))
    series = terminal.series_table(
        Run(made.HOSTILE, "", "x", made.HOSTILE, notes=(Note("layout", made.HOSTILE),)),
        [(made.HOSTILE, 1, "loss", "", made.HOSTILE)],
    )
    for said in (
        terminal.run_summary(made.hostile(), made.HOSTILE),
        terminal.night_summary(night, made.HOSTILE),
        series,
    ):
        assert not set(said) & set("\x1b\u202e\x00\u2066\u2028\udc80")


def test_colours_come_only_when_asked_for():
    assert "\x1b[31;1m✗\x1b[0m" in terminal.run_summary(made.overfitted(), "", colour=True)
    assert "\x1b" not in terminal.run_summary(made.overfitted(), "")


def test_the_night_is_a_short_table():
    results = (
        *(replace(made.overfitted(), run=f"exp/{i:03d}", name=f"{i:03d}") for i in range(40)),
        made.healthy(),
        made.failed(),
    )
    said = terminal.night_summary(Night("1", (), results), "file:///tmp/index.html", width=80)
    assert said.startswith("42 runs: 41 with errors, 1 healthy\n")
    assert "  ✗ exp/000  overfitting, loss-spike  Validation loss was" in said
    assert "and 11 more runs with problems, all in the index" in said and "1 failed" in said
    assert said.endswith("Index: file:///tmp/index.html\n")
    assert max(map(len, said.splitlines())) <= 80


def test_what_is_new_is_marked_and_leads_those_of_its_tone():
    def run(name, state):
        sick = made.exploded(name)
        return replace(sick, name=name, findings=tuple(replace(f, state=state) for f in sick.findings))

    results = (run("there", "persisting"), run("fresh", "new"), run("back", "regressed"))
    said = terminal.night_summary(Night("1", (), results), "", width=100)
    assert "exploding-loss (new)" in said and "exploding-loss (back again)" in said
    assert said.index("fresh") < said.index("back ") < said.index("there")
    first = Tally("2026-01-01T05:00:00Z", 3, {"error": 3}, 0, {}, 0.0)
    assert "(new)" not in terminal.night_summary(Night("1", (), results[1:2], trend=(first,)), "", width=100)


def test_what_is_only_worth_knowing_is_not_counted_as_new_where_it_is_not_shown():
    known = replace(made.overfitted().findings[2], explained_by=None, state="new")
    night = Night("1", (), (replace(made.healthy(), findings=(known,)), made.healthy("b")))
    assert known.severity == "info" and known.counts and "Since last time" not in terminal.night_summary(night, "")


def test_a_wide_terminal_shows_whole_names_and_links_to_pages():
    long = replace(made.overfitted(), run="experiments/with/a/long/path/" + "x" * 60, name="")
    night = Night("1", (), (long,))
    index = "file:///site/index.html"
    assert long.run not in terminal.night_summary(night, index, width=100)
    wide = terminal.night_summary(night, index, width=100, columns=160)
    assert long.run in wide and "\x1b" not in wide and "Took" not in wide
    linked = terminal.night_summary(night, index, width=100, columns=160, colour=True, took=4.2)
    assert f"\x1b]8;;file:///site/runs/{page_name(long.run)}\x1b\\" in linked and "Took 4.2 s" in linked


def test_series_lines_fit_the_width():
    run = Run("r", "r", "csv", "r", {})
    rows = [("loss" * 5, 12, "loss", "train", "because of its name and of much else besides, at length")] * 2
    for width in (60, 80, 100):
        assert all(len(line) <= width for line in terminal.series_table(run, rows, width=width).splitlines())
