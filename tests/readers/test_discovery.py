"""The door to all readers: what counts as a run, and what is said when there is none."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from analyzer.errors import NoRunsError, SeveralRunsError, SourceError
from analyzer.readers import Choice, discover, open_source
from tests.readers.mlflow.test_file_store import make_run
from tests.readers.tensorboard.records import scalar, written


def test_one_folder_with_one_run_bears_the_folders_own_name(tmp_path: Path) -> None:
    written(tmp_path / "exp1", [scalar("loss", step, 1 / (step + 1)) for step in range(5)])
    (run,) = open_source(str(tmp_path / "exp1"))
    assert run.id == "exp1"
    assert run.series["loss"].steps.tolist() == [0, 1, 2, 3, 4]


def test_runs_of_a_root_are_named_by_their_paths_and_come_sorted(tmp_path: Path) -> None:
    for name in ("b", "a/x", "a/y", "c [1]=2"):
        written(tmp_path / name, [scalar("loss", 0, 1.0)])
    assert [ref.id for ref in discover(str(tmp_path))] == ["a/x", "a/y", "b", "c [1]=2"]


def test_references_survive_pickling(tmp_path: Path) -> None:
    written(tmp_path / "a", [scalar("loss", 0, 1.0)])
    (ref,) = discover(str(tmp_path))
    assert pickle.loads(pickle.dumps(ref)).read().series["loss"].values.tolist() == [1.0]


def test_one_run_is_chosen_by_id_or_name(tmp_path: Path) -> None:
    for name in ("a/x", "b/y"):
        written(tmp_path / name, [scalar("loss", 0, 1.0)])
    assert [run.id for run in open_source(str(tmp_path), run="b/y")] == ["b/y"]
    assert [run.id for run in open_source(str(tmp_path), run="x")] == ["a/x"]
    with pytest.raises(NoRunsError, match="a/x, b/y"):
        next(open_source(str(tmp_path), run="z"))


def test_a_source_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        discover(str(tmp_path / "none"))


def test_a_fifo_is_neither_opened_nor_waited_for(tmp_path: Path) -> None:
    written(tmp_path, [scalar("loss", 0, 1.0)])
    os.mkfifo(tmp_path / "events.out.tfevents.2.fifo")
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].points == 1
    assert [(note.kind, note.file) for note in run.notes] == [("unreadable", "events.out.tfevents.2.fifo")]
    with pytest.raises(SourceError, match="neither a folder nor a regular file"):
        discover(str(tmp_path / "events.out.tfevents.2.fifo"))


def test_a_link_to_an_event_file_that_is_gone_is_named_and_the_run_is_still_recognised_as_unchanged(
    tmp_path: Path,
) -> None:
    written(tmp_path, [scalar("loss", 0, 1.0)])
    (tmp_path / "events.out.tfevents.2.link").symlink_to(tmp_path / "gone")
    (tmp_path / "notes.txt").symlink_to(tmp_path / "gone, too")
    (ref,) = discover(str(tmp_path))
    assert [(note.kind, note.file) for note in ref.read().notes] == [("unreadable", "events.out.tfevents.2.link")]
    (again,) = discover(str(tmp_path))
    assert ref.stamp() == again.stamp() is not None


def test_links_are_followed_once_and_never_in_a_circle(tmp_path: Path) -> None:
    written(tmp_path / "logs" / "a", [scalar("loss", 0, 1.0)])
    written(tmp_path / "elsewhere", [scalar("loss", 0, 1.0)])
    (tmp_path / "logs" / "a" / "up").symlink_to(tmp_path / "logs")
    (tmp_path / "logs" / "latest").symlink_to(tmp_path / "logs" / "a")
    (tmp_path / "logs" / "top").symlink_to(tmp_path)
    (tmp_path / "logs" / "self").symlink_to("self")
    (tmp_path / "logs" / "more").symlink_to(tmp_path / "elsewhere")
    assert [ref.id for ref in discover(str(tmp_path / "logs"))] == ["a", "more"]


def test_a_folder_without_logs_says_what_it_holds_instead(tmp_path: Path) -> None:
    (tmp_path / "wandb").mkdir()
    (tmp_path / "metrics.csv").write_text("step,loss\n")
    (tmp_path / ".aim").mkdir()
    with pytest.raises(NoRunsError) as caught:
        discover(str(tmp_path))
    for word in ("wandb/", "run-<id>.wandb", "metrics.csv", "no rows of a training", ".aim"):
        assert word in str(caught.value)


def test_a_file_address_means_its_path(tmp_path: Path) -> None:
    written(tmp_path / "a b#1", [scalar("loss", 0, 1.0)])
    for address in ((tmp_path / "a b#1").as_uri(), f"file://localhost{tmp_path}/a%20b%231", f"file:{tmp_path}/a b#1"):
        (run,) = open_source(address)
        assert run.id == "a b#1"
    with pytest.raises(SourceError, match="another machine"):
        discover("file://elsewhere/logs")


def test_a_file_that_is_no_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello, this is no log")
    with pytest.raises(NoRunsError, match="not a log that is read"):
        discover(str(tmp_path / "notes.txt"))


def test_a_name_that_several_runs_bear_is_not_enough(tmp_path: Path) -> None:
    for name in ("a/x", "b/x"):
        written(tmp_path / name, [scalar("loss", 0, 1.0)])
    with pytest.raises(SeveralRunsError) as caught:
        next(open_source(str(tmp_path), run="x"))
    assert caught.value.runs == ("a/x", "b/x")


def test_a_folder_named_like_its_source_gets_an_id_of_its_own(tmp_path: Path) -> None:
    written(tmp_path / "logs", [scalar("loss", 0, 1.0)])
    written(tmp_path / "logs" / "logs", [scalar("loss", 0, 1.0)])
    assert [ref.id for ref in discover(str(tmp_path / "logs"))] == ["logs", "logs (2)"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions bind ordinary users only")
def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    written(tmp_path / "a", [scalar("loss", 0, 1.0)])
    (tmp_path / "b").mkdir(mode=0)
    assert [note.kind for note in discover(str(tmp_path)).notes] == ["unreadable"]


def test_a_table_of_numbers_that_is_not_taken_for_a_training_is_named_beside_those_that_are(tmp_path):
    for name, head in (("a", "epoch,loss"), ("b", "0,0.5"), ("c", "x,y")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.csv").write_text(head + "\n" + "".join(f"{i},{i / 4}\n" for i in range(20)))
    found = discover(str(tmp_path))
    assert [ref.id for ref in found.refs] == ["a"]
    assert [note.message.partition(":")[0] for note in found.notes] == ["b/log.csv (and 1 more) is not read"]


def test_results_beside_a_log_that_is_read_are_not_named(tmp_path):
    (tmp_path / "a" / "eval").mkdir(parents=True)
    rows = "".join(f"{i},{i / 4}\n" for i in range(20))
    (tmp_path / "a" / "eval" / "log.csv").write_text("epoch,loss\n" + rows)
    (tmp_path / "a" / "points.csv").write_text("x,y\n" + rows)
    assert discover(str(tmp_path)).notes == ()


def test_where_experiments_are_named_tables_were_not_asked_for(tmp_path):
    make_run(tmp_path / "mlruns", loss="1 0.5 1\n2 0.25 2\n")
    (tmp_path / "metrics.csv").write_text("epoch,loss\n1,2\n2,1\n")
    found = discover(str(tmp_path), choice=Choice(experiments=("1",)))
    assert len(found.refs) == 1 and found.notes == ()
