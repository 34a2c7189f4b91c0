"""Outputs for other programs hold what the night holds, whatever the names, and what is new stands first."""

import csv
import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from analyzer.model.result import Night
from analyzer.writers.csv_file import write_spreadsheet
from analyzer.writers.json_file import line_of, write_document
from analyzer.writers.junit import write_junit
from analyzer.writers.markdown import write_markdown
from analyzer.writers.sarif import write_sarif
from tests import made


def stated(result, *states):
    findings = tuple(
        replace(f, state=state, first_seen="2026-01-01T00:00:00Z", last_seen="2026-01-02T00:00:00Z")
        for f, state in zip(result.findings, (*states, *["persisting"] * 9), strict=False)
    )
    return replace(result, findings=findings).without_curves()


RESOLVED = {"run": "exp7/<gone>", "symptom": "plateau", "fingerprint": "0" * 16,
            "first_seen": "2026-01-01T00:00:00Z", "last_seen": "2026-01-01T00:00:00Z"}  # fmt: skip
NIGHT = Night(
    "1.2",
    ("logs",),
    (stated(made.overfitted(), "new", "regressed"), stated(made.healthy()), stated(made.failed()),
     stated(made.hostile()), stated(made.unjudged())),
    (RESOLVED,),
)  # fmt: skip
FIRST = Night("1.2", ("logs",), (made.overfitted().without_curves(), made.healthy().without_curves()))


def written(write, night, *more):
    file = io.StringIO()
    write(night, *more, file)
    text = file.getvalue()
    text.encode("utf-8")
    return text


def test_junit_has_a_case_for_each_symptom_and_skips_what_was_not_checked():
    root = ElementTree.fromstring(written(write_junit, NIGHT))
    assert [suite.get("name") for suite in root][:3] == ["exp1/train_a", "exp2/good", "exp3/broken"]
    for suite in root:
        assert int(suite.get("tests")) == len(suite)
        for kind, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(kind)) == len(suite.findall(f"testcase/{element}"))
    good = {case.get("name"): case for case in root[1]}
    assert good["contradictory-metrics"].find("skipped").get("message") == "no metric was logged"
    assert len(good["overfitting"]) == 0
    sick = {case.get("name"): case for case in root[0]}
    assert sick["overfitting"].find("failure").get("type") == "error"
    assert root[2][0].find("error") is not None


def test_sarif_has_states_fingerprints_and_help():
    document = json.loads(written(lambda night, file: write_sarif(night, made.guides(), file), NIGHT))
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert document["version"] == "2.1.0" and all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    first = run["results"][0]
    assert (first["ruleId"], first["level"], first["baselineState"]) == ("overfitting", "error", "new")
    assert first["partialFingerprints"] == {"posthoc/v1": made.overfitted().findings[0].fingerprint}
    assert run["results"][-1]["baselineState"] == "absent"
    assert next(rule for rule in rules if rule["id"] == "overfitting")["help"]["markdown"].startswith("## Why")


def test_a_foreign_reader_of_junit_counts_what_we_count():
    junitparser = pytest.importorskip("junitparser")
    suites = list(junitparser.JUnitXml.fromstring(written(write_junit, NIGHT).encode()))
    assert [suite.name for suite in suites][:3] == ["exp1/train_a", "exp2/good", "exp3/broken"]
    failed = sum(isinstance(one, junitparser.Failure) for suite in suites for case in suite for one in case.result)
    assert failed == sum(suite.failures for suite in suites) > 0


def test_a_foreign_model_of_sarif_takes_the_night():
    sarif = pytest.importorskip("sarif_pydantic")
    text = written(lambda night, file: write_sarif(night, made.guides(), file), NIGHT)
    (run,) = sarif.Sarif.model_validate_json(text).runs
    told = [(one.rule_id, one.level.value, one.message.text != "") for one in run.results]
    assert (told[0], told[-1]) == (("overfitting", "error", True), ("plateau", "none", True))
    assert {rule.id for rule in run.tool.driver.rules} == {rule for rule, _, _ in told}


def test_markdown_tells_what_is_new_first_and_holds_no_foreign_markup():
    text = written(write_markdown, NIGHT)
    assert text.index("New since last time") < text.index("Resolved (1)") < text.index("Still there")
    assert "exp7/\\<gone\\>" in text and "<script" not in text and "@" not in text.replace("\\@", "")
    assert "### Findings" in written(write_markdown, FIRST)
    calm = replace(NIGHT, results=(stated(made.overfitted()),), resolved=())
    assert "Nothing is new since last time." in written(write_markdown, calm)


def test_markdown_stays_short_whatever_the_night():
    many = tuple(stated(made.overfitted("x" * 290 + str(i)), "new", "new") for i in range(300))
    text = written(write_markdown, replace(NIGHT, results=many, resolved=(RESOLVED,) * 500))
    assert len(text) < 15_000 and "more findings, all in the index" in text and "and 490 more" in text


def test_csv_has_a_line_a_finding_and_no_formula():
    formula = replace(made.overfitted(), run="=cmd()")
    rows = list(csv.DictReader(io.StringIO(written(write_spreadsheet, replace(NIGHT, results=(formula,))))))
    assert len(rows) == len(formula.findings) and rows[0]["run"] == "'=cmd()" and rows[0]["symptom"] == "overfitting"


def test_the_lines_are_the_document():
    lines = [line_of(result) for result in NIGHT.results]
    assert all(len(line.splitlines()) == 1 for line in lines)
    document = json.loads(written(write_document, NIGHT))
    assert [json.loads(line) for line in lines] == document["runs"]
    file = io.StringIO()
    write_document(NIGHT, file, lines)
    assert json.loads(file.getvalue()) == document


@pytest.mark.parametrize("night", [NIGHT, FIRST, Night("1", (), ())])
def test_the_document_is_as_its_schema_says(night):
    jsonschema = pytest.importorskip("jsonschema")
    from analyzer.schema import findings_schema

    validator = jsonschema.Draft202012Validator(findings_schema())
    validator.check_schema(validator.schema)
    document = json.loads(written(write_document, night))
    validator.validate(document)
    for run in document["runs"]:
        assert not set(run) - set(validator.schema["$defs"]["run"]["properties"]), "the schema lacks a key"
        for finding in run["findings"]:
            assert not set(finding) - set(validator.schema["$defs"]["finding"]["properties"])
