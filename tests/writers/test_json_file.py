"""findings.json is strict JSON whatever the run holds, and the same as the model's own document."""

import io
import json

from analyzer.model.result import Night
from analyzer.writers.json_file import write_document
from tests import made


def test_the_document_is_the_model_s_run_by_run():
    night = Night("1", ("logs",), (made.overfitted(), made.exploded()))
    file = io.StringIO()
    write_document(night, file)
    assert json.loads(file.getvalue(), parse_constant=lambda c: 1 / 0) == json.loads(json.dumps(night.to_dict()))


def test_an_empty_night_and_a_hostile_run_are_valid():
    for results in ((), (made.hostile(),)):
        file = io.StringIO()
        write_document(Night("1", (), results), file)
        assert len(json.loads(file.getvalue().encode("utf-8"))["runs"]) == len(results)
