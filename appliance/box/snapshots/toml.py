"""Settings as a snapshot carries them: written anew, without secrets or with other paths."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from appliance.box.snapshots.errors import SnapshotError

_SECRET = re.compile(r"(?:^|_)(?:secret|password|token|pin|key)(?:_key)?$")


def read(file: Path) -> dict[str, Any]:
    """The settings as the file has them. Raises SnapshotError when it is no TOML."""
    return parsed(file.read_bytes(), str(file))


def parsed(text: bytes, where: str) -> dict[str, Any]:
    """The settings in a text that lies `where`. Raises SnapshotError when it is no TOML."""
    try:
        return tomllib.loads(text.decode())
    except ValueError as error:  # no UTF-8, or no TOML
        raise SnapshotError(
            "damaged", f"the settings in {where} cannot be read: {error}"
        ) from error


def write(file: Path, settings: Mapping[str, Any]) -> None:
    """Write settings into a file and read them back. Raises SnapshotError when they differ."""
    file.write_text(tomli_w.dumps(settings), "utf-8")
    if read(file) != settings:
        raise SnapshotError("damaged", f"the settings in {file} are not those that were written")


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
