"""What the command line finds: a provider for each kind, and `find`, which asks them all.

A kind more is a function of Asked that yields Found, and its line in PROVIDERS.
What a provider gives, whoever asks may open: rows come from the nouns' own loaders.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flask import url_for
from flask_babel import LazyString, force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import appeals, applicants, call_forms, knowledge, numbers
from appliance.casework.appeals import searching
from appliance.casework.knowledge import wording
from appliance.casework.scripts import queries, texts
from appliance.casework.search import Hit, search
from appliance.core import phone_numbers
from appliance.core import search as index
from appliance.core.i18n import LOCALES, fold
from appliance.core.search import is_meant
from appliance.people import accounts
from appliance.telephony import calls, directory
from appliance.web.calls.of_day import OUTCOMES
from appliance.web.shell import access, disclosure, formats, navigation, shortcuts
from appliance.web.shell.context import me
from appliance.web.shell.labels import FIELDS
from appliance.web.shell.language import locale
from appliance.web.workplace import choices

MOST = 5  # of a kind
AT_FIRST = 12  # of a kind while nothing is typed
FORM_NUMBER = re.compile(r"[Qq]")  # with which the number of a registered call begins


@dataclass(frozen=True)
class Asked:
    """What is looked for, and the endpoint of the page on which it is."""

    text: str
    at: str = ""

    @functools.cached_property
    def words(self) -> list[str]:
        """The words of the text as search keys."""
        return fold(self.text).split()

    @functools.cached_property
    def meant(self) -> list[Hit]:
        """What the search finds of all kinds, without what is misspelt where something is not."""
        hits = [one for kind in SEARCHED for one in _hits(self.text, kind)]
        least = min((one.rank for one in hits), default=0.0)
        return [one for one in hits if one.whole or is_meant(one.rank, least)]

    def of(self, kind: str) -> list[Hit]:
        """Those of a kind, the nearest first."""
        return [one for one in self.meant if one.kind == kind]


@dataclass(frozen=True)
class Found:
    """One line: its name, what stands beside it, and what choosing it does.

    That is one of: an `address` to go to, an `action` of the page's keys, an employee to `pass_on`
    to or to call, a `choice` for the `field` of an open form. An article is `read` beside a form
    where there is one.
    """

    name: str
    beside: str = ""
    sign: str = "arrow-right"
    address: str = ""
    action: str = ""
    keys: tuple[str, ...] = ()
    pass_on: str = ""
    read: str = ""
    field: str = ""
    choice: dict[str, Any] | None = None


SEARCHED = ("region", "district", "value", "employee", "article", "script", "appeal")

type Provider = Callable[[Asked], Iterable[Found]]


def actions(asked: Asked) -> Iterator[Found]:
    """What can be done on the page by a key."""
    listed = [one for _place, found in shortcuts.at(asked.at, access.role()) for one in found]
    done = [one for one in listed if not one.told and one.name != "commands"]
    for one in _meant(asked, done, lambda one: _key_of(one.does)):
        text = str(one.does)
        yield Found(
            text[:1].upper() + text[1:], sign="keyboard", action=one.name, keys=one.keys[:1]
        )


def pages(asked: Asked) -> Iterator[Found]:
    """The pages of the navigation that the role may open."""
    tabs = [(section, tab) for section, tabs in navigation.open_to_the_reader() for tab in tabs]
    for section, tab in _meant(asked, tabs, lambda pair: _key_of(pair[1].name)):
        beside = str(section) if str(section) != str(tab.name) else ""
        yield Found(str(tab.name), beside, "layout-dashboard", url_for(tab.endpoint))


def by_number(asked: Asked) -> Iterator[Found]:
    """Appeals and registered calls of this number, whole or by the digits at its end."""
    for number in numbers.meant(asked.text):
        of_form = FORM_NUMBER.match(asked.text)
        if not of_form and (appeal := appeals.find(number, me())):
            disclosure.log_shown("appeal", [appeal.number], {"q": asked.text})
            there = url_for("appeals.page", number=appeal.number)
            yield Found(appeal.number, formats.date(appeal.registered_at), "file-text", there)
        if made := call_forms.find(f"Q-{number}", me()):
            disclosure.log_shown("call_form", [made.number], {"q": asked.text})
            there = url_for("call_forms.page", number=made.number)
            yield Found(made.number, formats.date(made.registered_at), "file-text", there)


def named_appeals(asked: Asked) -> Iterator[Found]:
    """Appeals by the applicant's name or the gist, of those that one may see."""
    if not searching.terms(asked.text) or not any(word.isalpha() for word in asked.words):
        return
    meant = asked.of("appeal")
    disclosure.log_shown("appeal", [hit.ref for hit in meant], {"q": asked.text})
    for hit in meant:
        beside = applicants.name_of(appeals.find(hit.ref, me()))
        yield Found(hit.title, beside, "file-text", url_for("appeals.page", number=hit.ref))


