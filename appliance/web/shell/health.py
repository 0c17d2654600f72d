"""The addresses `/healthz` (this process serves pages and can write) and `/metrics`."""

import ipaddress

from flask import Blueprint, Flask, Response, abort, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST

from appliance.box import health
from appliance.box.metrics import MetricsPage
from appliance.web.shell.access import public

screen = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    """Create the metrics page, which caches its text for some seconds."""
    app.extensions["metrics"] = MetricsPage(app.config["SITE"])


@screen.get("/healthz")
@public
def show_health() -> Response:
    """Return 200 "ok", or 503 if the database accepts no change."""
    if health.is_writable():
        return Response("ok\n", mimetype="text/plain")
    return Response("the database takes no change\n", 503, mimetype="text/plain")


@screen.get("/metrics")
@public
def show_metrics() -> Response:
    """Return the metrics to Prometheus, which runs on this machine.

    A request from elsewhere, or through the TLS front (nginx), is answered with 404.
    """
    if "X-Forwarded-For" in request.headers or not _is_loopback(request.remote_addr):
        abort(404)
    return Response(
        current_app.extensions["metrics"].render_text(), content_type=CONTENT_TYPE_LATEST
    )


def _is_loopback(address: str | None) -> bool:
    """Return True if the IP address is a loopback address."""
    return address is not None and ipaddress.ip_address(address).is_loopback
