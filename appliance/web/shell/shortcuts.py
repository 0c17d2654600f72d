"""Keyboard shortcuts: one table for the hints, scripts, the overview of keys and the documentation.

A template puts `{{ key("hang_up") }}` into the tag of a control and `{{ kbd("hang_up") }}` next to
its text: when the key is pressed, static/keys.js clicks the button or focuses the field. If an
action has no control, a script handles its key with `act("next_row", …)` of keys.js. A key is
identified by its position on the keyboard, so that it is the same under Uzbek Latin, Cyrillic and
Russian layouts.
"""

from dataclasses import dataclass
from typing import NamedTuple

from flask import Flask, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from appliance.web.shell import access

KEY_SYMBOLS = {"Enter": "↵", "Escape": "Esc"}  # keys that are not written by their names


@dataclass(frozen=True)
class Place:
    """A part of the pages where keys apply: on which pages, and for which roles.

    `screens` are blueprints or endpoints; empty `screens` or `roles` mean all. Places with the same
    `turn` are never shown on a page at the same time.
    """

    name: str
    title: LazyString
    screens: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    turn: str = ""

    def applies_to(self, endpoint: str, role: str) -> bool:
        """Return True if the page of this endpoint has this part, for a user with this role.

        A screen is matched by the endpoint itself or by its blueprint.
        """
        screen = endpoint.partition(".")[0]
        matches_page = not self.screens or endpoint in self.screens or screen in self.screens
        return matches_page and (not self.roles or role in self.roles)


OPERATOR, MINISTRY = ("operator",), ("ministry",)
EVERYWHERE = Place("everywhere", _l("On every page"))
CALL = Place("call", _l("The current call and your state"), roles=OPERATOR)
FORM = Place("form", _l("The form"), ("operator",), turn="desk")
REGISTERED = Place("registered", _l("After registering"), ("operator",), turn="desk")
DAY = Place("day", _l("Between calls"), ("operator",), turn="desk")
PANEL = Place("panel", _l("Transfer and outgoing call"), roles=OPERATOR)
LISTS = Place(
    "list",
    _l("Lists"),
    (
        "portal.list_appeals",
        "lookup.look_up_appeal",
        "call_forms.list_registered_calls",
        "appeals.show_appeal",
    ),
)
INBOX = Place(
    "inbox", _l("Answering an appeal"), ("portal.list_appeals", "appeals.show_appeal"), MINISTRY
)
ARTICLES = Place("articles", _l("Knowledge base"), ("knowledge.show_knowledge_base",))
ARTICLE = Place("article", _l("An article"), ("operator", "knowledge.show_published_article"))
CARD = Place("card", _l("A card"), ("appeals", "call", "call_forms"))
PLACES = (
    *(EVERYWHERE, CALL, PANEL, FORM, REGISTERED, DAY, LISTS, INBOX, CARD),
    *(ARTICLES, ARTICLE),
)

TALK_STAGES = ("talk", "conference")
IDLE_STAGES = ("", "wrap_up")  # nobody is on the line
CALL_STAGES = (*IDLE_STAGES, "ringing", "dialling", *TALK_STAGES, "consulting", "consulted")


class Shortcut(NamedTuple):
    """What a key does, where, and in which stages of the current call (empty: in all).

    `name` identifies the action, `does` says what it does, `stages` are of CALL_STAGES. Of several
    `keys`, each acts on another item (the first, the second, …), or all do the same (`alike`).
    `is_native`: the browser or a field handles the key, not keys.js.
    """

    name: str
    keys: tuple[str, ...]
    does: LazyString
    places: tuple[Place, ...]
    stages: tuple[str, ...] = ()
    alike: bool = False
    is_native: bool = False


