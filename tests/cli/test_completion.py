"""Completion offers what the parsers know: bash runs its script here; other shells parse theirs where installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer import api
from analyzer.cli import main
from analyzer.cli.overview import SHELLS, VERBS

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    from analyzer.cli import completion

    file = tmp_path_factory.mktemp("completion") / "posthoc.bash"
    file.write_text(completion.script("bash", api.guides()))
    return file


def offered(script, *words, folder=None):
    """Return what bash offers for the last of the words, as readline hands them over."""
    code = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _posthoc; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", code, "-", str(script), "posthoc", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


@bash
def test_verbs_options_and_choices_are_completed(script):
    assert offered(script, "re") == ["report"]
    assert set(VERBS) <= set(offered(script, ""))
    assert offered(script, "report", "logs", "--fail") == ["--fail-on"]
    assert offered(script, "report", "--fail-on", "") == ["error", "warning", "info", "never"]
    assert offered(script, "report", "--fail-on", "=", "w") == ["warning"]
    assert offered(script, "compare", "--better", "h") == ["higher"]
    assert offered(script, "completion", "") == list(SHELLS)
    assert offered(script, "help", "exp") == ["explain"]


@bash
def test_symptoms_are_completed_also_behind_a_comma(script):
    assert offered(script, "explain", "exploding") == ["exploding-loss"]
    assert offered(script, "audit", "logs", "--select", "overfitting,expl") == ["overfitting,exploding-loss"]
    assert set(offered(script, "explain", "")) == set(api.guides())


@bash
def test_files_are_completed_where_files_are_wanted_and_names_may_hold_anything(script, tmp_path):
    for name in ("a run", "b*", "$(touch owned)"):
        (tmp_path / name).mkdir()
    assert offered(script, "report", "a", folder=tmp_path) == ["a run"]
    assert set(offered(script, "audit", "", folder=tmp_path)) == {"a run", "b*", "$(touch owned)"}
    assert offered(script, "report", "x", "--run", "", folder=tmp_path) == [""]
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_every_script_is_one_that_its_shell_can_parse_and_has_every_verb_and_option(shell, tmp_path, capsys):
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    for word in (*VERBS, "suppress-existing", "fail-on-regression", "overfitting"):
        assert word in text
    if shutil.which(shell):
        (tmp_path / "script").write_text(text)
        subprocess.run([shell, "-n", str(Path(tmp_path / "script"))], check=True)


def test_another_shell_is_refused(capsys):
    assert main(["completion", "tcsh"]) == 2
    assert "tcsh" in capsys.readouterr().err
