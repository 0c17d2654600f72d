"""Refuses names and words that only the authors of a codebase understand.

    python -m provisioning.local.plain_english            checks the files that git knows
    python -m provisioning.local.plain_english figures    prints the figures of names and words

The lists are in `plain_english.toml`. Names are read from the syntax trees of the Python files;
words from comments, docstrings, test names, the documents in English and the English texts of the
pages. Migrations are left out: they stay as they were released.
"""

import argparse
import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parents[2]
_RULES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_GOALS = _RULES["goals"]
_FUNCTIONS = frozenset(_RULES["names"]["functions"].split())
_LOCALS = frozenset(_RULES["names"]["locals"].split())
_ADVICE = _RULES["words"]
_BANNED = re.compile(rf"\b({'|'.join(sorted(_ADVICE, key=len, reverse=True))})\b", re.IGNORECASE)
_CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE_SPAN = re.compile(r"``[^`]*``|`[^`\n]*`")
_MARKDOWN_IN_ENGLISH = re.compile(r"(?<!\.ru)(?<!\.uz)(?<!\.uz_Latn)\.md$")
_COMMENT = re.compile(
    r"/\*(.*?)\*/|\{#(.*?)#\}|^\s*(?:#|//|;)\s?(.*?)$|(?<=\s)(?:#|//)\s(.*?)$", re.M | re.S
)
_OTHER_SOURCES = (".css", ".js", ".mjs", ".html", ".yml", ".sh", ".conf", ".cfg", ".toml", ".jinja")
_TEXTS = ROOT / "appliance" / "translations" / "ru" / "LC_MESSAGES" / "messages.po"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Finding:
    """A name or word that the lists refuse."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass
class Figures:
    """Counts of the Python files, without tests, and of the documents."""

    names: list[str] = field(default_factory=list)
    vague_functions: int = 0
    local_names: int = 0
    vague_locals: int = 0
    code_words: int = 0
    code_banned_words: int = 0
    document_words: int = 0
    document_banned_words: int = 0

    def add_function(self, name: str, local_names: set[str]) -> None:
        """Count a function by its name and the names of its parameters and variables."""
        bare_name = name.strip("_")
        self.names.append(bare_name)
        self.vague_functions += bare_name in _FUNCTIONS
        self.local_names += len(local_names)
        self.vague_locals += len(local_names & _LOCALS)

    def values(self) -> dict[str, float]:
        """The figures by the names of the goals."""
        count = len(self.names)
        return {
            "single_word_names_percent": 100 * sum("_" not in name for name in self.names) / count,
            "distinct_names_ratio": len(set(self.names)) / count,
            "mean_name_length": sum(map(len, self.names)) / count,
            "vague_functions": self.vague_functions,
            "vague_locals_percent": 100 * self.vague_locals / self.local_names,
            "words_per_thousand_in_code": 1000 * self.code_banned_words / self.code_words,
            "words_per_thousand_in_docs": 1000 * self.document_banned_words / self.document_words,
        }

    def missed_goals(self) -> Iterator[str]:
        """A line for each goal that is not reached."""
        for name, value in self.values().items():
            is_minimum = name in ("distinct_names_ratio", "mean_name_length")
            if value < _GOALS[name] if is_minimum else value > _GOALS[name]:
                yield f"{name}: {value:.2f}, goal {_GOALS[name]}"


def tracked_files(root: Path = ROOT) -> list[str]:
    """The paths of the files that git tracks, from the root, and that exist."""
    listing = subprocess.run(["git", "-C", root, "ls-files"], capture_output=True, check=True)
    return [path for path in listing.stdout.decode().splitlines() if (root / path).is_file()]


def local_names(scope: ast.AST) -> dict[str, int]:
    """The names of parameters and variables of a scope, each with its first line."""
    lines: dict[str, int] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            lines.setdefault(node.id, node.lineno)
        elif isinstance(node, ast.arg):
            lines.setdefault(node.arg, node.lineno)
    return lines


def banned_words(path: str, line: int, text: str) -> Iterator[Finding]:
    """Yield a finding for each refused word of a text; code spans are skipped."""
    text = _CODE_SPAN.sub("", text)
    for match in _BANNED.finditer(text):
        word = match[1].lower()
        if match[1] == "None" or text[match.start() - 1 : match.end() + 1].count('"') == 2:
            continue  # the value, or a quoted code
        yield Finding(path, line, f"“{match[1]}”: write {_ADVICE[word]}")


def _prose(source: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text


def _name_findings(path: str, function: Function) -> Iterator[Finding]:
    bare_name = function.name.strip("_")
    if bare_name in _FUNCTIONS:
        advice = "say what the function does or returns"
        yield Finding(path, function.lineno, f"function `{function.name}`: {advice}")
    if function.name.startswith("test_"):
        yield from banned_words(path, function.lineno, function.name.replace("_", " "))


def _local_findings(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Yield the vague names in functions, lambdas and comprehensions, not those of a module."""
    scopes = (n for n in ast.walk(tree) if isinstance(n, Function | ast.Lambda | ast.comprehension))
    uses = {(line, name) for scope in scopes for name, line in local_names(scope).items()}
    for line, name in sorted(uses):
        if name in _LOCALS:
            yield Finding(path, line, f"local `{name}`: name the value it holds")


