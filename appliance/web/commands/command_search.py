"""The search of the command line (Ctrl+K): each kind of result has a provider, a function.

To add a kind, write a function that takes the query and yields results, and add it to PROVIDERS. A
provider yields only what the user may open: the functions that load rows check the user's rights.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flask import url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import applicants, call_forms, catalogs, numbers
from appliance.casework.appeals import searching
from appliance.casework.appeals.queries import find_appeal, viewable_call_ids
from appliance.casework.knowledge import articles, wording
from appliance.casework.scripts import queries, texts
from appliance.casework.search import Hit, find_hits
from appliance.core import phone_numbers
from appliance.core import search as index
from appliance.core.i18n import fold_text
from appliance.core.search import is_likely_match
from appliance.people import accounts
from appliance.telephony import calls, directory
from appliance.web.commands.name_keys import key_in_all_languages
from appliance.web.shared.telephony_labels import OUTCOMES
from appliance.web.shell import access, disclosure, formats, navigation, shortcuts
from appliance.web.shell.context import me
from appliance.web.shell.labels import FIELDS
from appliance.web.shell.language import locale

MAX_PER_KIND = 5  # results of one kind
MAX_PER_KIND_UNTYPED = 12  # results of one kind while nothing is typed
FORM_NUMBER = re.compile(r"[Qq]")  # the prefix of the number of a registered call


@dataclass(frozen=True)
class CommandQuery:
    """The text searched for, and the endpoint of the page on which it was typed."""

    text: str
    page_endpoint: str = ""

    @functools.cached_property
    def search_keys(self) -> list[str]:
        """The words of the text, folded for comparison (i18n.fold_text)."""
        return fold_text(self.text).split()

    @functools.cached_property
    def hits(self) -> list[Hit]:
        """Hits of the full-text search, of all kinds.

        A hit that does not contain all words is included only if no other hit is much better.
        """
        all_hits = [hit for kind in SEARCHED_KINDS for hit in _kind_hits(self.text, kind)]
        best_rank = min((hit.rank for hit in all_hits), default=0.0)
        return [
            hit for hit in all_hits if hit.all_words_found or is_likely_match(hit.rank, best_rank)
        ]

    def hits_of_kind(self, kind: str) -> list[Hit]:
        """Return the hits of one kind, the best first."""
        return [hit for hit in self.hits if hit.kind == kind]


@dataclass(frozen=True)
class CommandResult:
    """One line of the results: its name, a note next to it, and what happens when it is chosen.

    One of these happens: the page at `address` opens, the key of an `action` is pressed (one of
    `keys`), an employee is called or the caller transferred to them (`transfer_number`), or
    `choice` is put into the `field` of an open form. If a form is open, an article
    (`article_title`) opens next to it.
    """

    name: str
    side_note: str = ""
    icon_name: str = "arrow-right"
    address: str = ""
    action: str = ""
    keys: tuple[str, ...] = ()
    transfer_number: str = ""
    article_title: str = ""
    field: str = ""
    choice: dict[str, Any] | None = None


SEARCHED_KINDS = ("region", "district", "value", "employee", "article", "script", "appeal")

type Provider = Callable[[CommandQuery], Iterable[CommandResult]]


def find_actions(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield the matching actions of the page that have a key.

    Keys that the browser or a field handles are left out, because a result presses the key through
    keys.js; so is the key of this search itself.
    """
    page_shortcuts = [
        shortcut
        for _place, group in shortcuts.page_shortcuts_by_place(
            query.page_endpoint, access.current_role()
        )
        for shortcut in group
    ]
    usable = [
        shortcut
        for shortcut in page_shortcuts
        if not shortcut.is_native and shortcut.name != "commands"
    ]
    for shortcut in _best_matches(
        query, usable, lambda command: key_in_all_languages(command.does)
    ):
        text = str(shortcut.does)
        yield CommandResult(
            text[:1].upper() + text[1:],
            icon_name="keyboard",
            action=shortcut.name,
            keys=shortcut.keys[:1],
        )


