"""Settings as a snapshot carries them: written anew, without secrets or with other paths."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SECRET = re.compile(r"(?:^|_)(?:secret|password|token|pin|key)(?:_key)?$")


def read(file: Path) -> dict[str, Any]:
    """The settings as the file has them."""
    return tomllib.loads(file.read_text("utf-8"))


def without_secrets(settings: Any) -> Any:
    """The same with every secret emptied."""
    if isinstance(settings, dict):
        return {
            key: "" if _SECRET.search(key) and isinstance(value, str) else without_secrets(value)
            for key, value in settings.items()
        }
    if isinstance(settings, list):
        return [without_secrets(value) for value in settings]
    return settings


def written(settings: Mapping[str, Any]) -> str:
    """TOML text; tables and lists of tables at the top level, everything else inline."""
    plain = {k: v for k, v in settings.items() if not _is_table(v) and not _is_tables(v)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in settings.items():
        for table in value if _is_tables(value) else [value] if _is_table(value) else []:
            lines += ["", f"[[{key}]]" if _is_tables(value) else f"[{key}]"]
            lines += [f"{name} = {_value(one)}" for name, one in table.items()]
    return "\n".join([*lines, ""])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str | bool | int | float):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(str(value))


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
