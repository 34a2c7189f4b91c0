"""The wheel and the sdist carry everything that a report needs, and only under `analyzer/`."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    environment.pop("PYTHONPATH", None)
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "build", "--no-isolation", "-o", str(out), str(ROOT), cwd=out)
    assert done.returncode == 0, done.stderr + done.stdout
    return out


def writes_a_report(package: Path, where: Path) -> None:
    store = where / "mlruns" / "1" / ("a" * 32)
    for folder in ("metrics", "params", "tags"):
        (store / folder).mkdir(parents=True)
    lines = [f"{i} {v} {i}\n" for i, v in enumerate(2 / (1 + np.arange(60) / 5))]
    (store / "metrics" / "train_loss").write_text("".join(lines))
    done = run(sys.executable, "-m", "analyzer", "report", "mlruns", "-o", "page.html", cwd=where, path=package)
    assert done.returncode == 0, done.stderr
    assert "<svg" in (where / "page.html").read_text()


def test_the_wheel_works_from_any_place_and_has_no_other_top_level(built, tmp_path):
    (wheel,) = built.glob("posthoc-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    assert {n.split("/")[0] for n in names if ".dist-info" not in n} == {"analyzer", "posthoc.py"}
    assert "analyzer/templates/run.html" in names
    assert "analyzer/py.typed" in names
    logs = {
        str(p.relative_to(ROOT / "examples" / "logs")) for p in (ROOT / "examples" / "logs").rglob("*") if p.is_file()
    }
    assert {n.removeprefix("analyzer/examples/") for n in names if n.startswith("analyzer/examples/")} == logs
    writes_a_report(tmp_path / "site", tmp_path)
    done = run(sys.executable, "-m", "posthoc", "--version", cwd=tmp_path, path=tmp_path / "site")
    assert done.stdout.startswith("posthoc ") and done.returncode == 0, done.stderr


def test_the_sdist_builds_the_same_wheel(built, tmp_path):
    (sdist,) = built.glob("posthoc-*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = [p for p in tmp_path.iterdir() if p.is_dir()]
    done = run(
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "-o",
        str(tmp_path / "again"),
        str(source),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    (first,), (again,) = built.glob("*.whl"), (tmp_path / "again").glob("*.whl")
    assert sorted(zipfile.ZipFile(first).namelist()) == sorted(zipfile.ZipFile(again).namelist())


def test_the_checkout_itself_works(tmp_path):
    writes_a_report(ROOT, tmp_path)