def calls_of_phone(asked: Asked) -> Iterator[Found]:
    """The newest calls of this whole phone number."""
    phone = phone_numbers.canonical(asked.text)
    if not phone or len(phone) < 9 or not access.allowed("call.page"):
        return
    newest = calls.of_number(phone, MOST)
    may_open = appeals.calls_open_to(me(), [call.id for call in newest])
    shown = [call for call in newest if call.id in may_open]
    disclosure.log_shown("call", [call.id for call in shown], {"q": asked.text})
    for call in shown:
        words, _tone, sign = OUTCOMES.get(call.outcome or "open", OUTCOMES["open"])
        there = url_for("call.page", call_id=call.id)
        yield Found(formats.moment(call.arrived_at), str(words), sign, there)


def employees(asked: Asked) -> Iterator[Found]:
    """Employees of the ministry: an operator passes on to them, who keeps them opens them."""
    if not asked.words:
        return
    for one in directory.search(asked.text, MOST):
        beside = " · ".join(filter(None, (one.department, formats.phone(one.number, ours=True))))
        if access.role() == "operator":
            yield Found(one.name, beside, "phone-forwarded", pass_on=one.number)
        elif access.allowed("directory.employee"):
            there = url_for("directory.employee", number=one.id)
            yield Found(one.name, beside, "phone", there)


def articles(asked: Asked) -> Iterator[Found]:
    """Articles of the knowledge base in force; beside a form they open beside it."""
    if not asked.words or not access.allowed("knowledge.article"):
        return
    for hit in asked.of("article"):
        found = knowledge.find(hit.ref)
        row = knowledge.in_force(found) if found else None
        if row:
            title, there = wording.title(row, locale()), url_for("knowledge.article", slug=hit.ref)
            yield Found(title, sign="book-open", address=there, read=title)


def scripts(asked: Asked) -> Iterator[Found]:
    """Scripts in force, for who reads them; an operator has his beside the form."""
    if not asked.words or not access.allowed("scripts.one"):
        return
    for hit in asked.of("script"):
        found = queries.find(hit.ref)
        row = found.in_force if found else None
        if row:
            title = texts.read(queries.definition_of(row).title, locale())
            there = url_for("scripts.one", code=hit.ref)
            yield Found(title, sign="message-square", address=there)


def people(asked: Asked) -> Iterator[Found]:
    """Accounts, for who may see them."""
    if not asked.words or not access.allowed("people.page"):
        return
    everybody = accounts.everybody()
    for user in index.best(everybody, asked.text, lambda user: index.key(user.name, user.login)):
        if access.allowed("people.person"):
            there = url_for("people.person", number=user.id)
        else:
            there = url_for("people.page")
        yield Found(formats.person(user), user.login, "user", there)


def values(asked: Asked) -> Iterator[Found]:
    """Regions, districts, directions: into the open form, or the list of their appeals."""
    fills, lists = access.role() == "operator", access.allowed("portal.page")
    if not asked.words or not (fills or lists):
        return
    for field, one in _choices(asked):
        beside = " · ".join(filter(None, (str(FIELDS[field]), one.get("parent", ""))))
        if fills:
            yield Found(one["name"], beside, "corner-down-left", field=field, choice=one)
            continue
        wider = one["fills"]["region"]["code"] if field == "district" else ""
        filters = {field: one["code"]} | ({"region": wider} if wider else {})
        yield Found(one["name"], beside, "funnel", url_for("portal.page", **filters))


