"""`/healthz`: does this process serve pages and can it write; `/metrics`: figures of the site."""

import ipaddress

from flask import Blueprint, Flask, Response, abort, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST

from appliance.box import health
from appliance.box.metrics import MetricsPage
from appliance.web.shell.access import public

screen = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    """Create the metrics, which cache their last response for some seconds."""
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
    """Return metrics for Prometheus on this machine; 404 for a request through the TLS front."""
    if "X-Forwarded-For" in request.headers or not _is_loopback(request.remote_addr):
        abort(404)
    return Response(
        current_app.extensions["metrics"].render_text(), content_type=CONTENT_TYPE_LATEST
    )


def _is_loopback(address: str | None) -> bool:
    """Return True if the address is one of this machine."""
    return address is not None and ipaddress.ip_address(address).is_loopback
