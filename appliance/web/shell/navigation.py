"""The sections of the top bar and their tabs; each user sees those that their role may open."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from flask import Flask, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.casework import catalogs, data_requests, unusual_reading
from appliance.casework.appeals import personal
from appliance.casework.changes import requests, states
from appliance.casework.knowledge import listing
from appliance.core import clock
from appliance.web.shell import access
from appliance.web.shell.context import me, site, today


@dataclass(frozen=True)
class Count:
    """The number of items on the page of a tab.

    `pressing`: how many of them need attention soon or are overdue; the link of the section shows
    the sum of this number over its tabs. `late`: some of them are overdue.
    """

    number: int = 0
    pressing: int = 0
    late: bool = False


class Link(NamedTuple):
    """A link of the top bar (to a section) or of the tabs; `is_here`: it leads to the open page.

    `number` is shown next to the name: for a tab, how many items its page lists; for a section, how
    many items of its pages need attention soon or are overdue. 0 is not shown. `late`: some of the
    items are overdue.
    """

    address: str
    name: LazyString
    is_here: bool
    number: int = 0
    late: bool = False


@dataclass(frozen=True)
class Tab:
    """A tab: its page's endpoint and name, and other screens (blueprints) that belong to it.

    `count_items` counts the items on its page, for the number next to its name; by default 0, which
    is not shown.
    """

    endpoint: str
    name: LazyString
    other_screens: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()  # of users who have this tab; empty: all who may open the page
    count_items: Callable[[], Count] = Count

    def is_shown(self) -> bool:
        """Return True if the current role has this tab."""
        return access.is_tab_shown(self.endpoint) and (
            not self.roles or access.current_role() in self.roles
        )

    def contains_page(self, endpoint: str) -> bool:
        """Return True if the page of this endpoint belongs to the tab."""
        screen = endpoint.partition(".")[0]
        return endpoint == self.endpoint or screen in (
            self.endpoint.partition(".")[0],
            *self.other_screens,
        )


def _change_request_count() -> Count:
    """Count the open change requests, and those that are due soon or overdue."""
    counts = requests.count_requests(catalogs.working_calendar(site()))
    return Count(counts.open, counts.due_soon + counts.overdue, counts.overdue > 0)


def _data_request_count() -> Count:
    """Count the open requests of citizens about their own data, and those due soon or overdue."""
    number, near, overdue = data_requests.count_by_urgency(today())
    return Count(number, near + overdue, overdue > 0)


def _article_count() -> Count:
    """Count the articles of the knowledge base that wait for work by the signed-in user.

    All of them need attention.
    """
    to_do = listing.count_open_tasks(me(), today())
    return Count(to_do, to_do)


def _unusual_reading_count() -> Count:
    """Count the audit's notices of the last 24 hours, for the manager; for other roles, 0.

    There is one for each personal appeal that a user opened by giving a reason, and for each
    finding of unusual reading (casework/unusual_reading.py).
    """
    if access.current_role() != "manager":
        return Count()
    since = clock.now() - dt.timedelta(days=1)
    number = personal.count_reveals(since) + len(unusual_reading.recent_findings(since))
    return Count(number, number)


def _unopened_appeal_count() -> Count:
    """Count the personal appeals that the signed-in user has the right to read and has not opened.

    Such a right is given to single users, the named readers of an appeal.
    """
    number = len(personal.unopened_reader_entries(me().login))
    return Count(number, number)


_CHANGES_PAGE = ("changes.show_requests", _l("Change requests"))
SECTIONS: tuple[tuple[LazyString, tuple[Tab, ...]], ...] = (
    (_l("Workplace"), (Tab("operator.show_workplace", _l("Workplace"), ("transfers",)),)),
    (
        _l("Citizens' appeals"),
        (
            Tab(
                "portal.list_appeals",
                _l("Citizens' appeals"),
                ("appeals", "handling"),
                count_items=_unopened_appeal_count,
            ),
            Tab(
                "lookup.look_up_appeal",
                _l("Find an appeal"),
                ("appeals", "handling"),
                count_items=_unopened_appeal_count,
            ),
            Tab("consultations.list_consultations", _l("Consultations")),
            Tab(
                "data_requests.list_requests",
                _l("Requests about personal data"),
                count_items=_data_request_count,
            ),
            Tab("evidence.list_packs", _l("Evidence packs")),
            Tab("scripts.show_scripts", _l("Scripts"), roles=("ministry",)),
            Tab(
                *_CHANGES_PAGE,
                roles=states.REQUESTER_ROLES,
                count_items=_change_request_count,
            ),
        ),
    ),
    (
        _l("Calls"),
        (
            Tab("floor.show_floor", _l("Floor")),
            Tab("calls.list_calls", _l("Calls of a day"), ("call",)),
            Tab("followups.list_followups", _l("Missed callers")),
            Tab("call_forms.list_registered_calls", _l("Registered calls")),
        ),
    ),
    (
        _l("Knowledge base"),
        (
            Tab("knowledge.show_knowledge_base", _l("Knowledge base")),
            Tab("articles.list_articles", _l("Articles"), count_items=_article_count),
            Tab("articles.show_article_usage", _l("Use of articles")),
        ),
    ),
    (
        _l("Reports"),
        (
            Tab("reports.show_monthly_report", _l("Monthly")),
            Tab("reports.show_quarterly_report", _l("Quarterly")),
            Tab("issued.list_issued_reports", _l("Submitted")),
            Tab("analytics.show_telephony_report", _l("Telephony report")),
            Tab("minutes.show_minutes", _l("Minutes and price")),
            Tab("capacity.show_capacity", _l("Capacity")),
            Tab("staff_records.show_staff_records", _l("Staff records")),
            Tab("accesses.show_accesses", _l("Who viewed what")),
        ),
    ),
    (
        _l("Settings"),
        (
            Tab("line.show_stages", _l("Telephony"), ("routing",)),
            Tab("people.show_people", _l("People"), ("desk_phones", "rights", "sessions")),
            Tab("workday.show_workday", _l("Operator's day")),
            Tab("directory.show_directory", _l("Directory of employees")),
            Tab("prompts.list_prompts", _l("Prompts")),
            Tab("form_versions.open_first_form", _l("Forms")),
            Tab("scripts.show_scripts", _l("Scripts"), roles=("manager", "supervisor")),
            Tab("departments.show_departments", _l("Departments")),
            Tab("lists.show_lists", _l("Lists")),
            Tab("calendar.show_calendar", _l("Working calendar")),
            Tab("keys.show_keys", _l("Access keys")),
            Tab(
                *_CHANGES_PAGE,
                roles=states.IMPLEMENTER_ROLES,
                count_items=_change_request_count,
            ),
        ),
    ),
    (
        _l("Status"),
        (
            Tab("status.show_status", _l("State of the system")),
            Tab("links.show_links", _l("Links and tests")),
            Tab("backups.show_backups", _l("Backups")),
            Tab("retention.show_retention", _l("Retention")),
            Tab("audit.show_entries", _l("Audit"), count_items=_unusual_reading_count),
            Tab("outbox.show_outbox", _l("Messages"), ("held_messages",)),
            Tab("ministry.show_ministry", _l("Ministry's system")),
            Tab("notices.show_notices", _l("Texts of messages")),
            Tab("sms_templates.list_templates", _l("SMS templates")),
            Tab("sms.show_sms_accounts", _l("SMS accounts")),
        ),
    ),
)


def init_app(app: Flask) -> None:
    """Give templates `sections()` and `tabs()`, lists of Links, and `may_open(endpoint)`."""
    app.jinja_env.globals["sections"] = _section_links
    app.jinja_env.globals["tabs"] = _tab_links
    app.jinja_env.globals["may_open"] = access.can_open


def _section_links() -> list[Link]:
    """Return a link for each section that the reader may open, to its first tab."""
    current_tab, links = _current_tab(), []
    for name, tabs in readable_sections():
        counts = [tab.count_items() for tab in tabs]
        pressing, late = (
            sum(count.pressing for count in counts),
            any(count.late for count in counts),
        )
        links.append(Link(url_for(tabs[0].endpoint), name, current_tab in tabs, pressing, late))
    return links


def _tab_links() -> list[Link]:
    """Return the links of the tabs of the open section; empty if the reader has only one tab."""
    current_tab = _current_tab()
    section_tabs = next((tabs for _, tabs in readable_sections() if current_tab in tabs), [])
    if len(section_tabs) < 2:
        return []
    counts = [tab.count_items() for tab in section_tabs]
    return [
        Link(url_for(tab.endpoint), tab.name, tab == current_tab, count.number, count.late)
        for tab, count in zip(section_tabs, counts, strict=True)
    ]


def _current_tab() -> Tab | None:
    """Return the tab that the open page belongs to, if any.

    A tab of exactly this endpoint is preferred to a tab that only contains the page's screen, and a
    tab that the reader has to one that they do not have.
    """
    endpoint = request.endpoint or ""
    candidates = [tab for _, section in SECTIONS for tab in section if tab.contains_page(endpoint)]
    tabs = [tab for tab in candidates if tab.is_shown()] or candidates
    return next((tab for tab in tabs if tab.endpoint == endpoint), next(iter(tabs), None))


def readable_sections() -> Iterator[tuple[LazyString, list[Tab]]]:
    """Yield (name, tabs) of each section of which the reader has any tabs, with only those tabs."""
    for name, section in SECTIONS:
        if tabs := [tab for tab in section if tab.is_shown()]:
            yield name, tabs
