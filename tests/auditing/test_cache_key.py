"""What is judged, and what only drawn, when code, templates, the folder of the site or a log change."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer import api
from analyzer.auditing import cache_key, judge_one
from analyzer.auditing.pipeline import Plan
from analyzer.auditing.stored_curves import curves_text, with_curves

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "logs"
NOW = 1_790_100_000.0


def audit(site, state, logs=EXAMPLES, jobs=0):
    return api.audit([logs], site, plan=Plan(state=state, now=NOW, jobs=jobs))


def pages(site):
    return {page.name: page.read_bytes() for page in (site / "runs").iterdir()}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The first audit of the examples: its site and its state."""
    place = tmp_path_factory.mktemp("first")
    audit(place / "site", place / "state.db", jobs=2)
    return place


@pytest.fixture
def place(first, tmp_path):
    shutil.copytree(first, tmp_path / "own")
    return tmp_path / "own"


@pytest.fixture
def work(monkeypatch):
    """What is done from now on: runs that are read, judged, drawn."""
    done = {"read": [], "judge_plainly": [], "write_page": []}
    for name, calls in done.items():
        own = getattr(judge_one, name)
        monkeypatch.setattr(judge_one, name, lambda *a, own_=own, calls_=calls: calls_.append(a) or own_(*a))
    return done


def count(work):
    return {name: len(calls) for name, calls in work.items()}


def test_an_unchanged_log_is_neither_read_nor_judged_nor_drawn(place, work):
    audit(place / "site", place / "state.db")
    assert count(work) == {"read": 0, "judge_plainly": 0, "write_page": 0}


def test_a_changed_template_draws_every_page_and_judges_nothing(place, work, monkeypatch):
    before = pages(place / "site")
    monkeypatch.setattr(cache_key, "drawing_code", lambda: "another style")
    night = audit(place / "site", place / "state.db")
    assert count(work) == {"read": 0, "judge_plainly": 0, "write_page": len(before)}
    assert night.judged_anew == "" and not any(f.judged_anew for r in night.results for f in r.findings)
    audit(place / "site", place / "state.db")
    assert len(work["write_page"]) == len(before), "the second audit with the new template draws nothing"


@pytest.mark.parametrize("jobs", [0, 2])
def test_another_folder_gets_the_same_pages_from_the_state(place, work, jobs):
    audit(place / "other", place / "state.db", jobs=jobs)
    assert pages(place / "other") == pages(place / "site")
    assert work["read"] == work["judge_plainly"] == []


def test_a_missing_page_is_drawn_again(place, work):
    before = pages(place / "site")
    gone = sorted(before)[0]
    (place / "site" / "runs" / gone).unlink()
    audit(place / "site", place / "state.db")
    assert count(work) == {"read": 0, "judge_plainly": 0, "write_page": 1}
    assert pages(place / "site") == before


def test_a_page_of_an_older_log_in_another_folder_is_drawn_again(place, work, tmp_path):
    logs = tmp_path / "logs"
    shutil.copytree(EXAMPLES / "tensorboard", logs)
    state = place / "grown.db"
    audit(place / "a", state, logs)
    old = pages(place / "a")
    event = sorted(logs.rglob("events.out.tfevents.*"))[0]
    event.write_bytes(event.read_bytes()[: event.stat().st_size * 2 // 3])
    audit(place / "b", state, logs)
    for calls in work.values():
        calls.clear()
    audit(place / "a", state, logs)
    assert count(work) == {"read": 0, "judge_plainly": 0, "write_page": 1}
    assert pages(place / "a") == pages(place / "b") != old


def test_changed_code_of_judging_judges_every_run(place, work, monkeypatch):
    monkeypatch.setattr(cache_key, "judging_code", lambda: "another detector")
    night = audit(place / "site", place / "state.db")
    assert len(work["read"]) == len(work["judge_plainly"]) == len(night.results)
    assert night.judged_anew == "of an upgrade"


def test_nothing_that_only_draws_is_imported_while_runs_are_read_and_judged():
    program = (
        "import sys; from analyzer.diagnosis import judge_run; from analyzer.readers import open_run, discover\n"
        "from analyzer.settings import Settings\n"
        f"for ref in discover({str(EXAMPLES)!r}).refs: judge_run(ref.read(), Settings(), 2e9)\n"
        f"print(*sorted(m for m in sys.modules if m.split('.')[1:2] and m.split('.')[:2] in "
        f"[['analyzer', p] for p in {cache_key.WITHOUT_JUDGING!r}]))"
    ).replace("open_run, ", "")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""


def test_stored_curves_come_back_to_the_last_bit_and_foreign_text_is_refused():
    result = next(iter(api.analyze(run) for run in api.open_runs(EXAMPLES)))
    bare = result.without_curves()
    again = with_curves(bare, curves_text(result))
    for row, other in zip(result.series, again.series, strict=True):
        assert row.curve.steps.tolist() == other.curve.steps.tolist()
        assert row.curve.values.tobytes() == other.curve.values.tobytes()
    for text in ("", "nonsense", curves_text(result)[:-8]):
        with pytest.raises(ValueError):
            with_curves(bare, text)
