"""The tabs of the top bar; each person sees those that his role may open."""

from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.web import access


@dataclass(frozen=True)
class Tab:
    """A section: the endpoint of its page, its name."""

    endpoint: str
    name: LazyString
    rooms: tuple[str, ...] = ()  # further screens that it holds


TABS = (
    Tab("operator.page", _l("Workplace")),
    Tab("floor.page", _l("Floor")),
    Tab("calls.today", _l("Calls")),
    Tab("followups.page", _l("Missed callers")),
    Tab("reports.page", _l("Reports")),
    Tab("analytics.page", _l("Telephony"), ("minutes", "capacity")),
    Tab("prompts.page", _l("Prompts")),
    Tab("directory.page", _l("Directory")),
    Tab("status.page", _l("Status")),
)

# Screens within another screen's section.
PARTS = {"issued": "reports", "staff_records": "reports"}


def init_app(app: Flask) -> None:
    """Give templates `tabs()`: (address, name, whether it is open); and `may_open(endpoint)`."""

    def tabs() -> list[tuple[str, LazyString, bool]]:
        here = PARTS.get(request.blueprint or "", request.blueprint)
        return [
            (url_for(tab.endpoint), tab.name, here in (tab.endpoint.split(".")[0], *tab.rooms))
            for tab in TABS
            if access.allowed(tab.endpoint)
        ]

    app.jinja_env.globals["tabs"] = tabs
    app.jinja_env.globals["may_open"] = access.allowed
