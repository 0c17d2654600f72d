"""The keys of the pages: one table for hints, scripts, the sheet of keys and the docs.

A template puts `{{ key("hang_up") }}` into the tag of a control and `{{ kbd("hang_up") }}` beside
its words: static/keys.js clicks a button that carries a key, and focuses a field. What has no
control a script does itself: `act("next_row", …)` of keys.js. A key is told by its place on the
keyboard, so that it is the same under Uzbek Latin, Cyrillic and Russian layouts.
"""

from dataclasses import dataclass
from typing import NamedTuple

from flask import Flask, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from appliance.web.shell import access

CAPS = {"Enter": "↵", "Escape": "Esc"}  # how a key is written where that differs


@dataclass(frozen=True)
class Place:
    """Where keys hold: on pages of these screens (or endpoints; none: all) of these roles.

    `turn`: places of the same page that take turns share its name; elsewhere it is empty.
    """

    name: str
    title: LazyString
    screens: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    turn: str = ""

    def holds(self, endpoint: str, role: str) -> bool:
        """Whether it is on a page that a role has open."""
        screen = endpoint.partition(".")[0]
        here = not self.screens or endpoint in self.screens or screen in self.screens
        return here and (not self.roles or role in self.roles)


OPERATOR, MINISTRY = ("operator",), ("ministry",)
EVERYWHERE = Place("everywhere", _l("On every page"))
CALL = Place("call", _l("The call at hand and your state"), roles=OPERATOR)
FORM = Place("form", _l("The form"), ("operator",), turn="desk")
REGISTERED = Place("registered", _l("After registering"), ("operator",), turn="desk")
DAY = Place("day", _l("Between calls"), ("operator",), turn="desk")
PANEL = Place("panel", _l("Passing on and calling out"), roles=OPERATOR)
LISTS = Place(
    "list", _l("Lists"), ("portal.page", "lookup.page", "call_forms.listed", "appeals.page")
)
INBOX = Place("inbox", _l("Answering an appeal"), ("portal.page", "appeals.page"), MINISTRY)
ARTICLES = Place("articles", _l("Knowledge base"), ("knowledge.page",))
ARTICLE = Place("article", _l("An article"), ("operator", "knowledge.article"))
CARD = Place("card", _l("A card"), ("appeals", "call", "call_forms"))
PLACES = (
    *(EVERYWHERE, CALL, PANEL, FORM, REGISTERED, DAY, LISTS, INBOX, CARD),
    *(ARTICLES, ARTICLE),
)

TALKS = ("talk", "conference")
IDLE = ("", "wrap_up")  # nobody is on the line
STAGES = (*IDLE, "ringing", "dialling", *TALKS, "consulting", "consulted")


