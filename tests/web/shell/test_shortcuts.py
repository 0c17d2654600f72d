"""The table of keys: every key that is used stands in it, and no page has one key twice."""

import itertools
import re

import pytest

from appliance import PACKAGE
from appliance.casework import forms
from appliance.people.accounts import ROLES
from appliance.web.shell import shortcuts
from appliance.web.shell.shortcuts import BY_NAME, CAPS, EVERYWHERE, SHORTCUTS, STAGES, Place

WEB = PACKAGE / "web"
TEMPLATES = "".join(file.read_text("utf-8") for file in sorted(WEB.rglob("templates/**/*.html")))
SCRIPTS = {file: file.read_text("utf-8") for file in sorted(WEB.rglob("static/**/*.js"))}
KEYS = {key for one in SHORTCUTS for key in one.keys}
OF_FORMS = {f.key for form in forms.FORMS for f in forms.product(form).fields if f.key}


def test_every_key_that_is_used_is_in_the_table() -> None:
    used = set(re.findall(r'data-key="([^"{]+)"', TEMPLATES)) | OF_FORMS
    hinted = {
        re.sub("(?<=.) ", "+", key.replace("↵", "Enter").replace("Esc", "Escape"))
        for key in re.findall(r"<kbd[^>]*>([^<{]+)</kbd>", TEMPLATES)
    }
    assert "Alt+M" in used
    assert "Enter" in hinted
    assert used | hinted <= KEYS


def test_every_action_of_the_table_has_its_control_or_its_script() -> None:
    controls = set(re.findall(r"\bkey\(\"(\w+)\"", TEMPLATES))
    scripts = {name for text in SCRIPTS.values() for name in re.findall(r'\bact\("(\w+)"', text)}
    by_forms = {one.name for one in SHORTCUTS if set(one.keys) & OF_FORMS}
    assert {"next_row"} <= scripts
    assert {"hang_up"} <= controls
    done = {one.name for one in SHORTCUTS if not one.told}
    assert controls | scripts | by_forms == done, controls ^ scripts ^ by_forms ^ done
    hints = set(re.findall(r"\bkbd\(\"(\w+)\"", TEMPLATES))
    assert hints <= set(BY_NAME)


def test_every_control_shows_its_key() -> None:
    controls = set(re.findall(r"\bkey\(\"(\w+)\"", TEMPLATES))
    hinted = set(re.findall(r"\bkbd\(\"(\w+)\"", TEMPLATES))
    hinted |= {
        n
        for names in re.findall(r"key_hints\(\(([^)]+)\)", TEMPLATES)
        for n in re.findall(r'"(\w+)"', names)
    }
    unseen = {"call_out"}  # of the button that only a screen reader hears; "My day" has the other
    assert controls - hinted - unseen == set()


def test_no_script_asks_which_letter_a_key_writes() -> None:
    """Under another layout it writes another one: `code` tells the place."""
    asks = re.compile(r"""\bkey [!=]==? ["'](.)["']""")
    found = {(file.name, char) for file, text in SCRIPTS.items() for char in asks.findall(text)}
    assert found == {("keys.js", "?")}  # beside its place: it is looked for by its letter


def pages() -> list[tuple[str, str]]:
    """Each kind of page, of each role that has it."""
    screens = {screen for place in shortcuts.PLACES for screen in place.screens} | {"account"}
    return [(screen, role) for screen in sorted(screens) for role in ROLES]


@pytest.mark.parametrize(("screen", "role"), pages())
def test_a_key_does_one_thing_in_each_state_of_a_page(screen: str, role: str) -> None:
    endpoint = screen if "." in screen else f"{screen}.page"
    here = [place for place in shortcuts.PLACES if place.holds(endpoint, role)]
    assert EVERYWHERE in here
    for one, other in itertools.combinations([s for s in SHORTCUTS if not s.told], 2):
        if not set(one.keys) & set(other.keys):
            continue
        together = [
            (a, b)
            for a, b in itertools.product(one.places, other.places)
            if a in here and b in here and not taking_turns(a, b)
        ]
        stages = set(one.stages or STAGES) & set(other.stages or STAGES)
        assert not (together and stages), f"{one.name} and {other.name}: {stages}"


def taking_turns(one: Place, other: Place) -> bool:
    return one != other and one.turn != "" and one.turn == other.turn


def test_each_page_has_its_sheet(login_as) -> None:
    nilufar = login_as("nilufar").get("/operator").get_data(as_text=True)
    assert 'data-action="hang_up" data-keys="F4"' in nilufar
    assert 'data-action="next_row"' not in nilufar
    bahodir = login_as("bahodir").get("/appeals").get_data(as_text=True)
    assert 'data-action="undo" data-keys="Z"' in bahodir
    assert 'data-action="hang_up"' not in bahodir
    rustam = login_as("rustam").get("/status").get_data(as_text=True)
    assert re.findall(r'data-action="(\w+)"', rustam) == ["commands", "lock", "sheet"]


def test_hints_are_written_as_on_the_keyboard() -> None:
    assert shortcuts.written("Ctrl+Enter") == "Ctrl ↵"
    assert shortcuts.kbd("silent", 2, at_end=True) == '<kbd class="push">Alt 9</kbd>'
    assert shortcuts.key("known", 1) == 'data-key="Alt+2" data-does="known"'
    assert set(CAPS) <= {part for key in KEYS for part in key.split("+")}
    with pytest.raises(KeyError):
        shortcuts.key("nothing")