SHORTCUTS = (
    Shortcut(
        "commands", ("Ctrl+K",), _l("find an action, a page, a person, an appeal"), (EVERYWHERE,)
    ),
    Shortcut("lock", ("Alt+Z",), _l("lock the page"), (EVERYWHERE,)),
    Shortcut("sheet", ("?", "F1"), _l("all keys of the page"), (EVERYWHERE,), alike=True),
    Shortcut(
        "hang_up",
        ("F4",),
        _l("hang up; while it rings, reject"),
        (CALL,),
        ("ringing", "dialling", *TALK_STAGES),
    ),
    Shortcut(
        "take_call", ("F8",), _l("answer the phone in the page"), (CALL,), ("ringing", "dialling")
    ),
    Shortcut("hold", ("Alt+H",), _l("phone in the page: hold"), (CALL,)),
    Shortcut("mute", ("Alt+Q",), _l("phone in the page: mute"), (CALL,)),
    Shortcut("keypad", ("Alt+K",), _l("phone in the page: keypad"), (CALL,)),
    Shortcut("ready_now", ("Alt+R",), _l("after a call: ready now"), (CALL,), IDLE_STAGES),
    Shortcut("more_time", ("Alt+W",), _l("after a call: more time"), (CALL,), IDLE_STAGES),
    Shortcut(
        "conference",
        ("F7",),
        _l("caller, employee and you are all connected"),
        (CALL,),
        ("consulted",),
    ),
    Shortcut(
        "back",
        ("F8",),
        _l("from the employee back to the caller"),
        (CALL,),
        ("consulting", "consulted"),
    ),
    Shortcut("pass_on", ("F9",), _l("transfer the caller"), (CALL,), ("talk",)),
    Shortcut(
        "connect", ("F9",), _l("connect the caller with the employee"), (CALL,), ("consulted",)
    ),
    Shortcut("call_out", ("F9",), _l("between calls, an outgoing call"), (CALL,), IDLE_STAGES),
    Shortcut("ask_first", ("Enter",), _l("ask the employee first; call"), (PANEL,), is_native=True),
    Shortcut(
        "pass_at_once", ("Shift+Enter",), _l("transfer immediately"), (PANEL,), is_native=True
    ),
    Shortcut("close", ("Escape",), _l("close the panel or a list"), (PANEL,), is_native=True),
    Shortcut("state", ("F10",), _l("ready, or the reasons for a pause"), (CALL,)),
    Shortcut(
        "pick",
        (*"123456789", "0"),
        _l("in the list opened by F10: a pause for that reason; work off the queue"),
        (CALL,),
        is_native=True,
    ),
    Shortcut(
        "to_form",
        ("F3",),
        _l("to the call's form; from there to the form that was put aside last"),
        (CALL, DAY),
    ),
    Shortcut(
        "new_form",
        ("F2",),
        _l("new appeal; after registering, another form of the same call"),
        (DAY, REGISTERED),
    ),
    Shortcut("register", ("Ctrl+Enter",), _l("register"), (FORM,)),
    Shortcut("put_aside", ("Alt+L",), _l("complete later"), (FORM,)),
    Shortcut("other_form", ("F6",), _l("to the other form of the call"), (FORM,)),
    Shortcut("add_to", ("Alt+A",), _l("add the summary to the open appeal that is shown"), (FORM,)),
    Shortcut("gist", ("Alt+M",), _l("to the summary of the appeal"), (FORM,)),
    Shortcut("consultation", ("Alt+T",), _l("a specialist was requested"), (FORM,)),
    Shortcut(
        "known",
        ("Alt+1", "Alt+2", "Alt+3"),
        _l("fill in the details that the known person gave before"),
        (FORM,),
    ),
    Shortcut(
        "silent",
        ("Alt+7", "Alt+8", "Alt+9"),
        _l("no speech: silent call, wrong number, prank"),
        (FORM,),
    ),
    Shortcut(
        "script",
        ("Alt+J",),
        _l("to the script, or start it; from there back to the form"),
        (FORM, REGISTERED),
    ),
    Shortcut(
        "script_answer",
        (*"123456789",),
        _l("in the script: the caller's answer"),
        (FORM, REGISTERED),
    ),
    Shortcut("script_back", ("B",), _l("in the script: one step back"), (FORM, REGISTERED)),
    Shortcut("script_jump", ("G",), _l("in the script: to any step"), (FORM, REGISTERED)),
    Shortcut(
        "script_language", ("L",), _l("in the script: the other language"), (FORM, REGISTERED)
    ),
    Shortcut("script_leave", ("X",), _l("leave the script; finish it"), (FORM, REGISTERED)),
    Shortcut("note", ("Alt+N",), _l("a note that is kept with the number"), (FORM, REGISTERED)),
    Shortcut("call_back", ("Alt+B",), _l("call back later: promise a call"), (FORM, REGISTERED)),
    Shortcut("sms", ("Alt+S",), _l("an SMS to the citizen"), (FORM, REGISTERED, CARD)),
    Shortcut(
        "knowledge", ("Alt+I",), _l("the knowledge base next to the form"), (FORM, REGISTERED)
    ),
    Shortcut("useful", ("Alt+Y", "Alt+U"), _l("the article was useful; it was not"), (ARTICLE,)),
    Shortcut(
        "take",
        ("Tab",),
        _l("next field; in a list it takes the first option"),
        (FORM,),
        is_native=True,
    ),
    Shortcut("done", ("Escape",), _l("after registering: done"), (REGISTERED,)),
    Shortcut("search", ("/",), _l("to the search"), (LISTS, ARTICLES)),
    Shortcut("next_row", ("J",), _l("next row"), (LISTS,)),
    Shortcut("previous_row", ("K",), _l("previous row"), (LISTS,)),
    Shortcut("open_row", ("Enter",), _l("open the row"), (LISTS,), is_native=True),
    Shortcut("answer", ("A",), _l("write the answer"), (INBOX,)),
    Shortcut("leave_field", ("Escape",), _l("leave the field"), (INBOX,), is_native=True),
    Shortcut("following", ("N",), _l("next overdue one"), (INBOX,)),
    Shortcut("undo", ("Z",), _l("withdraw the answer"), (INBOX,)),
    Shortcut("send", ("Ctrl+Enter",), _l("send the text"), (CARD,)),
    Shortcut(
        "play",
        ("Space",),
        _l("a recording: play or pause; the arrow keys move 5 s"),
        (CARD,),
        is_native=True,
    ),
)
SHORTCUTS_BY_NAME = {shortcut.name: shortcut for shortcut in SHORTCUTS}


