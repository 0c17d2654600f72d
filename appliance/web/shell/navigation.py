"""The sections of the top bar and the tabs within them; each person sees what his role may open."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.web.shell import access

type Link = tuple[str, LazyString, bool]  # address, name, whether it is open


@dataclass(frozen=True)
class Tab:
    """A page: its endpoint, its name, and the further screens that are reached from it."""

    endpoint: str
    name: LazyString
    also: tuple[str, ...] = ()

    def holds(self, endpoint: str) -> bool:
        """Whether a page belongs to this tab."""
        screen = endpoint.partition(".")[0]
        return endpoint == self.endpoint or screen in (self.endpoint.partition(".")[0], *self.also)


SECTIONS: tuple[tuple[LazyString, tuple[Tab, ...]], ...] = (
    (_l("Workplace"), (Tab("operator.page", _l("Workplace"), ("transfers",)),)),
    (
        _l("Citizens' appeals"),
        (
            Tab("portal.page", _l("Citizens' appeals"), ("appeals", "handling")),
            Tab("lookup.page", _l("Find an appeal"), ("appeals", "handling")),
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
        _l("Reports"),
        (
            Tab("reports.page", _l("Monthly")),
            Tab("reports.quarterly", _l("Quarterly")),
            Tab("issued.page", _l("Issued")),
            Tab("analytics.page", _l("Telephony report")),
            Tab("minutes.page", _l("Minutes and price")),
            Tab("capacity.page", _l("Capacity")),
            Tab("staff_records.page", _l("Staff records")),
        ),
    ),
    (
        _l("Settings"),
        (
            Tab("line.page", _l("Telephony"), ("routing",)),
            Tab("people.page", _l("People")),
            Tab("directory.page", _l("Directory")),
            Tab("prompts.page", _l("Prompts")),
            Tab("departments.page", _l("Departments")),
            Tab("keys.page", _l("Access keys")),
        ),
    ),
    (
        _l("Status"),
        (
            Tab("status.page", _l("State of the system")),
            Tab("links.page", _l("Links and tests")),
            Tab("backups.page", _l("Backups")),
            Tab("retention.page", _l("Retention")),
            Tab("outbox.page", _l("Messages")),
            Tab("ministry.page", _l("Ministry's system")),
            Tab("notices.page", _l("Texts of messages")),
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
    here = _here()
    return [(url_for(tabs[0].endpoint), name, here in tabs) for name, tabs in _open_to_the_reader()]


def _tabs() -> list[Link]:
    """The tabs of the section that is open; none when it has only one."""
    here = _here()
    found = next((tabs for _, tabs in _open_to_the_reader() if here in tabs), [])
    if len(found) < 2:
        return []
    return [(url_for(tab.endpoint), tab.name, tab == here) for tab in found]


def _here() -> Tab | None:
    """The tab of the open page: the one of its very endpoint before one of its screen."""
    endpoint = request.endpoint or ""
    held = [tab for _, section in SECTIONS for tab in section if tab.holds(endpoint)]
    tabs = [tab for tab in held if access.allowed(tab.endpoint)] or held
    return next((tab for tab in tabs if tab.endpoint == endpoint), next(iter(tabs), None))


def _open_to_the_reader() -> Iterator[tuple[LazyString, list[Tab]]]:
    for name, section in SECTIONS:
        if tabs := [tab for tab in section if access.shown(tab.endpoint)]:
            yield name, tabs
