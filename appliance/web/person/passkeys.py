"""Passkeys: registered on the account page, used as the second step of the sign-in."""

from flask import Blueprint, Response, abort, jsonify, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import audit
from appliance.people import passkeys, second_factor
from appliance.people.passkeys import PasskeyRejected, RelyingParty
from appliance.web.shell.access import anyone, open_at_sign_in_step
from appliance.web.shell.context import me, site
from appliance.web.shell.request_data import local_address, require_json_object

screen = Blueprint("passkeys", __name__, url_prefix="/passkeys")


@screen.app_context_processor
def _passkey_context() -> dict[str, object]:
    """Give templates `passkeys()`: the user's passkeys, or None if the site cannot have any."""
    return {
        "passkeys": lambda: (
            passkeys.user_passkeys(me()) if passkeys.relying_party(site().web) else None
        )
    }


@screen.post("/offer")
@anyone
def send_creation_options() -> Response:
    """Send the options for creating a passkey, as JSON for the browser's WebAuthn interface.

    Aborts with 409 if the user has not set up an authenticator app, which is needed first.
    """
    if not second_factor.has_second_factor(me()):
        abort(409)
    return _json_response(passkeys.registration_options(current_user.session, _relying_party()))


@screen.post("")
@anyone
def add_passkey() -> Response:
    """Store the passkey that the browser created, and return the address of the next page as JSON.

    Aborts with 422 if it is rejected.
    """
    try:
        passkeys.add_passkey(current_user.session, _relying_party(), require_json_object())
    except PasskeyRejected:
        abort(422)
    return jsonify(there=url_for("second_factor.show_second_factor"))


@screen.post("/<int:number>/remove")
@anyone
def remove_passkey(number: int) -> BaseResponse:
    """Delete one of the user's passkeys."""
    passkeys.remove_passkey(me(), number)
    return redirect(url_for("second_factor.show_second_factor"))


@screen.post("/ask")
@anyone
@open_at_sign_in_step("prove")
def start_authentication() -> Response:
    """Send the options for signing in with a passkey, as JSON for the browser."""
    return _json_response(passkeys.authentication_options(current_user.session, _relying_party()))


@screen.post("/prove")
@anyone
@open_at_sign_in_step("prove")
def verify_passkey() -> Response:
    """Verify the signature made with a passkey, and return the address of the next page.

    Aborts with 422 if it is rejected.
    """
    try:
        passkeys.verify_answer(current_user.session, _relying_party(), require_json_object())
    except PasskeyRejected:
        audit.record_entry(
            me().login, "login.second.failed", address=request.remote_addr, by="passkey"
        )
        abort(422)
    return jsonify(
        there=local_address(request.args.get("next", "")) or url_for("login.redirect_home")
    )


def _relying_party() -> RelyingParty:
    """Return this site as WebAuthn's relying party; abort with 404 if it cannot have passkeys."""
    return passkeys.relying_party(site().web) or abort(404)


def _json_response(text: str) -> Response:
    """Return a response with a text that is JSON already."""
    return Response(text, mimetype="application/json")
