"""The docs match the product: settings, commands, keys, links, files, the first screen."""

import configparser
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from appliance.cli import appliance
from appliance.core.settings import Settings
from appliance.reports.counting import CallTally
from appliance.reports.quarterly.report import CallFigures
from appliance.reports.recovery import Recovery
from appliance.reports.telephony import labels
from appliance.reports.telephony.workload import Workload
from appliance.telephony.calls import INBOUND_CODES
from appliance.telephony.calls.outcomes import INBOUND_OUTCOMES
from appliance.web.shell import shortcuts
from provisioning.local import reference

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PICTURES = sorted((DOCS / "pictures").iterdir())
PAGES = [
    *sorted(REPOSITORY.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    REPOSITORY / "backups" / "README.md",
    REPOSITORY / "provisioning" / "ansible" / "README.md",
]
OPERATING = [page.read_text("utf-8") for page in sorted((DOCS / "operating").glob("*.md"))]
SETTINGS_PAGE = (DOCS / "operating" / "settings.md").read_text("utf-8")
USING = (DOCS / "using.md").read_text("utf-8")
FIGURES = (DOCS / "figures.md").read_text("utf-8")
HELP = [
    REPOSITORY / "appliance" / "web" / "help" / f"figures.{locale}.md"
    for locale in ("uz_Latn", "ru")
]
FOLDERS = ("appliance", "backups", "docs", "ivr", "provisioning", "tests")
BUILT_FOLDER = "appliance/built/"  # created by the set-up
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b(?!\.md)")  # LANGUAGE, NAME
MAX_PICTURE_BYTES = 250_000
SCREEN_SIZE = (1366, 768)


def headings(text: str) -> list[str]:
    """Return the headings, without those in code blocks."""
    return re.findall(r"^#+ (.+)$", re.sub(r"^    .*$", "", text, flags=re.MULTILINE), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that a link into the page may end with."""
    text = page.read_text("utf-8")
    named_anchors = set(re.findall(r'<a id="([^"]+)">', text))
    return set(map(reference.heading_anchor, headings(text))) | named_anchors


def setting_defaults(kind: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, default or MISSING) of every setting that a file may hold."""
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        group = next(filter(dataclasses.is_dataclass, (hint, *get_args(hint))), None)
        if group:
            yield from setting_defaults(group, f"{field.name}.")
        elif "doc" not in field.metadata:  # a field with "doc" is set by load(), not by the file
            factory = field.default_factory
            yield (
                prefix + field.name,
                field.default if factory is dataclasses.MISSING else factory(),
            )


SETTINGS = dict(setting_defaults(Settings))
COMMANDS = dict(reference.list_commands(appliance))
SETTING_ROW = re.compile(r"^\| (?:<a id=\"\w+\"></a>)?`([a-z_.]+)` \| (.+?) \| ", re.MULTILINE)
DEFAULT_OF_SETTING = dict(SETTING_ROW.findall(SETTINGS_PAGE))
SECTION_FLAGS = re.MULTILINE | re.DOTALL


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_has_a_row_and_its_default(name: str) -> None:
    default = SETTINGS[name]
    cell = DEFAULT_OF_SETTING.get(name)
    assert cell, f"docs/operating/settings.md has no row `{name}`"
    if default is dataclasses.MISSING:
        assert cell == "required"
    else:
        is_plain_text = isinstance(default, str) and default
        default_text = default if is_plain_text else json.dumps(default)
        assert cell == f"`{default_text}`" or cell.startswith(f"`{default_text}`, ")


def test_settings_are_in_the_tables_and_the_order_of_the_code() -> None:
    """Settings before the file's first table come first."""
    top_level_names = [name for name in SETTINGS if "." not in name]
    assert list(DEFAULT_OF_SETTING) == [
        *top_level_names,
        *(name for name in SETTINGS if name not in top_level_names),
    ]
    for heading, table in re.findall(
        r"^## `\[+(\w+)\]+`\n(.*?)(?=^## |\Z)", SETTINGS_PAGE, SECTION_FLAGS
    ):
        rows = SETTING_ROW.findall(table)
        assert rows
        assert {name.partition(".")[0] for name, _ in rows} == {heading}


def test_the_table_of_commands_is_the_generated_one() -> None:
    """If not: python -m provisioning.local.reference."""
    text = reference.COMMANDS_PAGE.read_text("utf-8")
    assert text == reference.replace_table(text)


def test_each_command_has_one_heading() -> None:
    """A heading names several commands of a group: "`appliance user add`, `list`"."""
    described = [
        name
        for text in OPERATING
        for heading in headings(text)
        for name in reference.commands_in_heading(heading)
    ]
    assert sorted(described) == sorted(COMMANDS)


def test_the_index_names_each_page_of_operating() -> None:
    index = (DOCS / "operating.md").read_text("utf-8")
    linked = re.findall(r"^\| \[[^]]+\]\(operating/(\S+)\) \|", index, re.MULTILINE)
    assert sorted(linked) == sorted(page.name for page in (DOCS / "operating").glob("*.md"))


def test_each_figure_is_explained_and_nothing_else() -> None:
    """The figures of the telephony report, those that a tally has, and some that others count."""
    computed = {
        name for name, value in vars(CallTally.__base__).items() if isinstance(value, property)
    }
    elsewhere = {"outgoing": CallFigures, "missed_rings": Workload, "recovered": Recovery}
    for name, kind in elsewhere.items():
        assert name in {field.name for field in dataclasses.fields(kind)}
    section = FIGURES[FIGURES.index("\n## Figures\n") : FIGURES.index("\n## Working hours\n")]
    explained = re.findall(r'^### <a id="(\w+)"></a>', section, re.MULTILINE)
    assert len(explained) == len(set(explained)) == section.count("\n### ")
    assert set(explained) == {*labels.FIGURES, *computed, *elsewhere}


def test_each_outcome_is_explained_and_nothing_else() -> None:
    section = FIGURES[FIGURES.index("\n## Outcomes\n") : FIGURES.index("\n## Figures\n")]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(INBOUND_CODES)


@pytest.mark.parametrize("translated", HELP, ids=lambda path: path.name)
def test_figures_have_the_same_structure_in_each_language(translated) -> None:
    """The same headings, anchors, outcomes and links in the same order, and as many paragraphs."""
    text = translated.read_text("utf-8")
    shape = re.compile(r'^#+ |<a id="[\w-]+">|^\| `\w+`', re.MULTILINE)
    assert shape.findall(text) == shape.findall(FIGURES)
    assert re.findall(r"\]\(.+?\)", text) == re.findall(r"\]\(.+?\)", FIGURES)
    assert text.count("\n\n") == FIGURES.count("\n\n")


def test_every_key_is_documented() -> None:
    section = USING.partition("### Keys")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", section, re.MULTILINE)
    assert rows[1:] == [
        (str(place.title), ", ".join(map(shortcuts.key_text, shortcut.keys)), str(shortcut.does))
        for place in shortcuts.PLACES
        for shortcut in shortcuts.SHORTCUTS
        if shortcut.places[0] == place
    ]


def test_every_warning_is_explained() -> None:
    labels = (REPOSITORY / "appliance" / "web" / "shell" / "labels.py").read_text("utf-8")
    warnings = set(re.findall(r'"\w+:\w+": _l\("([^"]+)"\)', labels))
    assert "14 digits needed" in warnings
    assert sorted(warning for warning in warnings if f"*{warning}*" not in USING) == []


def test_the_tour_names_the_packages_in_their_order() -> None:
    rules = configparser.ConfigParser()
    rules.read(REPOSITORY / "setup.cfg")
    layers = re.findall(r"\w+", rules["importlinter:contract:packages"]["layers"])
    tour = (DOCS / "tour.md").read_text("utf-8")
    table = tour[tour.index("\n| package |") : tour.index("\nOther folders")]
    assert re.findall(r"^\| `appliance/(\w+)/` \|", table, re.MULTILINE) == layers


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_files_that_the_docs_name_exist(page: Path) -> None:
    paths = re.findall(rf"(?<![\w./])(?:{'|'.join(FOLDERS)})/[\w./*-]*", page.read_text("utf-8"))
    for path in paths:
        pattern = PLACEHOLDER.sub("*", path).rstrip("/.")
        if not path.startswith(BUILT_FOLDER):
            assert any(REPOSITORY.glob(pattern)) or any(page.parent.glob(pattern)), path


def test_the_readme_begins_with_the_two_commands() -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8")
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
    assert len(data) <= MAX_PICTURE_BYTES
    width, height = (int.from_bytes(data[n : n + 4]) for n in (16, 20))
    assert (width, height) == SCREEN_SIZE or picture.name == "paper.png"
    assert any(f"pictures/{picture.name})" in page.read_text("utf-8") for page in PAGES)


def test_each_outcome_is_explained_to_readers_of_the_list_of_calls() -> None:
    using = (REPOSITORY / "docs" / "using.md").read_text("utf-8")
    table = using[using.index("| outcome | means |") :].split("\n\n")[0]
    outcome_names = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:]
    assert {"Ongoing", *(outcome.name for outcome in INBOUND_OUTCOMES)} == set(outcome_names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_guide_starts_every_unit_that_it_stops(page) -> None:
    def systemd_units(verb: str) -> set[str]:
        names: set[str] = set()
        for word in " ".join(re.findall(rf"systemctl {verb} ([^`;&|\n]+)", text)).split():
            begin, brace, rest = word.partition("{")
            ends = rest.rstrip("}").split(",") if brace else [""]
            names |= {f"{begin}{end}" for end in ends}
        return names

    text = page.read_text("utf-8")
    assert systemd_units("stop") <= systemd_units("start")
