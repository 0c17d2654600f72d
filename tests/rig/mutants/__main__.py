"""`./run mutants [PACKAGE…]`: the score of the tests, and the mutants that they do not notice.

Each mutant is a copy of the project with one change. The tests of the package run first, then all
those that need neither calls nor a browser. Exit status 1 when more mutants survive than the goal
allows.
"""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rig.mutants.mutating import Mutation, draw_mutations

ROOT = Path(__file__).resolve().parents[3]
GOAL_PERCENT = 95
DEFAULT_COUNT = 30
DEFAULT_SEED = 1
TEST_SECONDS = 900
# packages in whose rules a wrong change does most harm
PACKAGES = ("core", "people", "telephony", "casework", "messaging", "reports", "box", "pbx")
_LINKED_FOLDERS = (".venv", "node_modules", ".git")  # linked instead of copied
_FAST_TESTS = "not calls and not browser and not vm and not peers"


def main() -> None:
    """Draw mutants, run the tests on each, print the score and the survivors."""
    parser = argparse.ArgumentParser(prog="./run mutants")
    parser.add_argument("packages", nargs="*", default=PACKAGES, help="as box/retention")
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT, help="mutants of a package")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--quick", action="store_true", help="only the package's own tests")
    arguments = parser.parse_args()
    is_good = True
    for package in arguments.packages:
        folder = ROOT / "appliance" / package
        if not folder.exists():
            parser.error(f"no such package: {package}")
        files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]
        mutants = draw_mutations(files, arguments.count, arguments.seed)
        is_good &= _test_mutants(package, mutants, arguments.quick)
    sys.exit(0 if is_good else 1)


def _test_mutants(package: str, mutants: list[Mutation], quick: bool) -> bool:
    """Run the tests on the mutants of a package; returns True if enough of them are noticed."""
    trees = _ProjectCopies()
    _check_baseline(trees, {mutant.file for mutant in mutants})
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        noticed = list(pool.map(lambda mutant: _is_noticed(trees, mutant, quick), mutants))
    trees.remove_copies()
    score = 100 * sum(noticed) / max(1, len(noticed))
    print(f"{package}: {sum(noticed)} of {len(noticed)} noticed, {score:.0f} %", flush=True)
    for mutant, is_noticed in zip(mutants, noticed, strict=True):
        if not is_noticed:
            name = mutant.file.relative_to(ROOT)
            print(f"  {name}:{mutant.line}: {mutant.what}", flush=True)
    return score >= GOAL_PERCENT


def _check_baseline(trees: "_ProjectCopies", files: set[Path]) -> None:
    """Exit when a test fails without a mutant: it would notice every mutant."""
    with trees.borrow_copy() as tree:
        tests = sorted({test for file in files for test in _tests_of_module(tree, file)})
        if tests and _tests_fail(tree, tests):
            trees.remove_copies()
            sys.exit(f"mutants: the tests fail as they are: {' '.join(tests)}")


def _is_noticed(trees: "_ProjectCopies", mutant: Mutation, quick: bool) -> bool:
    with trees.borrow_copy() as tree:
        file = tree / mutant.file.relative_to(ROOT)
        original = file.read_text("utf-8")
        file.write_text(mutant.text, "utf-8")
        try:
            tests = _tests_of_module(tree, mutant.file)
            return (bool(tests) and _tests_fail(tree, tests)) or (
                not quick and _tests_fail(tree, ["tests"])
            )
        finally:
            file.write_text(original, "utf-8")


def _tests_of_module(tree: Path, file: Path) -> list[str]:
    """The tests that mention the module or import its package, sorted by path."""
    parts = file.relative_to(ROOT / "appliance").with_suffix("").parts
    names = {".".join(("appliance", *parts[:depth])) for depth in range(2, len(parts) + 1)}
    folder = tree / "tests" / parts[0]
    candidates = sorted(folder.rglob("test_*.py")) if folder.is_dir() else []
    last = parts[-1]
    tests = [
        test
        for test in candidates
        if last in (text := test.read_text("utf-8")) or _imports_any(text, names)
    ]
    return [str(test.relative_to(tree)) for test in tests]


def _imports_any(text: str, names: set[str]) -> bool:
    return any(f"from {name} import" in text or f"import {name}" in text for name in names)


def _tests_fail(tree: Path, tests: list[str]) -> bool:
    """Returns True if a test fails, or the tests do not end."""
    command = [
        str(ROOT / ".venv/bin/python"),
        "-m",
        "pytest",
        "-q",
        "-x",
        "-n",
        "0",
        "-m",
        _FAST_TESTS,
    ]
    command += ["-p", "no:cacheprovider", *tests]
    try:
        process = subprocess.run(
            command,
            cwd=tree,
            capture_output=True,
            timeout=TEST_SECONDS,
            env=_test_environment(tree),
        )
    except subprocess.TimeoutExpired:
        return True
    return process.returncode not in (0, 5)


def _test_environment(tree: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}


class _ProjectCopies:
    """Copies of the project, one for each mutant that is tested at the same time."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        self._free: list[Path] = []
        self._count = 0
        self._lock = threading.Lock()

    @contextmanager
    def borrow_copy(self) -> Iterator[Path]:
        """A copy that nothing else changes."""
        with self._lock:
            tree = self._free.pop() if self._free else self._make_copy()
        try:
            yield tree
        finally:
            with self._lock:
                self._free.append(tree)

    def _make_copy(self) -> Path:
        self._count += 1
        tree = self._folder / str(self._count)
        ignored = shutil.ignore_patterns(
            *_LINKED_FOLDERS, "__pycache__", ".*_cache", ".site*", "dist"
        )
        shutil.copytree(ROOT, tree, ignore=ignored, symlinks=True)
        for name in _LINKED_FOLDERS:
            if (ROOT / name).exists():
                (tree / name).symlink_to(ROOT / name)
        return tree

    def remove_copies(self) -> None:
        """Remove the copies."""
        shutil.rmtree(self._folder, ignore_errors=True)


if __name__ == "__main__":
    main()
