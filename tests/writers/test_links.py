"""A run's page links to the run in MLflow and TensorBoard where their addresses are known, whatever names hold."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from analyzer import Settings
from analyzer.auditing.provenance import making
from analyzer.errors import SettingsError
from analyzer.settings import load_settings
from analyzer.writers.links import links_of
from analyzer.writers.page import run_page
from tests import made
from tests.test_settings import KNOWN

SERVERS = (("mlflow", "http://host:5000/"), ("tensorboard", "http://host:6006"))


def test_a_run_is_linked_where_its_kind_of_log_is_served():
    one = made.overfitted()
    assert links_of(replace(one, source="mlflow", run="ab12"), SERVERS) == (
        ("open in MLflow", "http://host:5000/#/runs/ab12"),
    )
    ((word, address),) = links_of(replace(one, source="tensorboard", run="exp/lr=0.1&x #2"), SERVERS)
    assert word == "open in TensorBoard" and urlsplit(address).fragment == "timeseries"
    assert parse_qs(urlsplit(address).query) == {"runFilter": ["^exp/lr=0\\.1\\&x\\ \\#2(/|$)"]}
    assert links_of(replace(one, source="csv"), SERVERS) == () == links_of(one, ())


def test_the_server_that_a_run_is_read_from_is_known_and_its_password_is_not_shown():
    made_by = making("1", "http://ada:secret@host:5000?workspace=x", "ab12", Settings())
    page = run_page(replace(made.overfitted(), source="mlflow", run="ab12"), {}, made_by)
    assert "/#/runs/ab12" in page and "secret" not in page
    chosen = making("1", "http://host:5000", "ab12", Settings(links=(("mlflow", "https://ui"),)))
    assert chosen.links == (("mlflow", "https://ui"),)
    assert making("1", "logs", None, Settings()).links == ()


def test_addresses_come_from_a_settings_file_and_are_checked(tmp_path):
    file = tmp_path / "posthoc.toml"
    file.write_text('[links]\nmlflow = "http://host:5000"\n')
    assert load_settings(file, KNOWN, tmp_path).links == (("mlflow", "http://host:5000"),)
    file.write_text('[links]\nmlflow = "javascript:alert(1)"\n')
    with pytest.raises(SettingsError, match="an address is wanted"):
        load_settings(file, KNOWN, tmp_path)
