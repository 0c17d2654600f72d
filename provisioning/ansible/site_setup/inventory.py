"""site.ini as a file: read as Ansible reads it, and written."""

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .problems import Problem

LOCAL = "localhost ansible_connection=local"
VARIABLES = "[hotline:vars]"


@dataclass
class Inventory:
    """What a site.ini holds: the line of its host, and key → value."""

    host: str = LOCAL
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_file(file: Path) -> Inventory:
    """Read it. What is no key=value, and a key that is written twice, is a problem.

    Raises OSError.
    """
    result, section = Inventory(), ""
    for number, raw in enumerate(file.read_text("utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            section = line
        elif section != VARIABLES:
            result.host = line if section == "[hotline]" else result.host
        elif not (parts := re.match(r"(\w+)\s*=\s*(.*)$", line)):
            details = {"file": file.name, "number": number, "seen": line}
            result.problems.append(Problem("line", "", details))
        else:
            name = parts[1]
            if name in result.values:
                result.problems.append(Problem("twice", name, {"file": file.name}))
            result.values[name] = value_of(parts[2])
    return result


def value_of(text: str) -> Any:
    """The value that a text means: a literal of Python, or JSON in brackets, or the text."""
    for reading in (ast.literal_eval, json.loads if text[:1] in "[{" else ast.literal_eval):
        try:
            return reading(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return text


def text_of(value: Any) -> str:
    """A value as it is written into site.ini, on one line.

    A text that would be read back as another one is put in quotes: app_settings has many lines.
    """
    if isinstance(value, str) and len(value.splitlines()) < 2 and value_of(value.strip()) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def file_text(host: str, values: Mapping[str, Any], comments: Mapping[str, str]) -> str:
    """The whole file. `comments`: key → the line above it."""
    lines = ["[hotline]", host, "", VARIABLES]
    for name, value in values.items():
        if comments.get(name):
            lines += ["", f"# {comments[name]}"]
        lines.append(f"{name}={text_of(value)}")
    return "\n".join(lines) + "\n"
