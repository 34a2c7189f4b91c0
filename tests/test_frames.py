"""Frames are equal to tbparse's on the logs of its own documentation, and complete where tbparse is not."""

import pytest

pd = pytest.importorskip("pandas")
tbparse = pytest.importorskip("tbparse")
tensorboardX = pytest.importorskip("tensorboardX")  # noqa: N816 - the package's own name

import analyzer  # noqa: E402 - after the extras it needs

# the peer, not ours, does what newer pandas warns of
pytestmark = [pytest.mark.filterwarnings(f"ignore:{text}") for text in ("The inplace keyword", "Converting a Series")]


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    root = tmp_path_factory.mktemp("logs")
    for i in range(2):
        with tensorboardX.SummaryWriter(str(root / f"run{i}")) as writer:
            for step in range(5):
                writer.add_scalar("y=2x", step * 2.0 + i, step)
                writer.add_scalar("b/x", step * 1.5, step)
    return root


@pytest.mark.parametrize("where", ["", "run0"])
@pytest.mark.parametrize("pivot", [False, True])
@pytest.mark.parametrize("extra", [[], ["wall_time"], ["dir_name"], ["dir_name", "wall_time"]], ids="-".join)
def test_frames_are_those_of_tbparse(logs, where, pivot, extra):
    theirs = tbparse.SummaryReader(str(logs / where), pivot=pivot, extra_columns=set(extra)).scalars
    ours = analyzer.scalars(logs / where, pivot=pivot, extra_columns=extra)
    assert list(ours.columns) == list(theirs.columns)
    if pivot and not (where or "dir_name" in extra):  # lists whose order tbparse does not promise
        for name in ours.columns:
            mine, other = ours[name].tolist(), theirs[name].tolist()
            assert [sorted(v) if isinstance(v, list) else v for v in mine] == [
                sorted(v) if isinstance(v, list) else v for v in other
            ]
        return
    keys = [c for c in ("dir_name", "tag", "step", "value", "wall_time") if c in ours.columns and not pivot]
    if keys:
        ours, theirs = (f.sort_values(keys, ignore_index=True) for f in (ours, theirs))
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


def test_a_run_gives_its_own_frame(logs):
    (run,) = analyzer.open_runs(logs / "run0")
    frame = run.to_frame()
    assert list(frame.columns) == ["step", "tag", "value"]
    assert len(frame) == 10
    assert list(run.to_frame(pivot=True).columns) == ["step", "b/x", "y_2x"]


def test_an_unknown_column_is_named(logs):
    with pytest.raises(analyzer.errors.UsageError, match="colour"):
        analyzer.scalars(logs, extra_columns={"colour"})


def test_a_source_without_points_gives_an_empty_frame(tmp_path):
    with tensorboardX.SummaryWriter(str(tmp_path)):
        pass
    assert analyzer.scalars(tmp_path).empty
