"""Passkeys: made on the account's page, used at the second step of the sign-in."""

from flask import Blueprint, Flask, Response, abort, jsonify, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import audit
from appliance.people import passkeys, second_factor
from appliance.people.passkeys import Party, Unproved
from appliance.web.shell.access import anyone, at_step
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import document, ours

screen = Blueprint("passkeys", __name__, url_prefix="/passkeys")


def init_app(app: Flask) -> None:
    """Give templates the keys of whoever asks, None where there can be none."""

    @app.context_processor
    def words() -> dict[str, object]:
        return {"passkeys": lambda: passkeys.of(me()) if passkeys.party(site().web) else None}


@screen.post("/offer")
@anyone
def offer() -> Response:
    """What the browser needs to make a key; who has an app and a paper may."""
    if not second_factor.is_set(me()):
        abort(409)
    return _json(passkeys.offer(current_user.session, _party()))


@screen.post("")
@anyone
def add() -> Response:
    """Keep the key that was made."""
    try:
        passkeys.add(current_user.session, _party(), document())
    except Unproved:
        abort(422)
    return jsonify(there=url_for("second_factor.page"))


@screen.post("/<int:number>/remove")
@anyone
def remove(number: int) -> BaseResponse:
    """Forget a key."""
    passkeys.remove(me(), number)
    return redirect(url_for("second_factor.page"))


@screen.post("/ask")
@anyone
@at_step("prove")
def ask() -> Response:
    """What the browser needs to have a key sign."""
    return _json(passkeys.ask(current_user.session, _party()))


@screen.post("/prove")
@anyone
@at_step("prove")
def prove() -> Response:
    """Take what the key signed, and tell where to go on."""
    try:
        passkeys.prove(current_user.session, _party(), document())
    except Unproved:
        audit.record(me().login, "login.second.failed", address=request.remote_addr, by="passkey")
        abort(422)
    return jsonify(there=ours(request.args.get("next", "")) or url_for("login.home"))


def _party() -> Party:
    return passkeys.party(site().web) or abort(404)


def _json(text: str) -> Response:
    return Response(text, mimetype="application/json")
