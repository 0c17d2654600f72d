"""The docs keep up with the product: settings, commands, keys, links, files, the first screen."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import pytest

from appliance.cli import appliance
from appliance.settings import Settings

TOP = Path(__file__).parent.parent
DOCS = TOP / "docs"
PICTURES = sorted((DOCS / "pictures").iterdir())
PAGES = [
    *sorted(TOP.glob("*.md")),
    *sorted(DOCS.glob("*.md")),
    TOP / "backups" / "README.md",
    TOP / "provisioning" / "ansible" / "README.md",
]
OPERATING = (DOCS / "operating.md").read_text("utf-8")
USING = (DOCS / "using.md").read_text("utf-8")
FOLDERS = ("appliance", "backups", "docs", "ivr", "provisioning", "tests")
BUILT = "appliance/built/"  # made by the set-up
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b(?!\.md)")  # LANGUAGE, NAME
LARGEST = 250_000  # bytes of a picture
SCREEN = (1366, 768)


def headings(text: str) -> list[str]:
    """The headings, code blocks left out."""
    return re.findall(r"^#+ (.+)$", re.sub(r"^    .*$", "", text, flags=re.MULTILINE), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What a link into the page may end with."""
    text = page.read_text("utf-8")
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings(text))
    return {slug.replace(" ", "-") for slug in plain} | set(re.findall(r'<a id="([^"]+)">', text))


def settings_of(kind: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, default or MISSING) of every setting that a file may hold."""
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        group = next(filter(dataclasses.is_dataclass, (hint, *get_args(hint))), None)
        if group:
            yield from settings_of(group, f"{field.name}.")
        elif "doc" not in field.metadata:  # that one is written by load()
            made = field.default_factory
            yield prefix + field.name, field.default if made is dataclasses.MISSING else made()


def commands_of(group: click.Group, name: str = "appliance") -> Iterator[str]:
    """Every command that does something, in full."""
    for word, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{name} {word}")
        else:
            yield f"{name} {word}"


SETTINGS = dict(settings_of(Settings))
COMMANDS = set(commands_of(appliance))


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_has_a_heading_and_its_default(name: str) -> None:
    default = SETTINGS[name]
    found = re.search(rf"^### `{re.escape(name)}`\n\n(.+)$", OPERATING, re.MULTILINE)
    assert found, f"docs/operating.md has no heading `{name}`"
    if default is dataclasses.MISSING:
        assert found[1].startswith("Required.")
    else:
        told = default if isinstance(default, str) else json.dumps(default)
        assert found[1].startswith(f"Default: `{told}`")


def test_no_heading_of_a_setting_that_is_gone() -> None:
    part = OPERATING[OPERATING.index("\n## Settings\n") :]
    assert set(re.findall(r"^### `([^`]+)`$", part, re.MULTILINE)) == set(SETTINGS)


def test_each_command_has_a_heading() -> None:
    """A heading names several commands of a group: "`appliance user add`, `list`"."""
    described = set()
    for heading in headings(OPERATING):
        full = ""
        for name in re.findall(r"`([^`]+)`", heading):
            if name.startswith("appliance "):
                full = name
            elif full:
                full = f"{full.rpartition(' ')[0]} {name}"
            described |= {full} - {""}
    assert described == COMMANDS


def test_every_key_of_the_workplace_is_told() -> None:
    templates = (TOP / "appliance" / "web" / "templates" / "operator").glob("*.html")
    text = "".join(template.read_text("utf-8") for template in templates)
    keys = set(re.findall(r'data-key="([A-Za-z0-9+]+)"', text))
    assert {"F4", "Ctrl+Enter"} <= keys
    rows = re.findall(r"^\| ((?:F\d|Alt |Ctrl ).*?) \|", USING, re.MULTILINE)
    told = {key for row in rows for key in row.split(", ")}
    assert told == {key.replace("+", " ") for key in keys} | {"Alt 1", "Alt 2", "Alt 3"}


def test_every_warning_is_explained() -> None:
    labels = (TOP / "appliance" / "web" / "labels.py").read_text("utf-8")
    warnings = set(re.findall(r'"\w+:\w+": _l\("([^"]+)"\)', labels))
    assert "14 digits needed" in warnings
    assert sorted(warning for warning in warnings if f"*{warning}*" not in USING) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_files_that_are_named_exist(page: Path) -> None:
    named = re.findall(rf"(?<![\w./])(?:{'|'.join(FOLDERS)})/[\w./*-]*", page.read_text("utf-8"))
    for path in named:
        pattern = PLACEHOLDER.sub("*", path).rstrip("/.")
        if not path.startswith(BUILT):
            assert any(TOP.glob(pattern)) or any(page.parent.glob(pattern)), path


def test_the_readme_begins_with_the_two_commands() -> None:
    text = (TOP / "README.md").read_text("utf-8")
    first_screen = text[: text.index("\n## ")]
    assert re.findall(r"^    (\./run(?: \w+)?)", first_screen, re.MULTILINE) == [
        "./run",
        "./run test",
    ]
    assert first_screen.index("./run test") < first_screen.index("![")
    assert len(first_screen.splitlines()) < 15


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_pictures_are_small_and_shown(picture: Path) -> None:
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) <= LARGEST
    width, height = (int.from_bytes(data[n : n + 4]) for n in (16, 20))
    assert (width, height) == SCREEN or picture.name == "paper.png"
    assert any(f"pictures/{picture.name})" in page.read_text("utf-8") for page in PAGES)
