"""Every secret of the settings is in the list of what is changed how."""

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path

from appliance.core.settings import Settings

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
SECRET = re.compile(r"password|secret|token|(^|_)key$")


def secrets(group: type, path: str = "") -> Iterator[str]:
    """The settings that hold a secret, or the file of one: "web.secret_key"."""
    kinds = typing.get_type_hints(group)
    for field in dataclasses.fields(group):
        parts = [p for p in _parts(kinds[field.name]) if dataclasses.is_dataclass(p)]
        for part in parts:
            yield from secrets(typing.cast(type, part), f"{path}{field.name}.")
        if not parts and SECRET.search(field.name):
            yield path + field.name


def _parts(kind: object) -> tuple[object, ...]:
    return typing.get_args(kind) or (kind,)


def test_each_has_its_row() -> None:
    told = OPERATING.read_text("utf-8")
    [table] = re.findall(r"^## Changing keys and passwords\n(.*?)^## ", told, re.DOTALL | re.M)
    found = list(secrets(Settings))
    assert len(found) > 10
    assert [name for name in found if f"`{name}`" not in table] == []
