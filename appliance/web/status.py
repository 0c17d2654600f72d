"""The site's self-checks, for those who look after it."""

from flask import Blueprint, render_template

from appliance import clock, health
from appliance.web.access import may
from appliance.web.context import site

screen = Blueprint("status", __name__)


@screen.get("/status")
@may("technician", "backup", "manager")
def page() -> str:
    """Every check, what was seen and what to do; looked at anew by each opening."""
    return render_template("status/page.html", checks=health.checks(site()), at=clock.now())


@screen.get("/status/checks")
@may("technician", "backup", "manager")
def checks() -> str:
    """The same, as a piece of the open page."""
    return render_template("status/checks.html", checks=health.checks(site()), at=clock.now())
