"""An advice comes with the line of code of the framework that wrote the log, and with none where none is known."""

import ast
from dataclasses import replace

import pytest

from analyzer.writers.code_lines import LINES, code_line, framework_of
from tests import made
from tests.writers.test_page import page


@pytest.mark.parametrize(
    ("advice", "framework", "line"),
    [
        ("Clip the gradient norm.", "pytorch", "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)"),
        ("Clip the gradient norm at 1.25, three times usual.", "lightning", "Trainer(gradient_clip_val=1.25)"),
        ("Clip the gradient norm at 3.", "transformers", "TrainingArguments(max_grad_norm=3)"),
        ("Clip gradients at a norm of about 2.", "pytorch", "torch.nn.utils.clip_grad_norm_(model.parameters(), 2)"),
        ("Lower the learning rate.", "pytorch", ""),
        ("Stop when the validation loss rises.", "pytorch", ""),
    ],
)
def test_the_line_fits_advice_and_framework(advice, framework, line):
    assert code_line(advice, framework).startswith(line) and bool(code_line(advice, framework)) == bool(line)


def test_every_line_is_python():
    for _, lines in LINES:
        for line in lines.values():
            code = line.format(clip="1.0")
            ast.parse(code + " pass" if code.endswith(":") else code)


def test_the_framework_is_that_of_the_log():
    one = made.overfitted()
    assert framework_of(replace(one, source="trainer-state", series=())) == "transformers"
    assert framework_of(replace(one, source="csv", series=())) == "pytorch"
    assert framework_of(replace(one, source="tensorboard", series=(made.row("train/epoch_loss", [1, 2]),))) == "keras"


def test_the_page_shows_it():
    result = made.exploded()
    findings = tuple(replace(f, advice=("Clip the gradient norm.", "Look at the data.")) for f in result.findings)
    text = page(replace(result, findings=findings))
    assert "<code>torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)" in text