def searches(asked: Asked) -> Iterator[Found]:
    """The searches of the lists, with what was typed: they write down who looked for what."""
    typed = asked.text
    if access.allowed("portal.page") and searching.terms(typed):
        yield Found(typed, _("Search the appeals"), "search", url_for("portal.page", q=typed))
    whole = numbers.is_whole(typed) or len(phone_numbers.canonical(typed) or "") > 8
    if access.allowed("lookup.page") and whole:
        number = next(iter(numbers.meant(typed)), typed)
        yield Found(typed, _("Find an appeal"), "search", url_for("lookup.page", q=number))
    if access.allowed("call_forms.listed") and searching.terms(typed):
        there = url_for("call_forms.listed", q=typed)
        yield Found(typed, _("Search the registered calls"), "search", there)


PROVIDERS: tuple[tuple[str, LazyString, Provider], ...] = (
    ("numbers", _l("Appeals and registered calls"), by_number),
    ("calls", _l("Calls"), calls_of_phone),
    ("actions", _l("Actions"), actions),
    ("pages", _l("Pages"), pages),
    ("employees", _l("Ministry's employees"), employees),
    ("articles", _l("Knowledge base"), articles),
    ("scripts", _l("Scripts"), scripts),
    ("people", _l("People"), people),
    ("values", _l("Lists"), values),
    ("appeals", _l("Appeals"), named_appeals),
    ("searches", _l("Search"), searches),
)


def find(asked: Asked) -> list[tuple[str, LazyString, list[Found]]]:
    """(kind, its name, what was found) of each kind that has something.

    Actions are all told: the page leaves out what cannot be done at the moment.
    """
    most = MOST if asked.words else AT_FIRST
    found = [
        (kind, name, list(ask(asked) if ask is actions else islice(ask(asked), most)))
        for kind, name, ask in PROVIDERS
    ]
    return [one for one in found if one[2]]


def number_missed(asked: Asked, found: list[tuple[str, LazyString, list[Found]]]) -> str:
    """The number that was typed, as it is written, when nothing that one may see has it."""
    if not numbers.is_whole(asked.text) or any(kind == "numbers" for kind, _name, _f in found):
        return ""
    return numbers.meant(asked.text)[0]


def _meant[Thing](asked: Asked, things: list[Thing], key_of: Callable[[Thing], str]) -> list[Thing]:
    """The actions or pages that are meant; misspelt ones only where the search finds nothing.

    They come first, and Enter does them: "oylik" is a word of articles, not "olish" misspelt.
    """
    found = index.best(things, asked.text, key_of)
    if not asked.words or not asked.meant:
        return found
    query = index.query(asked.text)
    return [one for one in found if index.is_near(query, key_of(one))]


def _hits(text: str, kind: str) -> list[Hit]:
    most = MOST if kind in ("article", "script", "appeal") else 5 * MOST  # of lists one takes few
    return search(text, user=me(), kinds=(kind,), limit=most)


def _choices(asked: Asked) -> Iterator[tuple[str, dict[str, Any]]]:
    """(field, option) of the regions, districts and directions that are meant."""
    hits = [one for kind in ("region", "district", "value") for one in asked.of(kind)]
    for hit in sorted(hits, key=lambda hit: hit.rank):
        catalog, _slash, code = hit.ref.rpartition("/")
        field = catalog or hit.kind
        if field in ("region", "district", "direction"):
            yield field, choices.option(field, code)


def _key_of(name: LazyString) -> str:
    """The search key of a text in every language."""
    return _keys(name._args[0], name)


@functools.cache
def _keys(_text: str, name: LazyString) -> str:
    names = []
    for language in LOCALES:
        with force_locale(language):
            names.append(str(name))
    return index.key(*names)
