"""Settings files of snapshots: rewritten without secrets or with other paths."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from appliance.box.snapshots.errors import SnapshotError

_SECRET_KEY = re.compile(r"(?:^|_)(?:secret|password|token|pin|key)(?:_key)?$")


def read_toml(file: Path) -> dict[str, Any]:
    """Read a settings file. Raises SnapshotError if it is not TOML."""
    return parse_toml(file.read_bytes(), str(file))


def parse_toml(text: bytes, origin: str) -> dict[str, Any]:
    """Parse settings; `origin` names them in errors. Raises SnapshotError if they are not TOML."""
    try:
        return tomllib.loads(text.decode())
    except ValueError as error:  # not UTF-8, or not TOML
        raise SnapshotError(
            "damaged", f"the settings in {origin} cannot be read: {error}"
        ) from error


def write_toml(file: Path, settings: Mapping[str, Any]) -> None:
    """Write settings into a file and read them back. Raises SnapshotError if they differ."""
    file.write_text(tomli_w.dumps(settings), "utf-8")
    if read_toml(file) != settings:
        raise SnapshotError("damaged", f"the settings in {file} are not those that were written")


def blank_secrets(settings: Any) -> Any:
    """Return a copy of the settings with every secret emptied."""
    if isinstance(settings, dict):
        return {
            key: "" if _SECRET_KEY.search(key) and isinstance(value, str) else blank_secrets(value)
            for key, value in settings.items()
        }
    if isinstance(settings, list):
        return [blank_secrets(value) for value in settings]
    return settings
