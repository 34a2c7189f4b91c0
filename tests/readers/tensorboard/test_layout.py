"""Which folders are one run: each rule of the module's docstring, and its nearest counter-example."""

from __future__ import annotations

import pytest

from analyzer.readers.tensorboard.epoch_folders import Ends
from analyzer.readers.tensorboard.layout import Group, Peek, grouped


def runs(*folders: str, **peeks: Peek) -> dict[str, list[str]]:
    """Group folders; `peeks` are by folder with `__` for `/`."""
    known = {name.replace("__", "/"): peek for name, peek in peeks.items()}
    return {group.home: group.members for group in grouped(sorted(folders), lambda path: known.get(path, Peek()))}


def curve(tag: str) -> Peek:
    return Peek(frozenset({tag}))


def test_a_folder_with_files_is_a_run() -> None:
    assert runs("a", "b/c") == {"a": ["a"], "b/c": ["b/c"]}
    assert runs("") == {"": [""]}


def test_train_and_validation_are_one_run() -> None:
    assert runs("r/train", "r/validation") == {"r": ["r/train", "r/validation"]}
    assert runs("r", "r/eval") == {"r": ["r", "r/eval"]}
    assert runs("Train", "Val") == {"": ["Train", "Val"]}


def test_a_run_keeps_its_name_when_validation_appears_later() -> None:
    assert list(runs("logs/r1/train", "logs/r2/train", "logs/r2/validation")) == ["logs/r1", "logs/r2"]


def test_a_run_that_is_called_train_or_test_stays_alone_among_others() -> None:
    assert list(runs("train", "exp1", "exp2")) == ["exp1", "exp2", "train"]
    assert list(runs("train/exp", "train/exp2")) == ["train/exp", "train/exp2"]
    assert list(runs("test", "exp1")) == ["exp1", "test"]


def test_named_evaluations_belong_to_a_run_with_files_of_its_own_only() -> None:
    assert runs("m", "m/eval_coco", "m/test-2017") == {"m": ["m", "m/eval_coco", "m/test-2017"]}
    assert list(runs("test_1", "test_2", "test_3")) == ["test_1", "test_2", "test_3"]


def test_curves_of_add_scalars_belong_to_the_run_around_them() -> None:
    peeks = {"r__Loss_train": curve("Loss"), "r__Loss_val": curve("Loss"), "r__a_b_x": curve("a/b")}
    folders = ("r", "r/Loss_train", "r/Loss_val", "r/a_b_x")
    assert runs(*folders, **peeks) == {"r": sorted(folders)}


def test_curves_of_add_scalars_without_a_run_around_belong_together() -> None:
    peeks = {"r__Loss_train": curve("Loss"), "r__Loss_val": curve("Loss")}
    assert list(runs("r/Loss_train", "r/Loss_val", **peeks)) == ["r"]
    assert list(runs("r/Loss_train", r__Loss_train=curve("Loss"))) == ["r/Loss_train"]


def test_curves_of_old_tensorboardx_lie_in_folders_of_the_tag() -> None:
    peeks = {"r__data__group__a": curve("data/group"), "r__data__group__b": curve("data/group")}
    assert list(runs("r/data/group/a", "r/data/group/b", **peeks)) == ["r"]


def test_runs_that_share_a_prefix_with_their_tag_but_have_more_tags_stay_alone() -> None:
    both = Peek(frozenset({"Loss", "lr"}))
    assert list(runs("r", "r/Loss_a", "r/Loss_b", r__Loss_a=both, r__Loss_b=both)) == ["r", "r/Loss_a", "r/Loss_b"]
    assert list(runs("r", "r/exp_a", r__exp_a=curve("loss"))) == ["r", "r/exp_a"]


def test_a_session_of_add_hparams_belongs_to_the_run_around_it() -> None:
    session = Peek(frozenset(), session=True)
    assert runs("r", "r/1600000000.5", **{"r__1600000000.5": session}) == {"r": ["r", "r/1600000000.5"]}
    assert list(runs("r/version_0", "r", r__version_0=session)) == ["r", "r/version_0"]
    assert list(runs("a/x", a__x=session)) == ["a/x"]


