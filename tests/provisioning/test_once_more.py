"""What the build machine may run once more, and what it may not."""

import ast
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

FLAKY = """
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
HOOKS = ("pytest_addoption", "pytest_collection_modifyitems", "_turn", "pytest_terminal_summary")
MARKS = ("calls", "browser", "vm", "pure")


@pytest.fixture
def folder(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with tests of each mark and the hooks of ours."""
    hooks = (Path(__file__).parents[1] / "conftest.py").read_text()
    parts = [
        ast.get_source_segment(hooks, node) or ""
        for node in ast.parse(hooks).body
        if (isinstance(node, ast.FunctionDef) and node.name in HOOKS)
        or (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) in ("REAL", "LONGEST", "PATIENCE")
        )
    ]
    pytester.makeconftest("\n".join(["import pytest", "Any = object", *parts]))
    pytester.makepyfile(**{f"test_{mark}": FLAKY.format(mark=mark) for mark in MARKS})
    pytester.makeini("[pytest]\nmarkers =\n    " + "\n    ".join(MARKS))
    return pytester


def test_only_what_needs_real_time_is_run_once_more(folder: pytest.Pytester) -> None:
    done = folder.runpytest_subprocess("--once-more", "-p", "no:xdist")
    done.assert_outcomes(passed=3, failed=5)
    done.stdout.fnmatch_lines(["flaky: 3: *"])


def test_by_hand_nothing_is(folder: pytest.Pytester) -> None:
    folder.runpytest_subprocess("-p", "no:xdist").assert_outcomes(failed=8)