class Shortcut(NamedTuple):
    """What a key does, and where; `stages`: of the call at hand, all when there are none.

    Several `keys` do it to the first, second, … of a kind, or each does the same (`alike`).
    `told`: the browser or a field does it by itself.
    """

    name: str
    keys: tuple[str, ...]
    does: LazyString
    places: tuple[Place, ...]
    stages: tuple[str, ...] = ()
    alike: bool = False
    told: bool = False


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
        ("ringing", "dialling", *TALKS),
    ),
    Shortcut(
        "take_call", ("F8",), _l("take up the phone in the page"), (CALL,), ("ringing", "dialling")
    ),
    Shortcut("hold", ("Alt+H",), _l("phone in the page: hold"), (CALL,)),
    Shortcut("mute", ("Alt+Q",), _l("phone in the page: mute"), (CALL,)),
    Shortcut("keypad", ("Alt+K",), _l("phone in the page: keypad"), (CALL,)),
    Shortcut("ready_now", ("Alt+R",), _l("after a talk: ready now"), (CALL,), IDLE),
    Shortcut("more_time", ("Alt+W",), _l("after a talk: more time"), (CALL,), IDLE),
    Shortcut(
        "conference",
        ("F7",),
        _l("caller, employee and you speak together"),
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
    Shortcut("pass_on", ("F9",), _l("pass the caller on"), (CALL,), ("talk",)),
    Shortcut(
        "connect", ("F9",), _l("connect the caller with the employee"), (CALL,), ("consulted",)
    ),
    Shortcut("call_out", ("F9",), _l("between calls, call out"), (CALL,), IDLE),
    Shortcut("ask_first", ("Enter",), _l("ask the employee first; call"), (PANEL,), told=True),
    Shortcut("pass_at_once", ("Shift+Enter",), _l("pass on at once"), (PANEL,), told=True),
    Shortcut("close", ("Escape",), _l("close the panel or a list"), (PANEL,), told=True),
    Shortcut("state", ("F10",), _l("ready, or the reasons of a pause"), (CALL,)),
    Shortcut(
        "pick",
        (*"123456789", "0"),
        _l("in the list that F10 opens: a pause for that reason; work off the queue"),
        (CALL,),
        told=True,
    ),
    Shortcut(
        "to_form",
        ("F3",),
        _l("to the call's form; from there to the form put aside last"),
        (CALL, DAY),
    ),
    Shortcut(
        "new_form",
        ("F2",),
        _l("new appeal; after registering, another form of the same call"),
        (DAY, REGISTERED),
    ),
    Shortcut("register", ("Ctrl+Enter",), _l("register"), (FORM,)),
    Shortcut("put_aside", ("Alt+L",), _l("finish later"), (FORM,)),
    Shortcut("other_form", ("F6",), _l("to the other form of the call"), (FORM,)),
    Shortcut("add_to", ("Alt+A",), _l("add the gist to the open appeal that is shown"), (FORM,)),
    Shortcut("gist", ("Alt+M",), _l("to the gist of the appeal"), (FORM,)),
    Shortcut("consultation", ("Alt+T",), _l("a specialist was asked for"), (FORM,)),
    Shortcut(
        "known",
        ("Alt+1", "Alt+2", "Alt+3"),
        _l("fill in what the known person told before"),
        (FORM,),
    ),
    Shortcut(
        "silent",
        ("Alt+7", "Alt+8", "Alt+9"),
        _l("nothing was said: silent call, wrong number, prank"),
        (FORM,),
    ),
    Shortcut(
        "script",
        ("Alt+J",),
        _l("to the script, or begin it; from there back to the form"),
        (FORM, REGISTERED),
    ),
    Shortcut(
        "script_answer",
        (*"123456789",),
        _l("in the script: what the caller answered"),
        (FORM, REGISTERED),
    ),
    Shortcut("script_back", ("B",), _l("in the script: one step back"), (FORM, REGISTERED)),
    Shortcut("script_jump", ("G",), _l("in the script: to any step"), (FORM, REGISTERED)),
    Shortcut(
        "script_language", ("L",), _l("in the script: the other language"), (FORM, REGISTERED)
    ),
    Shortcut("script_leave", ("X",), _l("leave the script; finish it"), (FORM, REGISTERED)),
    Shortcut("note", ("Alt+N",), _l("a note that stays with the number"), (FORM, REGISTERED)),
    Shortcut("call_back", ("Alt+B",), _l("call back later: promise a call"), (FORM, REGISTERED)),
    Shortcut("sms", ("Alt+S",), _l("a short message to the citizen"), (FORM, REGISTERED, CARD)),
    Shortcut("knowledge", ("Alt+I",), _l("the knowledge base beside the form"), (FORM, REGISTERED)),
    Shortcut("useful", ("Alt+Y", "Alt+U"), _l("the article was useful; it was not"), (ARTICLE,)),
    Shortcut(
        "take", ("Tab",), _l("next field; in a list it takes the first choice"), (FORM,), told=True
    ),
    Shortcut("done", ("Escape",), _l("after registering: done"), (REGISTERED,)),
    Shortcut("search", ("/",), _l("to the search"), (LISTS, ARTICLES)),
    Shortcut("next_row", ("J",), _l("next row"), (LISTS,)),
    Shortcut("previous_row", ("K",), _l("previous row"), (LISTS,)),
    Shortcut("open_row", ("Enter",), _l("open the row"), (LISTS,), told=True),
    Shortcut("answer", ("A",), _l("write the answer"), (INBOX,)),
    Shortcut("leave_field", ("Escape",), _l("leave the field"), (INBOX,), told=True),
    Shortcut("following", ("N",), _l("next overdue one"), (INBOX,)),
    Shortcut("undo", ("Z",), _l("take the answer back"), (INBOX,)),
    Shortcut("send", ("Ctrl+Enter",), _l("send what is written"), (CARD,)),
    Shortcut(
        "play",
        ("Space",),
        _l("a recording: play or pause; the arrow keys go 5 s"),
        (CARD,),
        told=True,
    ),
)
BY_NAME = {shortcut.name: shortcut for shortcut in SHORTCUTS}


def init_app(app: Flask) -> None:
    """Give templates `key(name)`, `kbd(name)`, `does(name)` and `shortcuts()`."""
    app.jinja_env.globals |= {"key": key, "kbd": kbd, "does": does, "shortcuts": of_the_page}
    app.jinja_env.filters["pressed"] = written


def written(key: str) -> str:
    """A key as it stands on a hint: "Ctrl+Enter" is "Ctrl ↵"."""
    return " ".join(CAPS.get(part, part) for part in key.split("+"))


def key(name: str, number: int = 0) -> Markup:
    """The attributes of a control that the key of an action presses; `number`: which of several.

    Raises KeyError and IndexError for what is not in the table.
    """
    return Markup('data-key="{}" data-does="{}"').format(BY_NAME[name].keys[number], name)


def kbd(name: str, number: int = 0, at_end: bool = False) -> Markup:
    """The hint of an action's key. Raises as `key` does."""
    start = Markup('<kbd class="push">') if at_end else Markup("<kbd>")
    return start + escape(written(BY_NAME[name].keys[number])) + Markup("</kbd>")


def does(name: str) -> LazyString:
    """What the key of an action does, in the reader's language."""
    return BY_NAME[name].does


def of_the_page() -> list[tuple[Place, list[Shortcut]]]:
    """The keys of the open page, by the places on it."""
    return at(request.endpoint or "", access.role())


def at(endpoint: str, role: str) -> list[tuple[Place, list[Shortcut]]]:
    """The keys of a page of a role by the places on it; each key once, where it stands first."""
    found, told = [], set()
    for place in PLACES:
        if not place.holds(endpoint, role):
            continue
        new = [one for one in SHORTCUTS if place in one.places and one.name not in told]
        told |= {one.name for one in new}
        if new:
            found.append((place, new))
    return found
