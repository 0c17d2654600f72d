"""Reads and writes the file site.ini, with the same rules as Ansible."""

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .problems import Problem

LOCAL_HOST_LINE = "localhost ansible_connection=local"
VARIABLES_SECTION = "[hotline:vars]"


@dataclass
class Inventory:
    """The content of a site.ini: the line of its host, and key → value."""

    host: str = LOCAL_HOST_LINE
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_inventory(file: Path) -> Inventory:
    """Read the file. A line other than key=value and a repeated key become problems.

    Raises OSError.
    """
    result, section = Inventory(), ""
    for number, raw in enumerate(file.read_text("utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            section = line
        elif section != VARIABLES_SECTION:
            result.host = line if section == "[hotline]" else result.host
        elif not (match := re.match(r"(\w+)\s*=\s*(.*)$", line)):
            details = {"file": file.name, "number": number, "seen": line}
            result.problems.append(Problem("line", "", details))
        else:
            name = match[1]
            if name in result.values:
                result.problems.append(Problem("twice", name, {"file": file.name}))
            result.values[name] = parse_value(match[2])
    return result


def parse_value(text: str) -> Any:
    """Return the value of a text: a Python literal, JSON in brackets, else the text itself."""
    for parser in (ast.literal_eval, json.loads if text[:1] in "[{" else ast.literal_eval):
        try:
            return parser(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return text


def format_value(value: Any) -> str:
    """Return a value in the notation of site.ini, on one line.

    A text that would be parsed into another value is quoted, as is one of several lines such as
    app_settings.
    """
    if (
        isinstance(value, str)
        and len(value.splitlines()) < 2
        and parse_value(value.strip()) == value
    ):
        return value
    return json.dumps(value, ensure_ascii=False)


def format_inventory(host: str, values: Mapping[str, Any], comments: Mapping[str, str]) -> str:
    """Return the whole file. `comments`: key → the line above it."""
    lines = ["[hotline]", host, "", VARIABLES_SECTION]
    for name, value in values.items():
        if comments.get(name):
            lines += ["", f"# {comments[name]}"]
        lines.append(f"{name}={format_value(value)}")
    return "\n".join(lines) + "\n"