def init_app(app: Flask) -> None:
    """Give templates `key(name)`, `kbd(name)`, `does(name)` and `shortcuts()`."""
    app.jinja_env.globals |= {
        "key": key_attributes,
        "kbd": key_hint,
        "does": action_text,
        "shortcuts": page_shortcuts,
    }
    app.jinja_env.filters["pressed"] = key_text


def key_text(key: str) -> str:
    """Return a key, or several pressed together, as written on a hint: "Ctrl+Enter" → "Ctrl ↵"."""
    return " ".join(KEY_SYMBOLS.get(part, part) for part in key.split("+"))


def key_attributes(name: str, number: int = 0) -> Markup:
    """Return the HTML attributes that make an action's key press a control.

    `number` is the index of the key if the action has several. Raises KeyError if there is no such
    action, IndexError if it has no such key.
    """
    return Markup('data-key="{}" data-does="{}"').format(SHORTCUTS_BY_NAME[name].keys[number], name)


def key_hint(name: str, number: int = 0, at_end: bool = False) -> Markup:
    """Return the hint of an action's key, as <kbd>; it raises the errors of `key_attributes`.

    `number` is the index of the key if the action has several. `at_end` moves the hint to the right
    end of its line.
    """
    start = Markup('<kbd class="push">') if at_end else Markup("<kbd>")
    return start + escape(key_text(SHORTCUTS_BY_NAME[name].keys[number])) + Markup("</kbd>")


def action_text(name: str) -> LazyString:
    """Return what the key of the action `name` does, in the reader's language."""
    return SHORTCUTS_BY_NAME[name].does


def page_shortcuts() -> list[tuple[Place, list[Shortcut]]]:
    """Return the keys of the open page, grouped by the part of the page where they work."""
    return page_shortcuts_by_place(request.endpoint or "", access.current_role())


def page_shortcuts_by_place(endpoint: str, role: str) -> list[tuple[Place, list[Shortcut]]]:
    """Return the keys that a role has on a page, grouped by the part of the page where they work.

    `endpoint` is the page's endpoint. A key that works in several parts is listed in the first one.
    """
    places, seen_names = [], set()
    for place in PLACES:
        if not place.applies_to(endpoint, role):
            continue
        new = [
            shortcut
            for shortcut in SHORTCUTS
            if place in shortcut.places and shortcut.name not in seen_names
        ]
        seen_names |= {shortcut.name for shortcut in new}
        if new:
            places.append((place, new))
    return places
