"""A CSV of nights: columns are distinguished, odd files are refused in a sentence, the verb says what Python says."""

import json

import numpy as np
import pytest

import analyzer
from analyzer.cli import main
from analyzer.model.formatting import iso

N = 60


def rows(size: float = 0.05) -> list[tuple[str, float, str]]:
    rng = np.random.default_rng(0)
    values = 0.9 + 0.005 * rng.normal(size=N) - size * (np.arange(N) >= 40)
    return [(iso(1.75e9 + 86_400 * i), round(float(v), 6), "6" if i < 20 else "8") for i, v in enumerate(values)]


def table(path, lines, head="time,test_accuracy,max_depth", sep=","):
    path.write_text("\n".join([head, *(sep.join(map(str, line)) for line in lines)]) + "\n", encoding="utf-8")
    return path


def said(capsys, *argv: str) -> tuple[int, str, str]:
    code = main(["history", *argv])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_the_verb_says_what_python_says(tmp_path, capsys):
    path = table(tmp_path / "nights.csv", rows())
    code, out, err = said(capsys, str(path), "--json", "-", "--replay", "--fail-on", "worse")
    given = list(zip(*rows(), strict=True))
    own = analyzer.history(
        given[0], {"test_accuracy": given[1]}, settings={"max_depth": given[2]}, replay=True
    ).to_dict()
    told = json.loads(out)
    assert code == 1
    assert "would have reported on" in err
    for kind in ("changes", "alarms"):
        assert [one | {"job": ""} for one in told[kind]] == own[kind]
        assert own[kind][0]["index"] == 40
    assert told["schema"] == "posthoc-history/1"


@pytest.mark.parametrize(("gate", "code"), [("never", 0), ("any", 1), ("worse", 0)])
def test_an_improvement_is_no_failure_but_any_change_may_be(tmp_path, capsys, gate, code):
    path = table(tmp_path / "nights.csv", rows(-0.05))
    assert said(capsys, str(path), "--fail-on", gate)[0] == code


def test_the_page_stands_alone(tmp_path, capsys):
    path = table(tmp_path / "nights.csv", rows())
    assert said(capsys, str(path), "-o", str(tmp_path / "page.html"), "-q") == (0, "", "")
    page = (tmp_path / "page.html").read_text()
    assert "test_accuracy is worse since night 2025-07-2" in page
    assert "style=" not in page
    assert "▾<title>max_depth 6 → 8</title>" in page


def test_odd_columns_are_settings_labels_or_gaps(tmp_path, capsys):
    lines = [(t, v if i % 9 else "", d, f"run {i}", i, "x,y") for i, (t, v, d) in enumerate(rows())]
    quoted = [(*line[:5], f'"{line[5]}"') for line in lines]
    path = table(tmp_path / "a.csv", quoted, "Date;test_accuracy;max depth;run_id;seed;note, free", ";")
    code, out, _ = said(capsys, str(path), "--json", "-", "-q")
    (change,) = json.loads(out)["changes"]
    assert code == 0
    assert change["run"].startswith("run ")
    assert change["nights"] == N - 7


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b'""\n', "it is empty"),
        (b"time,test_loss\n2025-01-01,\xff\xfe\n", "not UTF-8"),
        (b"when,test_loss\n1,2\n", "no column of times"),
        (b'"a\nb",test_loss\n1,2\n', "call one of a b, test_loss time"),
        (b"time,test_loss\n2025-01-01,1\n", "1 nights; a history needs at least 12"),
        (b"time,a,a\n1,2,3\n", "two columns are called 'a'"),
        (b"time,name\n" + b"2025-01-01,x\n" * 20, "no column of numbers"),
        (b"time,test_loss\n" + b"soon,1\n" * 20, "time 0 is 'soon'"),
    ],
)
def test_what_is_no_table_of_nights_is_said_in_a_sentence(tmp_path, capsys, content, sentence):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    code, out, err = said(capsys, str(path))
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.strip().splitlines()) == 1


def test_a_column_that_is_not_there_is_named(tmp_path, capsys):
    path = table(tmp_path / "nights.csv", rows())
    code, _, err = said(capsys, str(path), "--metric", "f1")
    assert code == 2
    assert "there is no column 'f1'" in err
