"""The docs keep up with the product: settings, commands, keys, links, files, the first screen."""

import configparser
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import pytest

from appliance.cli import appliance
from appliance.core.settings import Settings
from appliance.reports.counting import Counted
from appliance.reports.quarterly.report import CallFigures
from appliance.reports.recovery import Recovery
from appliance.reports.telephony import words
from appliance.reports.telephony.workload import Workload
from appliance.telephony.calls import OUTCOMES
from appliance.telephony.calls.outcomes import INBOUND
from appliance.web.shell import shortcuts

TOP = Path(__file__).parents[2]
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
FIGURES = (DOCS / "figures.md").read_text("utf-8")
HELP = [TOP / "appliance" / "web" / "help" / f"figures.{locale}.md" for locale in ("uz_Latn", "ru")]
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


def commands_of(group: click.Group, name: str = "appliance") -> Iterator[tuple[str, str]]:
    """(name in full, its help's first sentence) of every command that does something."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{name} {word}")
        elif command:
            yield f"{name} {word}", command.get_short_help_str(300)


SETTINGS = dict(settings_of(Settings))
COMMANDS = dict(commands_of(appliance))
PART = OPERATING[OPERATING.index("\n## Settings\n") :]
ROW = re.compile(r"^\| (?:<a id=\"\w+\"></a>)?`([a-z_.]+)` \| (.+?) \| ", re.MULTILINE)
ROWS = dict(ROW.findall(PART))
SECTION = re.MULTILINE | re.DOTALL


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_has_a_row_and_its_default(name: str) -> None:
    default = SETTINGS[name]
    told = ROWS.get(name)
    assert told, f"docs/operating.md has no row `{name}`"
    if default is dataclasses.MISSING:
        assert told == "required"
    else:
        plain = isinstance(default, str) and default
        written = default if plain else json.dumps(default)
        assert told == f"`{written}`" or told.startswith(f"`{written}`, ")


def test_settings_stand_in_the_tables_and_the_order_of_the_code() -> None:
    """Those before the first table of the file come first."""
    whole = [name for name in SETTINGS if "." not in name]
    assert list(ROWS) == [*whole, *(name for name in SETTINGS if name not in whole)]
    for heading, table in re.findall(r"^### `\[+(\w+)\]+`\n(.*?)(?=^### |\Z)", PART, SECTION):
        rows = ROW.findall(table)
        assert rows
        assert {name.partition(".")[0] for name, _ in rows} == {heading}


def test_the_table_of_commands_says_what_each_command_says_of_itself() -> None:
    part = OPERATING[OPERATING.index("\n## Commands\n") : OPERATING.index("\n## Settings\n")]
    rows = re.findall(r"^\| `(appliance [^`]+)` \| (.+) \|$", part, re.MULTILINE)
    assert dict(rows) == COMMANDS
    assert len(rows) == len(COMMANDS)


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
    assert described == set(COMMANDS)


def test_each_figure_is_explained_and_no_other() -> None:
    """Those of the telephony report, those that a tally has, and some that others count."""
    computed = {
        name for name, value in vars(Counted.__base__).items() if isinstance(value, property)
    }
    elsewhere = {"outgoing": CallFigures, "missed_rings": Workload, "recovered": Recovery}
    for name, kind in elsewhere.items():
        assert name in {field.name for field in dataclasses.fields(kind)}
    part = FIGURES[FIGURES.index("\n## Figures\n") : FIGURES.index("\n## Working hours\n")]
    explained = re.findall(r'^### <a id="(\w+)"></a>', part, re.MULTILINE)
    assert len(explained) == len(set(explained)) == part.count("\n### ")
    assert set(explained) == {*words.FIGURES, *computed, *elsewhere}


def test_each_outcome_is_explained_and_no_other() -> None:
    part = FIGURES[FIGURES.index("\n## Outcomes\n") : FIGURES.index("\n## Figures\n")]
    assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == list(OUTCOMES)


@pytest.mark.parametrize("translated", HELP, ids=lambda path: path.name)
def test_figures_are_explained_alike_in_each_language(translated) -> None:
    """The same headings, anchors, outcomes and links, in the same order; as many paragraphs."""
    text = translated.read_text("utf-8")
    shape = re.compile(r'^#+ |<a id="[\w-]+">|^\| `\w+`', re.MULTILINE)
    assert shape.findall(text) == shape.findall(FIGURES)
    assert re.findall(r"\]\(.+?\)", text) == re.findall(r"\]\(.+?\)", FIGURES)
    assert text.count("\n\n") == FIGURES.count("\n\n")


def test_every_key_is_told() -> None:
    section = USING.partition("### Keys")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", section, re.MULTILINE)
    assert rows[1:] == [
        (str(place.title), ", ".join(map(shortcuts.written, one.keys)), str(one.does))
        for place in shortcuts.PLACES
        for one in shortcuts.SHORTCUTS
        if one.places[0] == place
    ]


def test_every_warning_is_explained() -> None:
    labels = (TOP / "appliance" / "web" / "shell" / "labels.py").read_text("utf-8")
    warnings = set(re.findall(r'"\w+:\w+": _l\("([^"]+)"\)', labels))
    assert "14 digits needed" in warnings
    assert sorted(warning for warning in warnings if f"*{warning}*" not in USING) == []


def test_the_tour_names_the_wings_in_their_order() -> None:
    rules = configparser.ConfigParser()
    rules.read(TOP / "setup.cfg")
    layers = re.findall(r"\w+", rules["importlinter:contract:wings"]["layers"])
    tour = (DOCS / "tour.md").read_text("utf-8")
    table = tour[tour.index("\n| wing |") : tour.index("\nBeside the wings")]
    assert re.findall(r"^\| `appliance/(\w+)/` \|", table, re.MULTILINE) == layers


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


def test_each_outcome_is_explained_to_who_reads_the_list_of_calls() -> None:
    using = (TOP / "docs" / "using.md").read_text("utf-8")
    table = using[using.index("| outcome | means |") :].split("\n\n")[0]
    named = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:]
    assert {"Going on", *(outcome.name for outcome in INBOUND)} == set(named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_guide_stops_it_starts(page) -> None:
    def units(verb: str) -> set[str]:
        names: set[str] = set()
        for word in " ".join(re.findall(rf"systemctl {verb} ([^`;&|\n]+)", text)).split():
            begin, brace, rest = word.partition("{")
            ends = rest.rstrip("}").split(",") if brace else [""]
            names |= {f"{begin}{end}" for end in ends}
        return names

    text = page.read_text("utf-8")
    assert units("stop") <= units("start")
