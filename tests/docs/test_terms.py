"""The table of the terms of reference names every clause once, and only tests that exist."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "terms.md").read_text("utf-8")
CLAUSES = 56
ROWS = [
    re.split(r"(?<!\\) \| ", line.strip("| \n"))
    for line in re.findall(r"^\| (?:[FR]?\d.*) \|$", PAGE, re.MULTILINE)
]
REFERENCE = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_every_clause_has_one_row() -> None:
    assert len(ROWS) == len({row[0] for row in ROWS}) == CLAUSES
    assert all(len(row) == 5 and all(row) for row in ROWS)


def test_the_named_tests_exist() -> None:
    references = REFERENCE.findall(PAGE)
    missing = [
        f"{file}::{name}" for file, name in references if name not in _function_names(TESTS / file)
    ]
    assert references
    assert missing == []


def test_only_clauses_outside_the_software_name_no_test() -> None:
    for clause, _, where, tests, state in ROWS:
        is_outside = state == "outside the software"
        assert (where == "–") == (tests == "–") == is_outside, clause
        assert is_outside or REFERENCE.findall(tests), clause
        assert is_outside or state == "whole" or state.startswith("partly: "), clause


def _function_names(file: Path) -> set[str]:
    """Return the names of a module's functions; an empty set if the file does not exist."""
    if not file.exists():
        return set()
    nodes = ast.walk(ast.parse(file.read_text("utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
