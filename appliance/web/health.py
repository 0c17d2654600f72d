"""`/healthz`: whether this process serves pages and can write."""

from flask import Blueprint, Response

from appliance import health
from appliance.web.access import public

screen = Blueprint("health", __name__)


@screen.get("/healthz")
@public
def healthz() -> Response:
    """200 "ok", or 503 when the database takes no change."""
    if health.writable():
        return Response("ok\n", mimetype="text/plain")
    return Response("the database takes no change\n", 503, mimetype="text/plain")
