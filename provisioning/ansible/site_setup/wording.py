"""The texts of words.toml, by language."""

import functools
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import keys
from .problems import Problem

PAPER_KEY_KINDS = ("repository", "recovery", "disk")  # of the recovery sheet
QUESTION_LANGUAGES = ("uz", "ru")  # of the questions; the playbooks also report in English


@functools.cache
def _load_wording() -> dict[str, dict[str, dict[str, str]]]:
    """Return the tables of words.toml."""
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def format_sentence(language: str, sentence_id: str, **values: Any) -> str:
    """Return a sentence of the [say] table, with values filled in."""
    return _load_wording()["say"][sentence_id][language].format(**values)


def question_text(language: str, name: str) -> str:
    """Return the question for a key or a part of it."""
    return _load_wording()["question"][name][language]


def problem_sentence(problem: Problem, language: str = "en") -> str:
    """Return a problem as one sentence."""
    values = {"near": "", **problem.values, "key": problem.key}
    if "wanted" in values:
        values["wanted"] = _load_wording()["wanted"][values["wanted"]][language]
    return _load_wording()["problem"][problem.code][language].format(**values)


def mistyped_key_sentence(kind: str, groups: Sequence[int], language: str = "en") -> str:
    """Return the sentence that a key was mistyped, with its wrong groups.

    `kind`: one of PAPER_KEY_KINDS.
    """
    texts = _load_wording()["mistyped"]
    group_numbers = ", ".join(map(str, groups))
    name = texts[kind][language]
    return texts["groups" if groups else "length"][language].format(name=name, which=group_numbers)


def key_table() -> str:
    """Return every key and its requirement as the table of provisioning/ansible/README.md."""
    rows = ["| key | must be |", "|---|---|"]
    for key in keys.KEYS:
        requirement = _load_wording()["wanted"][key.requirement or key.name]["en"].replace(
            "|", "\\|"
        )
        text = f"a list of: {requirement}" if key.is_list and key.pattern else requirement
        rows.append(f"| `{key.name}` | {'required: ' if key.is_required else ''}{text} |")
    return "\n".join(rows) + "\n"
