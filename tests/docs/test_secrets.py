"""Every secret of the settings is in the table of how to change keys and passwords."""

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path

from appliance.core.settings import Settings

KEYS_PAGE = Path(__file__).parents[2] / "docs" / "operating" / "keys.md"
SECRET_NAME = re.compile(r"password|secret|token|(^|_)key$")


def secret_settings(group: type, path: str = "") -> Iterator[str]:
    """Yield the settings that hold a secret, or the file of one: "web.secret_key"."""
    type_hints = typing.get_type_hints(group)
    for field in dataclasses.fields(group):
        groups = [p for p in _union_members(type_hints[field.name]) if dataclasses.is_dataclass(p)]
        for subgroup in groups:
            yield from secret_settings(typing.cast(type, subgroup), f"{path}{field.name}.")
        if not groups and SECRET_NAME.search(field.name):
            yield path + field.name


def _union_members(kind: object) -> tuple[object, ...]:
    return typing.get_args(kind) or (kind,)


def test_each_secret_has_its_row() -> None:
    table = KEYS_PAGE.read_text("utf-8")
    secret_names = list(secret_settings(Settings))
    assert len(secret_names) > 10
    assert [name for name in secret_names if f"`{name}`" not in table] == []
