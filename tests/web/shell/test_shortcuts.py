"""The table of keys: every used key is in it, and no page has one key twice."""

import itertools
import re

import pytest

from appliance import PACKAGE
from appliance.casework import forms
from appliance.people.accounts import ROLES
from appliance.web.shell import shortcuts
from appliance.web.shell.shortcuts import (
    CALL_STAGES,
    EVERYWHERE,
    KEY_SYMBOLS,
    SHORTCUTS,
    SHORTCUTS_BY_NAME,
    Place,
)

WEB_FOLDER = PACKAGE / "web"
TEMPLATES = "".join(
    file.read_text("utf-8") for file in sorted(WEB_FOLDER.rglob("templates/**/*.html"))
)
SCRIPTS = {file: file.read_text("utf-8") for file in sorted(WEB_FOLDER.rglob("static/**/*.js"))}
ALL_KEYS = {key for shortcut in SHORTCUTS for key in shortcut.keys}
KEYS_OF_FORMS = {
    f.key for form in forms.FORMS for f in forms.product_definition(form).fields if f.key
}


def test_every_used_key_is_in_the_table() -> None:
    used = set(re.findall(r'data-key="([^"{]+)"', TEMPLATES)) | KEYS_OF_FORMS
    hinted = {
        re.sub("(?<=.) ", "+", key.replace("↵", "Enter").replace("Esc", "Escape"))
        for key in re.findall(r"<kbd[^>]*>([^<{]+)</kbd>", TEMPLATES)
    }
    assert "Alt+M" in used
    assert "Enter" in hinted
    assert used | hinted <= ALL_KEYS


def test_every_action_of_the_table_has_a_control_or_a_script() -> None:
    controls = set(re.findall(r"\bkey\(\"(\w+)\"", TEMPLATES))
    scripts = {name for text in SCRIPTS.values() for name in re.findall(r'\bact\("(\w+)"', text)}
    by_forms = {shortcut.name for shortcut in SHORTCUTS if set(shortcut.keys) & KEYS_OF_FORMS}
    assert {"next_row"} <= scripts
    assert {"hang_up"} <= controls
    done = {shortcut.name for shortcut in SHORTCUTS if not shortcut.is_native}
    assert controls | scripts | by_forms == done, controls ^ scripts ^ by_forms ^ done
    hints = set(re.findall(r"\bkbd\(\"(\w+)\"", TEMPLATES))
    assert hints <= set(SHORTCUTS_BY_NAME)


def test_every_control_shows_its_key() -> None:
    controls = set(re.findall(r"\bkey\(\"(\w+)\"", TEMPLATES))
    hinted = set(re.findall(r"\bkbd\(\"(\w+)\"", TEMPLATES))
    hinted |= {
        n
        for names in re.findall(r"key_hints\(\(([^)]+)\)", TEMPLATES)
        for n in re.findall(r'"(\w+)"', names)
    }
    unseen = {"call_out"}  # a button only for screen readers; "My day" has the visible one
    assert controls - hinted - unseen == set()


def test_no_script_compares_the_letter_of_a_key() -> None:
    """In another keyboard layout the letter differs: `code` identifies the position."""
    comparison = re.compile(r"""\bkey [!=]==? ["'](.)["']""")
    matches = {
        (file.name, char) for file, text in SCRIPTS.items() for char in comparison.findall(text)
    }
    assert matches == {("keys.js", "?")}  # this key is matched by its letter, too


def page_roles() -> list[tuple[str, str]]:
    """Return each kind of page with each role that has it."""
    screens = {screen for place in shortcuts.PLACES for screen in place.screens} | {"account"}
    return [(screen, role) for screen in sorted(screens) for role in ROLES]


@pytest.mark.parametrize(("screen", "role"), page_roles())
def test_a_key_has_one_action_in_each_state_of_a_page(screen: str, role: str) -> None:
    endpoint = screen if "." in screen else f"{screen}.page"
    page_places = [place for place in shortcuts.PLACES if place.applies_to(endpoint, role)]
    assert EVERYWHERE in page_places
    for first, second in itertools.combinations([s for s in SHORTCUTS if not s.is_native], 2):
        if not set(first.keys) & set(second.keys):
            continue
        together = [
            (a, b)
            for a, b in itertools.product(first.places, second.places)
            if a in page_places and b in page_places and not are_alternatives(a, b)
        ]
        stages = set(first.stages or CALL_STAGES) & set(second.stages or CALL_STAGES)
        assert not (together and stages), f"{first.name} and {second.name}: {stages}"


def are_alternatives(first: Place, second: Place) -> bool:
    return first != second and first.turn != "" and first.turn == second.turn


def test_each_page_has_its_sheet_of_keys(login_as) -> None:
    nilufar = login_as("nilufar").get("/operator").get_data(as_text=True)
    assert 'data-action="hang_up" data-keys="F4"' in nilufar
    assert 'data-action="next_row"' not in nilufar
    bahodir = login_as("bahodir").get("/appeals").get_data(as_text=True)
    assert 'data-action="undo" data-keys="Z"' in bahodir
    assert 'data-action="hang_up"' not in bahodir
    rustam = login_as("rustam").get("/status").get_data(as_text=True)
    assert re.findall(r'data-action="(\w+)"', rustam) == ["commands", "lock", "sheet"]


def test_hints_use_the_symbols_of_the_keyboard() -> None:
    assert shortcuts.key_text("Ctrl+Enter") == "Ctrl ↵"
    assert shortcuts.key_hint("silent", 2, at_end=True) == '<kbd class="push">Alt 9</kbd>'
    assert shortcuts.key_attributes("known", 1) == 'data-key="Alt+2" data-does="known"'
    assert set(KEY_SYMBOLS) <= {part for key in ALL_KEYS for part in key.split("+")}
    with pytest.raises(KeyError):
        shortcuts.key_attributes("nothing")
