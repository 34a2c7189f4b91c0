"""Every number that decides something has a name and a reason, and therefore a row in docs/sensitivity.md.

A float literal of the judging code other than 0, ±1, 2 and ½, and a whole number above 2 that something is compared
with, must be the value of a field of Limits or Params or of an explained constant of its module. The numbers that were
hidden before the rule are listed in data/hidden_numbers.txt (file:function:literal, as often as it occurs), a list that
may only shrink: `python tests/test_numbers.py` rewrites it after numbers were named.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LISTED = Path(__file__).parent / "data" / "hidden_numbers.txt"
PACKAGES = ("detectors", "features", "diagnosis", "stats", "comparing", "histories")
FREE_FLOATS = {0.0, 1.0, 2.0, 0.5, -1.0}
FREE_INTEGER = 2
HOLDERS = {"Limits", "Params"}


def hidden(source: str) -> Iterator[tuple[str, str]]:
    """Yield (function, literal) of every hidden number of a module."""
    tree = ast.parse(source)
    yield from _walk(tree, "-", _named(tree, source.splitlines()), compared=False)


def _named(tree: ast.Module, lines: list[str]) -> set[ast.AST]:
    """Return the statements that name a number: fields of Limits and Params, and explained constants."""
    found: set[ast.AST] = set()
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef) and node.name in HOLDERS:
            found.update(one for one in node.body if isinstance(one, ast.AnnAssign))
        elif _builds_cases(node):
            found.add(node)  # the runs that a detector carries as its cases are data
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.end_lineno:
            commented = any("  # " in line for line in lines[node.lineno - 1 : node.end_lineno])
            if commented or _is_docstring(after):
                found.add(node)
    return found


def _is_docstring(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _builds_cases(node: ast.stmt) -> bool:
    """Whether a statement makes the detector with its cases."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == "DETECTOR" for target in targets)


def _case_makers(tree: ast.Module) -> set[str]:
    """Return the functions that only DETECTOR's cases call, directly or through each other."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    uses = {name: _names(node) & set(functions) for name, node in functions.items()}
    roots = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    cases = set().union(*(_names(node) for node in roots if _builds_cases(node))) & set(functions)
    elsewhere = set().union(*(_names(node) for node in roots if not _builds_cases(node))) & set(functions)
    makers = {name for name in cases if name.startswith("_")} - elsewhere
    grown = True
    while grown:
        callers = {name: {f for f in uses if name in uses[f]} for name in set(functions) - makers - elsewhere}
        more = {name for name, by in callers.items() if by and by <= makers}
        makers, grown = makers | more, bool(more)
    return makers


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _walk(node: ast.AST, function: str, named: set[ast.AST], *, compared: bool) -> Iterator[tuple[str, str]]:
    makers = _case_makers(node) if isinstance(node, ast.Module) else set()
    for child in ast.iter_child_nodes(node):
        if child in named or (isinstance(child, ast.FunctionDef) and child.name in makers):
            continue
        if isinstance(child, ast.UnaryOp) and isinstance(child.op, ast.USub) and _is_literal(child.operand):
            literal = -child.operand.value
        elif _is_literal(child):
            literal = child.value
        else:
            inside = child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) else function
            yield from _walk(child, inside, named, compared=compared or isinstance(child, ast.Compare))
            continue
        if _is_hidden(literal, compared=compared):
            yield function, repr(literal)


def _is_hidden(literal: float, *, compared: bool) -> bool:
    if isinstance(literal, float):
        return literal not in FREE_FLOATS
    return compared and abs(literal) > FREE_INTEGER


def _is_literal(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float | int) and not isinstance(node.value, bool)


def found() -> Counter[str]:
    """Return how often each hidden number occurs in the project, by file:function:literal."""
    every: Counter[str] = Counter()
    for package in PACKAGES:
        for path in sorted((ROOT / "analyzer" / package).glob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            every.update(f"{where}:{function}:{literal}" for function, literal in hidden(path.read_text()))
    return every


def listed() -> Counter[str]:
    """Return the hidden numbers that are allowed."""
    return Counter(LISTED.read_text().split())


def test_no_number_is_hidden_that_was_not():
    new = found() - listed()
    assert not new, f"give these numbers a name, a unit and a reason (Params): {sorted(new)}"


def test_the_list_shrinks_with_the_numbers():
    gone = listed() - found()
    print(f"{found().total()} hidden numbers")
    assert not gone, f"run `python tests/test_numbers.py` to drop these from the list: {sorted(gone)}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x):\n    return x > 0.37", [("f", "0.37")]),
        ("def f(x):\n    return 0.37 * x", [("f", "0.37")]),
        ("def f(x):\n    return x >= 7", [("f", "7")]),
        ("def f(x):\n    return x.size < max(7, x.n // 3)", [("f", "7"), ("f", "3")]),
        ("def f(x):\n    return x[7] * -0.25", [("f", "-0.25")]),
        ("def f(x):\n    return x > 0.5 and x < 2 and x != -1.0", []),
        ("SHARE = 0.37", [("-", "0.37")]),
        ("SHARE = 0.37  # of the run: why", []),
        ("SHARE = 0.37\n'''Of the run: why.'''", []),
        ("class Params:\n    share: float = field(default=0.37)", []),
        ("class Other:\n    share: float = 0.37", [("Other", "0.37")]),
        ("def _made(n):\n    return 0.3 * n\nDETECTOR = Detector(Case(lambda: _made(0.7)))", []),
        (
            "def _made(n):\n    return 0.3 * n\ndef f():\n    return _made(1)\nDETECTOR = Detector(f)",
            [("_made", "0.3")],
        ),
    ],
)
def test_a_hidden_number_is_seen(source, expected):
    assert list(hidden(source)) == expected


if __name__ == "__main__":
    LISTED.write_text("\n".join(sorted(found().elements())) + "\n")
    print(f"{found().total()} hidden numbers")
