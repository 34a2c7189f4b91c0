"""What users import: every public name is there, typed, completed, and costs nothing until it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import analyzer
import posthoc
from analyzer import SeveralRunsError, analyze, plugin, testing
from analyzer.plugin import Case, Detector, Evidence, Measure, Unfit

ROOT = Path(__file__).parent.parent


def test_every_public_name_is_there_and_completed():
    for name in analyzer.__all__:
        assert getattr(analyzer, name) is getattr(posthoc, name)
        assert name in dir(analyzer) and name in dir(posthoc)
    assert analyzer.Night is analyzer.AuditResult
    for module in (plugin, testing):
        assert all(hasattr(module, name) for name in module.__all__)


def test_type_checkers_see_the_same_names_from_the_same_modules():
    tree = ast.parse((ROOT / "analyzer" / "__init__.py").read_text("utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If))
    typed = {n.module: {a.name for a in n.names} for n in block.body if isinstance(n, ast.ImportFrom)}
    typed.pop("typing")
    assert typed == {f"analyzer.{home}": set(names) for home, names in analyzer._HOMES.items()}
    assert sorted(name for names in typed.values() for name in names) == sorted(analyzer.__all__)


@pytest.mark.parametrize("package", ["analyzer", "posthoc"])
def test_importing_either_name_loads_nothing_heavy(package):
    code = (
        f"import sys, {package}; dir({package}); print([m for m in ('numpy', 'scipy', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_not_there_is_an_attribute_error_under_either_name():
    for module in (analyzer, posthoc):
        with pytest.raises(AttributeError, match=f"'{module.__name__}' has no attribute 'absent'"):
            module.absent  # noqa: B018


def csv(folder, name="metrics.csv"):
    folder.mkdir(parents=True)
    rows = [f"{i},{v}" for i, v in enumerate(testing.falling(60))]
    (folder / name).write_text("step,loss\n" + "\n".join(rows) + "\n")


def test_analyze_takes_a_path_as_well_as_a_run(tmp_path):
    csv(tmp_path / "a")
    (run,) = analyzer.open_runs(tmp_path / "a")
    for source in (tmp_path / "a", str(tmp_path / "a")):
        assert analyze(source, now=2e9).to_dict() == analyze(run, now=2e9).to_dict()


def test_analyze_names_the_runs_of_a_source_with_several(tmp_path):
    csv(tmp_path / "logs" / "a")
    csv(tmp_path / "logs" / "b")
    with pytest.raises(SeveralRunsError) as caught:
        analyze(tmp_path / "logs")
    assert len(caught.value.runs) == 2


PAGE = """A made symptom.

Why it matters
--------------
Because.

How it is measured
------------------
The last value is compared.

When it is wrong
----------------
Never.

What to do
----------
Nothing.

References
----------
None.
"""


def ends_high(features):
    for curve in features.training:
        yield Evidence(
            curve.tags, (Measure("last value", float(curve.values[-1]), "last"),), "warning", "It ends high."
        )
    if not features.training:
        yield Unfit("no training loss")


def at(level, tag="loss"):
    return lambda: plugin.made_run({tag: np.full(50, level)})


def toy(**changed):
    from dataclasses import dataclass, field

    @dataclass(frozen=True)
    class Limits:
        last: float = field(default=1.0, metadata={"why": "largest harmless last value"})

    def run(level):
        return lambda: plugin.made_run({"train/loss": testing.falling(100, floor=level)})

    cases = (Case("high", "fires", run(2.0)), Case("low", "quiet", run(0.1)), Case("close", "almost", run(0.7)))
    given = {"symptom": "ends-high", "page": PAGE, "measure": ends_high, "limits": Limits(), "cases": cases}
    return Detector(**given | changed)


def test_a_detector_that_keeps_its_promises_passes():
    testing.check_detector(toy())


def test_every_detector_of_posthoc_passes_the_check_for_authors():
    from analyzer import detectors

    for detector in detectors.known().values():
        testing.check_detector(detector)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"symptom": "Ends_High"}, "kebab-case"),
        ({"page": "A title only."}, "page or its limits are incomplete"),
        ({"cases": ()}, "no case of kind 'fires'"),
        (
            {"cases": (Case("low", "fires", at(0.1)),)},
            "must fire and does not",
        ),
        (
            {"cases": (Case("high", "almost", at(5.0)),)},
            "must raise no alarm",
        ),
        ({"cases": (Case("none", "quiet", at(1.0, "x")),)}, "no training loss"),
    ],
)
def test_a_broken_promise_is_named(changed, said):
    with pytest.raises(AssertionError, match=said):
        testing.check_detector(toy(**changed))
