"""`/healthz`: whether this process serves pages and can write; `/metrics`: figures of the site."""

import ipaddress

from flask import Blueprint, Flask, Response, abort, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST

from appliance.box import health
from appliance.box.metrics import Metrics
from appliance.web.shell.access import public

screen = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    """What was answered last is kept for some seconds."""
    app.extensions["metrics"] = Metrics(app.config["SITE"])


@screen.get("/healthz")
@public
def healthz() -> Response:
    """200 "ok", or 503 when the database takes no change."""
    if health.writable():
        return Response("ok\n", mimetype="text/plain")
    return Response("the database takes no change\n", 503, mimetype="text/plain")


@screen.get("/metrics")
@public
def metrics() -> Response:
    """For Prometheus on this machine: who comes through the TLS front is not on it."""
    if "X-Forwarded-For" in request.headers or not _is_here(request.remote_addr):
        abort(404)
    return Response(current_app.extensions["metrics"].text(), content_type=CONTENT_TYPE_LATEST)


def _is_here(address: str | None) -> bool:
    return address is not None and ipaddress.ip_address(address).is_loopback
