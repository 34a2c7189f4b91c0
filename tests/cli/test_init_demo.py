"""How to begin: settings that load, and an audit of logs that come along."""

import json
import re
import tomllib

import pytest

from analyzer import api
from analyzer.cli import main
from analyzer.settings import KEYS, Settings, load_settings
from analyzer.settings.starter import TEXT


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_init_writes_settings_that_change_nothing_and_never_overwrites(tmp_path, capsys):
    assert main(["init"]) == 0
    assert load_settings(None, api.vocabulary(), tmp_path) == Settings()
    (tmp_path / "posthoc.toml").write_text('fail-on = "info"\n')
    assert main(["init"]) == 2 and "never overwritten" in capsys.readouterr().err
    assert (tmp_path / "posthoc.toml").read_text() == 'fail-on = "info"\n'


def test_its_defaults_are_the_defaults_and_its_examples_are_valid(tmp_path):
    (tmp_path / "posthoc.toml").write_text(re.sub(r"(?m)^# (?=[a-z-]+ = )", "", TEXT))
    assert load_settings(None, api.vocabulary(), tmp_path) == Settings()
    examples = re.sub(r"(?m)^#= ", "", TEXT)
    (tmp_path / "posthoc.toml").write_text(examples)
    assert load_settings(None, api.vocabulary(), tmp_path).fail_on == "warning"
    shown = set(tomllib.loads(examples)) | set(tomllib.loads(re.sub(r"(?m)^# (?=[a-z-]+ = )", "", TEXT)))
    assert shown == set(KEYS)


def test_init_says_that_it_overrules_the_project(tmp_path, capsys):
    (tmp_path / "pyproject.toml").write_text('[tool.posthoc]\nfail-on = "info"\n')
    assert main(["init"]) == 0 and "takes precedence" in capsys.readouterr().err
    assert main(["init", "other.toml"]) == 0 and "--config other.toml" in capsys.readouterr().err


def test_demo_finds_the_eight_faults_of_the_examples_and_says_where(tmp_path, capsys):
    assert main(["demo"]) == 0
    assert f"Index: {(tmp_path / 'posthoc-demo' / 'index.html').as_uri()}" in capsys.readouterr().out
    runs = json.loads((tmp_path / "posthoc-demo" / "findings.json").read_text("utf-8"))["runs"]
    verdicts = [run["verdict"] for run in runs]
    assert (verdicts.count("problems"), verdicts.count("healthy")) == (8, 2)
