"""The sections of the top bar and the tabs within them; each person sees what his role may open."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from flask import Flask, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.casework import catalogs, changes, data_requests, unusual
from appliance.casework.appeals import personal
from appliance.casework.knowledge import listing
from appliance.core import clock
from appliance.web.shell import access
from appliance.web.shell.context import me, site, today


@dataclass(frozen=True)
class Count:
    """How many of a thing stand behind a link; what presses is told on the section as well."""

    number: int = 0
    pressing: int = 0
    late: bool = False  # some of them are too late


class Link(NamedTuple):
    """A link of the top bar or of the tabs; `is_here`: to what is open."""

    address: str
    name: LazyString
    is_here: bool
    number: int = 0
    late: bool = False  # some of that number are too late


@dataclass(frozen=True)
class Tab:
    """A page: its endpoint, its name, and the further screens that are reached from it."""

    endpoint: str
    name: LazyString
    also: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()  # whose tab it is; empty: of all who may open the page
    counted: Callable[[], Count] = Count

    def is_shown(self) -> bool:
        """Whether the role that asks has this tab."""
        return access.shown(self.endpoint) and (not self.roles or access.role() in self.roles)

    def holds(self, endpoint: str) -> bool:
        """Whether a page belongs to this tab."""
        screen = endpoint.partition(".")[0]
        return endpoint == self.endpoint or screen in (self.endpoint.partition(".")[0], *self.also)


def _requests() -> Count:
    found = changes.counts(catalogs.working_calendar(site()))
    return Count(found.open, found.near + found.overdue, found.overdue > 0)


def _data_requests() -> Count:
    number, near, overdue = data_requests.pressing(today())
    return Count(number, near + overdue, overdue > 0)


def _articles() -> Count:
    found = listing.to_do(me(), today())
    return Count(found, found)


def _opened() -> Count:
    """Personal appeals opened for a reason, and unusual reading, of a day; to the manager."""
    if access.role() != "manager":
        return Count()
    since = clock.now() - dt.timedelta(days=1)
    found = personal.reveals_since(since) + len(unusual.noted(since))
    return Count(found, found)


def _named() -> Count:
    """Personal appeals that somebody was named to read and has not opened."""
    found = len(personal.not_opened(me().login))
    return Count(found, found)


_CHANGES = ("changes.page", _l("Change requests"))
SECTIONS: tuple[tuple[LazyString, tuple[Tab, ...]], ...] = (
    (_l("Workplace"), (Tab("operator.page", _l("Workplace"), ("transfers",)),)),
    (
        _l("Citizens' appeals"),
        (
            Tab("portal.page", _l("Citizens' appeals"), ("appeals", "handling"), counted=_named),
            Tab("lookup.page", _l("Find an appeal"), ("appeals", "handling"), counted=_named),
            Tab("consultations.page", _l("Consultations")),
            Tab("data_requests.page", _l("Requests about own data"), counted=_data_requests),
            Tab("evidence.page", _l("Evidence packs")),
            Tab("scripts.page", _l("Scripts"), roles=("ministry",)),
            Tab(*_CHANGES, roles=changes.states.ASKS, counted=_requests),
        ),
    ),
    (
        _l("Calls"),
        (
            Tab("floor.page", _l("Floor")),
            Tab("calls.today", _l("Calls of a day"), ("call",)),
            Tab("followups.page", _l("Missed callers")),
            Tab("call_forms.listed", _l("Registered calls")),
        ),
    ),
    (
        _l("Knowledge base"),
        (
            Tab("knowledge.page", _l("Knowledge base")),
            Tab("articles.page", _l("Articles"), counted=_articles),
            Tab("articles.use", _l("Use of articles")),
        ),
    ),
    (
        _l("Reports"),
        (
            Tab("reports.page", _l("Monthly")),
            Tab("reports.quarterly", _l("Quarterly")),
            Tab("issued.page", _l("Issued")),
            Tab("analytics.page", _l("Telephony report")),
            Tab("minutes.page", _l("Minutes and price")),
            Tab("capacity.page", _l("Capacity")),
            Tab("staff_records.page", _l("Staff records")),
            Tab("accesses.page", _l("Who looked at whom")),
        ),
    ),
    (
        _l("Settings"),
        (
            Tab("line.page", _l("Telephony"), ("routing",)),
            Tab("people.page", _l("People"), ("desk_phones", "rights", "sessions")),
            Tab("workday.page", _l("Operator's day")),
            Tab("directory.page", _l("Directory")),
            Tab("prompts.page", _l("Prompts")),
            Tab("form_versions.first", _l("Forms")),
            Tab("scripts.page", _l("Scripts"), roles=("manager", "supervisor")),
            Tab("departments.page", _l("Departments")),
            Tab("lists.page", _l("Lists")),
            Tab("calendar.page", _l("Working calendar")),
            Tab("keys.page", _l("Access keys")),
            Tab(*_CHANGES, roles=changes.states.DOES, counted=_requests),
        ),
    ),
    (
        _l("Status"),
        (
            Tab("status.page", _l("State of the system")),
            Tab("links.page", _l("Links and tests")),
            Tab("backups.page", _l("Backups")),
            Tab("retention.page", _l("Retention")),
            Tab("audit.page", _l("Audit"), counted=_opened),
            Tab("outbox.page", _l("Messages"), ("held_messages",)),
            Tab("ministry.page", _l("Ministry's system")),
            Tab("notices.page", _l("Texts of messages")),
            Tab("sms_templates.page", _l("SMS templates")),
            Tab("sms.page", _l("SMS accounts")),
        ),
    ),
)


def init_app(app: Flask) -> None:
    """Give templates `sections()` and `tabs()`, lists of Links, and `may_open(endpoint)`."""
    app.jinja_env.globals["sections"] = _sections
    app.jinja_env.globals["tabs"] = _tabs
    app.jinja_env.globals["may_open"] = access.allowed


def _sections() -> list[Link]:
    here, found = _here(), []
    for name, tabs in open_to_the_reader():
        counts = [tab.counted() for tab in tabs]
        pressing, late = sum(one.pressing for one in counts), any(one.late for one in counts)
        found.append(Link(url_for(tabs[0].endpoint), name, here in tabs, pressing, late))
    return found


def _tabs() -> list[Link]:
    """The tabs of the section that is open; none when it has only one."""
    here = _here()
    found = next((tabs for _, tabs in open_to_the_reader() if here in tabs), [])
    if len(found) < 2:
        return []
    counts = [tab.counted() for tab in found]
    return [
        Link(url_for(tab.endpoint), tab.name, tab == here, count.number, count.late)
        for tab, count in zip(found, counts, strict=True)
    ]


def _here() -> Tab | None:
    """The tab of the open page: the one of its very endpoint before one of its screen."""
    endpoint = request.endpoint or ""
    held = [tab for _, section in SECTIONS for tab in section if tab.holds(endpoint)]
    tabs = [tab for tab in held if tab.is_shown()] or held
    return next((tab for tab in tabs if tab.endpoint == endpoint), next(iter(tabs), None))


def open_to_the_reader() -> Iterator[tuple[LazyString, list[Tab]]]:
    """The sections with the tabs that whoever asks may open."""
    for name, section in SECTIONS:
        if tabs := [tab for tab in section if tab.is_shown()]:
            yield name, tabs
