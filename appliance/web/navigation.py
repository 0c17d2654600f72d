"""The tabs of the top bar; each person sees those that his role may open."""

from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.web import access


@dataclass(frozen=True)
class Tab:
    """A section: the endpoint of its page, and its name."""

    endpoint: str
    name: LazyString


TABS = (
    Tab("operator.page", _l("Workplace")),
    Tab("floor.page", _l("Floor")),
    Tab("calls.today", _l("Calls")),
    Tab("followups.page", _l("Missed callers")),
    Tab("reports.page", _l("Reports")),
    Tab("plan.page", _l("Telephony")),
    Tab("prompts.page", _l("Prompts")),
    Tab("directory.page", _l("Directory")),
    Tab("status.page", _l("Status")),
)


def init_app(app: Flask) -> None:
    """Give templates `tabs()`: (address, name, whether it is open)."""

    def tabs() -> list[tuple[str, LazyString, bool]]:
        here = request.blueprint
        return [
            (url_for(tab.endpoint), tab.name, tab.endpoint.split(".")[0] == here)
            for tab in TABS
            if access.allowed(tab.endpoint)
        ]

    app.jinja_env.globals["tabs"] = tabs