def find_pages(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield the pages of the navigation that match and that the role may open."""
    tabs = [(section, tab) for section, tabs in navigation.readable_sections() for tab in tabs]
    for section, tab in _best_matches(query, tabs, lambda pair: key_in_all_languages(pair[1].name)):
        side_note = str(section) if str(section) != str(tab.name) else ""
        yield CommandResult(str(tab.name), side_note, "layout-dashboard", url_for(tab.endpoint))


def find_by_number(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield the appeals and registered calls with this number, or ending with these digits."""
    for number in numbers.candidate_numbers(query.text):
        is_form_number = FORM_NUMBER.match(query.text)
        if not is_form_number and (appeal := find_appeal(number, me())):
            disclosure.log_shown("appeal", [appeal.number], {"q": query.text})
            address = url_for("appeals.show_appeal", number=appeal.number)
            yield CommandResult(
                appeal.number, formats.date(appeal.registered_at), "file-text", address
            )
        if call_form := call_forms.find_call_form(f"Q-{number}", me()):
            disclosure.log_shown("call_form", [call_form.number], {"q": query.text})
            address = url_for("call_forms.show_registered_call", number=call_form.number)
            yield CommandResult(
                call_form.number, formats.date(call_form.registered_at), "file-text", address
            )


def find_appeals(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield the appeals whose applicant's name or summary matches, if the user may see them.

    A text without letters finds nothing here: `find_by_number` finds appeals by their number.
    """
    if not searching.search_terms(query.text) or not any(
        word.isalpha() for word in query.search_keys
    ):
        return
    hits = query.hits_of_kind("appeal")
    disclosure.log_shown("appeal", [hit.ref for hit in hits], {"q": query.text})
    for hit in hits:
        side_note = applicants.display_name(find_appeal(hit.ref, me()))
        yield CommandResult(
            hit.title, side_note, "file-text", url_for("appeals.show_appeal", number=hit.ref)
        )


def find_calls(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield the newest calls of a phone number, if the text is a complete one."""
    phone = phone_numbers.canonical_number(query.text)
    if not phone or len(phone) < 9 or not access.can_open("call.show_call"):
        return
    newest = calls.calls_of_number(phone, MAX_PER_KIND)
    may_open = viewable_call_ids(me(), [call.id for call in newest])
    visible_calls = [call for call in newest if call.id in may_open]
    disclosure.log_shown("call", [call.id for call in visible_calls], {"q": query.text})
    for call in visible_calls:
        outcome_name, _tone, icon_name = OUTCOMES.get(call.outcome or "open", OUTCOMES["open"])
        address = url_for("call.show_call", call_id=call.id)
        yield CommandResult(formats.moment(call.arrived_at), str(outcome_name), icon_name, address)


def find_employees(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield matching employees; operators transfer to them, other users open their page."""
    if not query.search_keys:
        return
    for employee in directory.search_employees(query.text, MAX_PER_KIND):
        side_note = " · ".join(
            filter(None, (employee.department, formats.phone(employee.number, ours=True)))
        )
        if access.current_role() == "operator":
            yield CommandResult(
                employee.name, side_note, "phone-forwarded", transfer_number=employee.number
            )
        elif access.can_open("directory.show_employee"):
            address = url_for("directory.show_employee", number=employee.id)
            yield CommandResult(employee.name, side_note, "phone", address)


def find_articles(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield the articles of the knowledge base that are in force and match."""
    if not query.search_keys or not access.can_open("knowledge.show_published_article"):
        return
    for hit in query.hits_of_kind("article"):
        article = articles.find_article(hit.ref)
        row = articles.version_in_force(article) if article else None
        if row:
            title, address = (
                wording.localized_title(row, locale()),
                url_for("knowledge.show_published_article", slug=hit.ref),
            )
            yield CommandResult(title, icon_name="book-open", address=address, article_title=title)


def find_scripts(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield matching call scripts in force, for users who may open their pages (not operators)."""
    if not query.search_keys or not access.can_open("scripts.show_script"):
        return
    for hit in query.hits_of_kind("script"):
        script = queries.find_script(hit.ref)
        row = script.in_force if script else None
        if row:
            title = texts.localized_text(queries.version_definition(row).title, locale())
            address = url_for("scripts.show_script", code=hit.ref)
            yield CommandResult(title, icon_name="message-square", address=address)


def find_people(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield users whose name or login matches, if the signed-in user may see the accounts."""
    if not query.search_keys or not access.can_open("people.show_people"):
        return
    all_users = accounts.all_accounts()
    for user in index.best_matches(
        all_users, query.text, lambda user: index.fold_names(user.name, user.login)
    ):
        if access.can_open("people.show_person"):
            address = url_for("people.show_person", number=user.id)
        else:
            address = url_for("people.show_people")
        yield CommandResult(formats.person(user), user.login, "user", address)


def find_list_values(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield matching values of lists: regions, districts and directions (subjects of appeals).

    For an operator, a result fills a field of the open form; for others, it lists the appeals with
    that value.
    """
    fills, lists = access.current_role() == "operator", access.can_open("portal.list_appeals")
    if not query.search_keys or not (fills or lists):
        return
    for field, option in _list_options(query):
        side_note = " · ".join(filter(None, (str(FIELDS[field]), option.get("parent", ""))))
        if fills:
            yield CommandResult(
                option["name"], side_note, "corner-down-left", field=field, choice=option
            )
            continue
        # the list of appeals filters by district only together with the district's region
        region_code = option["fills"]["region"]["code"] if field == "district" else ""
        filters = {field: option["code"]} | ({"region": region_code} if region_code else {})
        yield CommandResult(
            option["name"], side_note, "funnel", url_for("portal.list_appeals", **filters)
        )


def find_list_searches(query: CommandQuery) -> Iterator[CommandResult]:
    """Yield links to the pages that search a list for the typed text.

    These are the appeals, the registered calls, and the page on which operators find an appeal by
    its whole number or phone number. The pages record the search in the audit log.
    """
    text = query.text
    if access.can_open("portal.list_appeals") and searching.search_terms(text):
        yield CommandResult(
            text, _("Search the appeals"), "search", url_for("portal.list_appeals", q=text)
        )
    is_complete_number = (
        numbers.is_full_number(text) or len(phone_numbers.canonical_number(text) or "") > 8
    )
    if access.can_open("lookup.look_up_appeal") and is_complete_number:
        number = next(iter(numbers.candidate_numbers(text)), text)
        yield CommandResult(
            text, _("Find an appeal"), "search", url_for("lookup.look_up_appeal", q=number)
        )
    if access.can_open("call_forms.list_registered_calls") and searching.search_terms(text):
        address = url_for("call_forms.list_registered_calls", q=text)
        yield CommandResult(text, _("Search the registered calls"), "search", address)


PROVIDERS: tuple[tuple[str, LazyString, Provider], ...] = (
    ("numbers", _l("Appeals and registered calls"), find_by_number),
    ("calls", _l("Calls"), find_calls),
    ("actions", _l("Actions"), find_actions),
    ("pages", _l("Pages"), find_pages),
    ("employees", _l("Ministry's employees"), find_employees),
    ("articles", _l("Knowledge base"), find_articles),
    ("scripts", _l("Scripts"), find_scripts),
    ("people", _l("People"), find_people),
    ("values", _l("Lists"), find_list_values),
    ("appeals", _l("Appeals"), find_appeals),
    ("searches", _l("Search"), find_list_searches),
)


def find_commands(query: CommandQuery) -> list[tuple[str, LazyString, list[CommandResult]]]:
    """Return (kind, name of the kind, results) of each kind that has results.

    The number of actions is not limited, as the page leaves out those that are impossible now.
    """
    limit = MAX_PER_KIND if query.search_keys else MAX_PER_KIND_UNTYPED
    groups = [
        (
            kind,
            name,
            list(provider(query) if provider is find_actions else islice(provider(query), limit)),
        )
        for kind, name, provider in PROVIDERS
    ]
    return [group for group in groups if group[2]]


def unmatched_number(
    query: CommandQuery, groups: list[tuple[str, LazyString, list[CommandResult]]]
) -> str:
    """Return the typed number of an appeal, normalized, if it is complete but was not found.

    `groups` is the result of `find_commands`. Returns "" if the number was found or is not one.
    """
    if not numbers.is_full_number(query.text) or any(
        kind == "numbers" for kind, _name, _f in groups
    ):
        return ""
    return numbers.candidate_numbers(query.text)[0]


def _best_matches[Thing](
    query: CommandQuery, candidates: list[Thing], key_of: Callable[[Thing], str]
) -> list[Thing]:
    """Return the candidates (actions or pages) that match the query, the best first.

    `key_of` returns the text of a candidate that is compared, folded by `index.fold_names`. If the
    full-text search has hits, misspelt words do not match here. Actions and pages are listed first,
    so Enter would run them: "oylik" is a word of articles, and not "olish" misspelt.
    """
    matches = index.best_matches(candidates, query.text, key_of)
    if not query.search_keys or not query.hits:
        return matches
    search_query = index.parse_query(query.text)
    return [
        candidate
        for candidate in matches
        if index.matches_without_errors(search_query, key_of(candidate))
    ]


def _kind_hits(text: str, kind: str) -> list[Hit]:
    """Return the hits of the full-text search of one kind that the user may see."""
    # More list values are requested, as only those of some lists are used.
    limit = MAX_PER_KIND if kind in ("article", "script", "appeal") else 5 * MAX_PER_KIND
    return find_hits(text, user=me(), kinds=(kind,), limit=limit)


def _list_options(query: CommandQuery) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (field, option) of the matching regions, districts and directions, the best first.

    Values of other lists are skipped.
    """
    hits = [
        kind_hit
        for kind in ("region", "district", "value")
        for kind_hit in query.hits_of_kind(kind)
    ]
    for hit in sorted(hits, key=lambda hit: hit.rank):
        catalog, _slash, code = hit.ref.rpartition("/")
        field = catalog or hit.kind
        if field in ("region", "district", "direction"):
            yield field, catalogs.option_by_code(field, code, locale())