def test_lightning_versions_and_keras_trials_are_runs_of_their_own() -> None:
    assert list(runs("l", "l/version_0", "l/version_1")) == ["l", "l/version_0", "l/version_1"]
    assert list(runs("tune", "tune/run-0", "tune/run-1")) == ["tune", "tune/run-0", "tune/run-1"]


def test_splits_inside_a_split_and_deep_trees_end() -> None:
    assert list(runs("r/train", "r/train/validation", "r/validation")) == ["r"]
    deep = "/".join(["train"] * 50)
    assert len(runs(deep, deep + "/validation")) == 1


def test_reasons_name_the_sub_folders() -> None:
    (group,) = grouped(["r/train", "r/validation"], lambda path: Peek())
    assert group.reasons == {"splits of the same run": ["train", "validation"]}


def test_catboosts_learn_and_test_are_one_run() -> None:
    assert runs("catboost_info/learn", "catboost_info/test") == {
        "catboost_info": ["catboost_info/learn", "catboost_info/test"]
    }


def test_writers_that_a_script_makes_beside_its_splits_belong_to_the_run() -> None:
    folders = ("r/lr", "r/test", "r/train")
    peeks = {f"r__{name}": Peek(began=1.6e9 + seconds) for name, seconds in (("lr", 1), ("test", 2), ("train", 0))}
    assert runs(*folders, **peeks) == {"r": sorted(folders)}
    later = peeks | {"r__lr": Peek(began=1.6e9 + 3600)}
    assert list(runs(*folders, **later)) == ["r/lr", "r"]
    assert list(runs("r/lr", "r/train", **peeks)) == ["r/lr", "r/train"]


def test_twins_named_after_their_split_are_one_run() -> None:
    names = ("0911_train", "0911_val", "0912_train", "0912_val")
    assert runs(*names) == {"0911": ["0911_train", "0911_val"], "0912": ["0912_train", "0912_val"]}
    assert sorted(runs("l/train-a", "l/test-a", "l/train-b", "l/eval-b")) == ["l/a", "l/b"]


@pytest.mark.parametrize(
    "folders",
    [
        ("exp_train", "other_val"),
        ("exp_val", "exp_test"),
        ("exp", "exp_train", "exp_val"),
        ("exp/a", "exp_train", "exp_val"),
        ("exp_training", "exp_trained"),
    ],
)
def test_folders_that_only_look_like_twins_stay_alone(folders: tuple[str, ...]) -> None:
    assert sorted(runs(*folders)) == sorted(folders)


def test_twins_have_a_place_of_their_own_and_their_split_as_prefix() -> None:
    (group,) = grouped(["l/s_train", "l/s_val"], lambda path: Peek())
    assert group.place == "l/s_train" and [group.inner(path) for path in group.members] == ["train", "val"]


def pieced(count: int, value: float, *, step: int = 0, gap: float = 60.0, first: int = 0) -> list[Group]:
    """Group numbered folders, each of which falls by 0.1 and begins `value` lower than the one before."""

    def look(path: str) -> dict[bytes, Ends]:
        at = int(path.rpartition("/")[2]) - first
        start = 3 - value * at
        return {b"loss": Ends((step * at, step * at + 9), (start, start - 0.1), (gap * at, gap * at + 50))}

    return grouped([f"r/train/{first + i}" for i in range(count)], lambda path: Peek(), look)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(("value", "step"), [(0.11, 0), (0.11, 10), (0.0, 10)])
def test_a_folder_per_epoch_is_one_training_in_pieces(first: int, value: float, step: int) -> None:
    """By values that go on, or by steps that do."""
    (group,) = pieced(20, value, step=step, first=first)
    assert group.home == "r"
    assert group.members == [f"r/train/{first + i}" for i in range(20)]
    assert {group.inner(path) for path in group.members} == {"train"}
    assert "pieces of one training, a folder each" in group.reasons


def test_trials_in_numbered_folders_stay_runs() -> None:
    """They begin where the first one began, or run at the same time; and a few folders are no family."""
    assert len(pieced(20, 0.0)) == 20
    assert len(pieced(20, 0.11, gap=1.0)) == 20
    assert len(pieced(5, 0.11)) == 5
