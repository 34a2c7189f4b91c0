"""Runs of several sources keep names apart, and only where they clash."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.auditing.run_names import distinct, endings


def test_names_that_clash_get_the_shortest_distinguishing_end():
    assert distinct([["run1", "x"], ["run1"], ["y"]], ["a/logs", "b/logs", "c"]) == [
        ["a/logs/run1", "x"],
        ["b/logs/run1"],
        ["y"],
    ]
    assert distinct([["r"], ["r"]], ["one", "two"]) == [["one/r"], ["two/r"]]
    assert distinct([["r"], ["s"]], ["one", "one"]) == [["r"], ["s"]]


def test_the_same_source_twice_and_one_inside_the_other_stay_apart(tmp_path):
    assert endings(["logs", "logs"]) == ["logs", "logs#2"]
    deep = endings([str(tmp_path / "a"), str(tmp_path / "b" / "a")])
    assert len(set(deep)) == 2 and deep[1] == "b/a"


def test_a_name_made_by_a_prefix_is_never_one_that_is_there():
    assert distinct([["x"], ["x"], ["A/x"]], ["A", "B", "C"]) == [["A/x (2)"], ["B/x"], ["A/x"]]


def test_secrets_in_addresses_do_not_get_into_names():
    assert not any("hunter2" in end for end in endings(["http://me:hunter2@h/x", "http://you:hunter2@i/x"]))


@given(st.lists(st.lists(st.sampled_from("abc"), unique=True, max_size=3), min_size=1, max_size=4), st.data())
def test_all_names_differ(ids, data):
    sources = data.draw(
        st.lists(st.sampled_from(["x", "y/x", "y", "http://h/x"]), min_size=len(ids), max_size=len(ids))
    )
    names = [name for group in distinct(ids, sources) for name in group]
    assert len(names) == len(set(names))


@given(
    st.lists(st.lists(st.sampled_from(["a", "x/a", "y/a", "y/x/a", "x/a (2)"]), unique=True), min_size=1, max_size=3),
    st.data(),
)
def test_all_names_differ_whatever_they_look_like(ids, data):
    sources = data.draw(st.lists(st.sampled_from(["x", "y/x", "y"]), min_size=len(ids), max_size=len(ids)))
    names = [name for group in distinct(ids, sources) for name in group]
    assert len(names) == len(set(names))
