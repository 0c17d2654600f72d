"""Signing in by a party outside that knows the person: OpenID Connect, by Authlib.

Whom it vouches for signs in as the person to whom its name for him was given (`identities`), else
nobody does. The box asks it for nothing else, and works on where it is away: passwords stay.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, abort, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import audit, clock
from appliance.core.settings import OpenId, Settings
from appliance.people import identities, sessions
from appliance.web.person import login
from appliance.web.shell.access import public
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import ours

if TYPE_CHECKING:
    from authlib.integrations.flask_client import FlaskOAuth2App

screen = Blueprint("openid", __name__, url_prefix="/login/openid")

SOURCE = "openid"
_WAITS = (2, 5)  # seconds for a connection, for an answer
_AWRY = 120  # seconds that the party's clock may be wrong
_AT_ONCE = threading.BoundedSemaphore(2)  # a party that hangs holds up no more threads than these


class Unproved(Exception):
    """The party does not say who it is, or nothing that can be trusted."""


class TooMany(Exception):
    """It is asked by as many as may at once."""


def init_app(app: Flask) -> None:
    """Know the party of the settings, if there is one; it is asked nothing before it is needed."""
    settings: Settings = app.config["SITE"]
    if rules := settings.openid:
        from authlib.integrations.flask_client import OAuth  # as below: few sites have a party

        OAuth(app).register(
            SOURCE,
            client_id=rules.client_id,
            client_secret=rules.client_secret,
            server_metadata_url=f"{rules.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid",
                "code_challenge_method": "S256",
                "default_timeout": _WAITS,
                "verify": rules.ca or True,
                "trust_env": False,  # else the environment's authorities would come before it
            },
        )


@screen.get("")
@public
def begin() -> BaseResponse | tuple[str, int]:
    """To the party's own page, with what it gives back once."""
    from authlib.common.errors import AuthlibBaseError
    from requests import RequestException

    party, there = _party(), site().web.url + url_for(".back")
    for kept in [name for name in session if name.startswith(f"_state_{SOURCE}")]:
        session.pop(kept)  # of attempts that were given up
    session["asked_for"] = ours(request.args.get("next", ""))
    session["asked_at"] = clock.now().timestamp()
    try:
        with _turn():  # the next one at a shared desk, or before a locked page, is not the last one
            return party.authorize_redirect(there, prompt="login", max_age=0)
    except (TooMany, RequestException, AuthlibBaseError, RuntimeError, ValueError):
        return _away()


@screen.get("/back")
@public
def back() -> BaseResponse | tuple[str, int]:
    """Sign in whom the party knows, if it calls somebody here so."""
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    party, rules, address = _party(), _rules(), request.remote_addr or ""
    try:
        with _turn():
            claims = _claims(party, rules)
    except (TooMany, RequestException):
        return _away()
    except (AuthlibBaseError, JoseError, Unproved, ValueError) as error:
        what = type(error).__name__
        audit.record("-", "login.failed", address=address, by=SOURCE, why=what)
        return login.form(_("The sign-in was not confirmed. Try again.")), 401
    user = identities.person(SOURCE, claims["sub"])
    if not user:
        subject = claims["sub"][: identities.LONGEST]
        audit.record("-", "login.failed", address=address, by=SOURCE, named=subject)
        return login.form(_("Nobody here is known by this name. Ask the project manager.")), 401
    asked_for = session.pop("asked_for", "")
    if current_user.is_authenticated and me() == user and current_user.session.locked_at:
        sessions.unlock(current_user.session)
        return redirect(asked_for or url_for("login.home"))
    audit.record(user.login, "login", address=address, by=SOURCE)
    device = login.this_device()
    login.begin(user, device, SOURCE if _proved_twice(claims, rules) else "", SOURCE)
    return login.onward(device, asked_for)


def _claims(party: "FlaskOAuth2App", rules: OpenId) -> Mapping[str, Any]:
    """What the party says of the person. Raises Unproved, and what Authlib raises."""
    wanted = {"iss": {"values": [rules.issuer]}, "aud": {"values": [rules.client_id]}}
    said = party.authorize_access_token(claims_options=wanted).get("userinfo")
    if not said or not isinstance(said.get("sub"), str) or not said["sub"]:
        raise Unproved
    begun = session.pop("asked_at", None)
    if begun is None or not _proved_since(said.get("auth_time"), begun):
        raise Unproved
    _prove_shapes(said)
    return said


def _prove_shapes(claims: Mapping[str, Any]) -> None:
    """Raise Unproved where `amr` is no list of texts or `acr` no text (Core 1.0, section 2)."""
    ways, level = claims.get("amr"), claims.get("acr")
    if level is not None and not isinstance(level, str):
        raise Unproved
    if ways is None:
        return
    if not isinstance(ways, list) or not all(isinstance(way, str) for way in ways):
        raise Unproved


def _proved_since(moment: object, begun: float) -> bool:
    """Whether `auth_time` (Core 1.0, section 2: seconds) is from this sign-in, and not to come."""
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        return False
    return begun - _AWRY <= moment <= clock.now().timestamp() + _AWRY


def _proved_twice(claims: Mapping[str, Any], rules: OpenId) -> bool:
    """Whether the party has asked for a second factor, by the settings."""
    ways = claims.get("amr") or []
    return bool({*ways, claims.get("acr")} & {*rules.factors})


def _party() -> "FlaskOAuth2App":
    known = current_app.extensions.get("authlib.integrations.flask_client")
    return known.create_client(SOURCE) if known else abort(404)


def _rules() -> OpenId:
    return site().openid or abort(404)


def _away() -> tuple[str, int]:
    trouble = _("%(name)s does not answer. Sign in by your password.", name=_rules().name)
    return login.form(trouble), 503


@contextmanager
def _turn() -> Iterator[None]:
    """One of the few who ask at once. Raises TooMany."""
    if not _AT_ONCE.acquire(timeout=1):
        raise TooMany
    try:
        yield
    finally:
        _AT_ONCE.release()
