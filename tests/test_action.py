"""The GitHub Action: its steps' own commands run here as a runner runs them, with the variables that a runner sets."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION = ROOT / "action.yml"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None or not ACTION.is_file(), reason="needs bash")


@pytest.fixture(scope="module")
def action():
    return yaml.safe_load(ACTION.read_text("utf-8"))


@pytest.fixture
def runner(tmp_path):
    """Return a workspace with logs, and a function that runs one step there."""
    work, temp = tmp_path / "some repository", tmp_path / "temp"
    for folder in (work, temp):
        folder.mkdir()
    fall = 0.2 + 2.0 * np.exp(-np.arange(300) / 60)
    for name, values in (("good", fall), ("sick", np.where(np.arange(300) >= 200, np.nan, fall))):
        (work / "my runs" / name).mkdir(parents=True)
        rows = "\n".join(f"{i},{value}" for i, value in enumerate(values))
        (work / "my runs" / name / "metrics.csv").write_text(f"step,loss\n{rows}\n")

    def run(step, **variables):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PIP_INDEX_URL") if name in os.environ}
        files = {"GITHUB_STEP_SUMMARY": tmp_path / "summary.md", "GITHUB_OUTPUT": tmp_path / "output"}
        files["GITHUB_STEP_SUMMARY"].write_text("before\n")
        files["GITHUB_OUTPUT"].write_text("")
        script = tmp_path / "step.sh"
        script.write_text(step["run"])
        told = {"RUNNER_TEMP": temp, "GITHUB_ACTIONS": "true", "CI": "true", **files, **variables}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=work, env={**kept, **{k: str(v) for k, v in told.items()}}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done, files["GITHUB_STEP_SUMMARY"].read_text(), files["GITHUB_OUTPUT"].read_text()

    return work, temp, run


def step(action, name):
    return next(one for one in action["runs"]["steps"] if one.get("name") == name)


def installed(temp):
    """Put a posthoc where the action installs it: this checkout's."""
    folder = temp / "posthoc" / "bin"
    folder.mkdir(parents=True)
    for name, words in (("posthoc", "-m analyzer "), ("python", "")):
        (folder / name).write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" {words}"$@"\n')
        (folder / name).chmod(0o755)


def audit(action, runner, source="my runs\n", arguments="", output="posthoc-site"):
    _, temp, run = runner
    installed(temp)
    return run(step(action, "Audit"), POSTHOC_SOURCE=source, POSTHOC_ARGUMENTS=arguments, POSTHOC_OUTPUT=output)


def test_it_writes_the_site_and_the_summary_and_lets_the_gate_decide(action, runner):
    done, summary, output = audit(action, runner, arguments="--fail-on error")
    assert (done.returncode, output) == (1, "exit-code=1\n"), done.stderr
    assert summary.startswith("before\n**posthoc: ") and "non-finite" in summary
    assert (runner[0] / "posthoc-site" / "index.html").is_file()


def test_without_a_gate_it_passes(action, runner):
    done, summary, output = audit(action, runner, output="a site")
    assert (done.returncode, output) == (0, "exit-code=0\n"), done.stderr
    assert "non-finite" in summary and (runner[0] / "a site" / "index.html").is_file()


def test_arguments_are_words_as_in_a_shell_and_never_commands(action, runner):
    arguments = "--title 'my $(touch owned) title' --ignore non-finite"
    done, _, _ = audit(action, runner, arguments=arguments, source="my runs/good\n\nmy runs/sick; touch owned")
    assert done.returncode == 2 and not (runner[0] / "owned").exists()
    assert "my runs/sick; touch owned" in done.stderr
    assert "<h1>my $(touch owned) title</h1>" in (runner[0] / "posthoc-site" / "index.html").read_text("utf-8")


def test_what_cannot_be_judged_is_two_and_leaves_no_old_summary(action, runner):
    audit(action, runner)
    shutil.rmtree(runner[1] / "posthoc")
    done, summary, output = audit(action, runner, source="absent")
    assert (done.returncode, output, summary) == (2, "exit-code=2\n", "before\n")
    assert "does not exist" in done.stderr


def test_nothing_is_uploaded_and_inputs_reach_scripts_as_variables_only(action):
    uses = [one["uses"] for one in action["runs"]["steps"] if "uses" in one]
    assert [name.partition("@")[0] for name in uses] == ["actions/setup-python"]
    assert not any("${{" in one["run"] for one in action["runs"]["steps"] if "run" in one)
    given = {name for one in action["runs"]["steps"] for name in str(one.get("env", "")).split("inputs.")[1:]}
    assert {name.split(" ")[0] for name in given} <= set(action["inputs"])


@pytest.mark.integration
def test_it_installs_from_its_own_checkout(action, runner):
    _, temp, run = runner
    done, _, _ = run(step(action, "Install posthoc"), PYTHON=sys.executable, ACTION_PATH=ROOT)
    assert done.returncode == 0, done.stderr
    told = subprocess.run([temp / "posthoc/bin/posthoc", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("posthoc ")


def test_arguments_that_cannot_be_split_fail_the_job_and_say_so(action, runner):
    done, _, output = audit(action, runner, arguments='--fail-on error --title "Night')
    assert (done.returncode, output) == (2, "exit-code=2\n")
    assert "::error::posthoc: the input `arguments`" in done.stdout
