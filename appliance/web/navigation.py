"""The tabs of the top bar; each person sees those that his role may open."""

from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.web import access


@dataclass(frozen=True)
class Tab:
    """A section: the endpoint of its page, its name, the other blueprints that belong to it."""

    endpoint: str
    name: LazyString
    also: tuple[str, ...] = ()


TABS = (
    Tab("operator.page", _l("Workplace")),
    Tab("portal.page", _l("Citizens' appeals"), ("appeals", "handling")),
    Tab("calls.today", _l("Calls")),
    Tab("reports.page", _l("Reports")),
    Tab("departments.page", _l("Departments")),
    Tab("keys.page", _l("Access keys")),
    Tab("outbox.page", _l("Messages")),
    Tab("status.page", _l("Status")),
)

# Screens within another screen's section.
PARTS = {
    "issued": "reports",
    "staff_records": "reports",
    "notices": "outbox",
    "retention": "status",
}


def init_app(app: Flask) -> None:
    """Give templates `tabs()`: (address, name, whether it is open); and `may_open(endpoint)`."""

    def tabs() -> list[tuple[str, LazyString, bool]]:
        here = PARTS.get(request.blueprint or "", request.blueprint)
        return [
            (url_for(tab.endpoint), tab.name, here in (tab.endpoint.split(".")[0], *tab.also))
            for tab in TABS
            if access.allowed(tab.endpoint)
        ]

    app.jinja_env.globals["tabs"] = tabs
    app.jinja_env.globals["may_open"] = access.allowed
