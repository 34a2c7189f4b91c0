"""Which folders are one run: each rule of the module's docstring, and its nearest counter-example."""

from __future__ import annotations

from analyzer.readers.tensorboard.layout import Peek, grouped


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
