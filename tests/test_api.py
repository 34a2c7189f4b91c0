"""The four functions of the package do what the command does, and stay functions."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorboardX import SummaryWriter

import analyzer
from analyzer.errors import SeveralRunsError, UsageError
from analyzer.settings import RoleSetting, Settings


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    root = tmp_path_factory.mktemp("logs")
    for name in ("a", "b"):
        with SummaryWriter(str(root / name)) as writer:
            for i in range(200):
                writer.add_scalar("train/loss", float(np.exp(-i / 50)), i)
    return root


def test_the_functions_of_the_contract(logs, tmp_path):
    runs = list(analyzer.open_runs(logs))
    assert [run.id for run in runs] == ["a", "b"] and runs[0].series["train/loss"].steps.size == 200
    result = analyzer.analyze(runs[0])
    assert (result.to_dict()["run"] == "a" and "<table" in result._repr_html_()) or result.findings == ()
    assert analyzer.report(logs / "a", tmp_path / "a.html").run == "a"
    assert (tmp_path / "a.html").is_file()
    night = analyzer.audit([logs], tmp_path / "site")
    assert len(night.results) == 2 and (tmp_path / "site" / "index.html").is_file()
    assert analyzer.audit(logs, tmp_path / "site").counts == night.counts


def test_several_runs_and_none_are_told_apart(logs, tmp_path):
    with pytest.raises(SeveralRunsError) as error:
        analyzer.report(logs, tmp_path / "x.html")
    assert error.value.runs == ("a", "b")
    with pytest.raises(UsageError, match="holds no run 'c'"):
        analyzer.report(logs, tmp_path / "x.html", run="c")
    assert not (tmp_path / "x.html").exists()


def test_the_page_says_how_to_make_it_again(logs, tmp_path):
    settings = Settings(ignore=frozenset({"plateau"}), roles={"x y": RoleSetting("loss", None, "lower")})
    analyzer.report(logs, tmp_path / "x.html", run="b", settings=settings)
    page = (tmp_path / "x.html").read_text("utf-8")
    assert "--run b --ignore plateau --role &#39;x y=loss::lower&#39;" in page


def test_functions_stay_functions_after_every_module_is_imported():
    for module in pkgutil.walk_packages(analyzer.__path__, "analyzer."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("report", "audit", "analyze", "open_runs"):
        assert callable(getattr(analyzer, name))
        assert (
            not (Path(analyzer.__path__[0]) / f"{name}.py").exists()
            and not (Path(analyzer.__path__[0]) / name).exists()
        )


def test_importing_the_package_is_light():
    code = "import sys, analyzer; sys.exit('numpy' in sys.modules or 'jinja2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=True)


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="absent"):
        _ = analyzer.absent
