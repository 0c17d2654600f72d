"""The words of words.toml in a language."""

import functools
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import keys
from .problems import Problem

KEYS = ("repository", "recovery", "disk")  # of the recovery sheet
LANGUAGES = ("uz", "ru")  # of the questions; the playbooks also report in English


@functools.cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def say(language: str, what: str, **values: Any) -> str:
    """A sentence of [say]."""
    return _words()["say"][what][language].format(**values)


def question(language: str, name: str) -> str:
    """What is asked for a key or a part of it."""
    return _words()["question"][name][language]


def sentence(problem: Problem, language: str = "en") -> str:
    """A problem as one sentence."""
    values = {"near": "", **problem.values, "key": problem.key}
    if "wanted" in values:
        values["wanted"] = _words()["wanted"][values["wanted"]][language]
    return _words()["problem"][problem.code][language].format(**values)


def key_fault(kind: str, groups: Sequence[int], language: str = "en") -> str:
    """That a key was mistyped, and which of its groups. `kind`: one of KEYS."""
    words = _words()["mistyped"]
    which = ", ".join(map(str, groups))
    name = words[kind][language]
    return words["groups" if groups else "length"][language].format(name=name, which=which)


def table() -> str:
    """Every key and what it must be, as the table of provisioning/ansible/README.md."""
    rows = ["| key | must be |", "|---|---|"]
    for key in keys.KEYS:
        wanted = _words()["wanted"][key.wanted or key.name]["en"].replace("|", "\\|")
        text = f"a list of: {wanted}" if key.is_list and key.pattern else wanted
        rows.append(f"| `{key.name}` | {'required: ' if key.is_required else ''}{text} |")
    return "\n".join(rows) + "\n"