def check_python(path: str, source: str, figures: Figures) -> Iterator[Finding]:
    """The findings of a Python file; its figures are added unless it is a test."""
    tree = ast.parse(source)
    is_counted = not path.startswith("tests/")
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield from _name_findings(path, node)
            if is_counted:
                figures.add_function(node.name, set(local_names(node)))
    yield from _local_findings(path, tree)
    for line, text in _prose(source, tree):
        findings = list(banned_words(path, line, text))
        if is_counted:
            figures.code_words += _word_count(text)
            figures.code_banned_words += len(findings)
        yield from findings


def check_document(path: str, text: str, figures: Figures) -> Iterator[Finding]:
    """The findings of a Markdown document, its code blocks left out."""
    without_code = _CODE_BLOCK.sub(lambda match: "\n" * match[0].count("\n"), text)
    figures.document_words += _word_count(without_code)
    for line, content in enumerate(without_code.splitlines(), 1):
        findings = list(banned_words(path, line, content))
        figures.document_banned_words += len(findings)
        yield from findings


def check_comments(path: str, text: str) -> Iterator[Finding]:
    """The findings in the comments of a file that is neither Python nor Markdown."""
    for match in _COMMENT.finditer(text):
        comment = next(filter(None, match.groups()), "")
        yield from banned_words(path, text.count("\n", 0, match.start()) + 1, comment)


def check_texts(path: Path = _TEXTS) -> Iterator[Finding]:
    """The findings in the English texts of the pages."""
    for entry in polib.pofile(str(path)):
        if entry.msgid != "none":  # a cell without an entry
            yield from banned_words(path.name, entry.linenum or 0, entry.msgid)


def check_all(figures: Figures) -> Iterator[Finding]:
    """The findings of all files that git tracks."""
    for path in tracked_files():
        if "/migrations/" in path or path.endswith("plain_english.toml"):
            continue
        suffix = Path(path).suffix
        if suffix == ".py":
            yield from check_python(path, (ROOT / path).read_text("utf-8"), figures)
        elif _MARKDOWN_IN_ENGLISH.search(path) and path != "CHANGELOG.md":
            yield from check_document(path, (ROOT / path).read_text("utf-8"), figures)
        elif suffix in _OTHER_SOURCES or path in ("run", ".ci/run"):
            yield from check_comments(path, (ROOT / path).read_text("utf-8"))
    yield from check_texts()


def _word_count(text: str) -> int:
    return len(re.findall(r"[A-Za-z']+", text))


def main() -> None:
    """Print the findings and the goals that are not reached; exit with 1 if there are any."""
    parser = argparse.ArgumentParser(prog="plain_english", description=__doc__)
    parser.add_argument("command", nargs="?", default="check", choices=["check", "figures"])
    command = parser.parse_args().command
    figures = Figures()
    findings = list(check_all(figures))
    if command == "figures":
        for name, value in figures.values().items():
            print(f"{name:32} {value:8.2f}   goal {_GOALS[name]}")
        return
    problems = [*map(str, findings), *figures.missed_goals()]
    print("\n".join(problems), end="\n" if problems else "")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
