"""Which tests the build machine may repeat, and which not."""

import ast
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

FLAKY_TESTS = """
import pathlib
import pytest

@pytest.mark.{mark}
def test_fails_once():
    seen = pathlib.Path("seen-{mark}")
    first = not seen.exists()
    seen.touch()
    assert not first

@pytest.mark.{mark}
def test_fails_always():
    assert False
"""
COPIED_HOOKS = (
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "_slowest_folder_rank",
    "pytest_terminal_summary",
)
TEST_MARKS = ("calls", "browser", "vm", "pure")


@pytest.fixture
def folder(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with tests of each mark and our own hooks."""
    hooks = (Path(__file__).parents[1] / "conftest.py").read_text()
    parts = [
        ast.get_source_segment(hooks, node) or ""
        for node in ast.parse(hooks).body
        if (isinstance(node, ast.FunctionDef) and node.name in COPIED_HOOKS)
        or (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0])
            in ("REAL_TIME_MARKS", "SLOWEST_FOLDERS", "FOLDER_TIMEOUT_SECONDS")
        )
    ]
    pytester.makeconftest("\n".join(["import pytest", "Any = object", *parts]))
    pytester.makepyfile(**{f"test_{mark}": FLAKY_TESTS.format(mark=mark) for mark in TEST_MARKS})
    pytester.makeini("[pytest]\nmarkers =\n    " + "\n    ".join(TEST_MARKS))
    return pytester


def test_only_tests_that_need_real_time_are_repeated(folder: pytest.Pytester) -> None:
    result = folder.runpytest_subprocess("--once-more", "-p", "no:xdist")
    result.assert_outcomes(passed=3, failed=5)
    result.stdout.fnmatch_lines(["flaky: 3: *"])


def test_no_test_is_repeated_without_the_option(folder: pytest.Pytester) -> None:
    folder.runpytest_subprocess("-p", "no:xdist").assert_outcomes(failed=8)
