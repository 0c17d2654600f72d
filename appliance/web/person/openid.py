"""Sign in through an external identity provider, with OpenID Connect (implemented by Authlib).

The provider identifies a person by a subject, which must be linked to a user (people/identities.py)
before that person can sign in. Nothing else is requested from the provider. While it does not
respond, users can sign in by password.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Flask, abort, current_app, redirect, request, session, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import audit, clock
from appliance.core.settings import OpenId, Settings
from appliance.people import identities, sessions
from appliance.web.person import login
from appliance.web.shell.access import public
from appliance.web.shell.context import me, site
from appliance.web.shell.request_data import local_address

if TYPE_CHECKING:
    from authlib.integrations.flask_client import FlaskOAuth2App

screen = Blueprint("openid", __name__, url_prefix="/login/openid")

SOURCE = "openid"
_TIMEOUTS_SECONDS = (2, 5)  # for a connection, for a response
_MAX_CLOCK_SKEW_SECONDS = 120  # by which the provider's clock may be wrong
# If the provider does not respond, at most two threads wait for it.
_REQUEST_SLOTS = threading.BoundedSemaphore(2)


class UnverifiedIdentity(Exception):
    """The provider does not state who the user is, or its statement cannot be trusted."""


class TooManyRequests(Exception):
    """No slot for a request to the provider became free in time."""


@screen.record_once
def _register_provider(state: BlueprintSetupState) -> None:
    """Register the identity provider of the settings, if any, without contacting it yet."""
    app = cast(Flask, state.app)
    settings: Settings = app.config["SITE"]
    if rules := settings.openid:
        from authlib.integrations.flask_client import (
            OAuth,  # imported here as below: few sites have a provider
        )

        oauth: Any = OAuth(app)  # its register() has no types
        oauth.register(
            SOURCE,
            client_id=rules.client_id,
            client_secret=rules.client_secret,
            server_metadata_url=f"{rules.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid",
                "code_challenge_method": "S256",
                "default_timeout": _TIMEOUTS_SECONDS,
                "verify": rules.ca or True,
                # otherwise the environment's certificate authorities would take precedence
                "trust_env": False,
            },
        )


@screen.get("")
@public
def start_sign_in() -> BaseResponse | tuple[str, int]:
    """Redirect to the provider's own page, with an OAuth state that is valid once.

    If the provider does not respond, show the login page, which says so.
    """
    from authlib.common.errors import AuthlibBaseError
    from requests import RequestException

    provider, callback_url = _provider_client(), site().web.url + url_for(".complete_sign_in")
    for state_key in [name for name in session if name.startswith(f"_state_{SOURCE}")]:
        session.pop(state_key)  # of abandoned attempts
    session["asked_for"] = local_address(request.args.get("next", ""))
    session["asked_at"] = clock.now().timestamp()
    try:
        with _hold_request_slot():
            # The provider asks for its password again: the next user at a shared desk, or at a
            # locked page, may be another person.
            return provider.authorize_redirect(callback_url, prompt="login", max_age=0)
    except (TooManyRequests, RequestException, AuthlibBaseError, RuntimeError, ValueError):
        return _render_unavailable()


@screen.get("/back")
@public
def complete_sign_in() -> BaseResponse | tuple[str, int]:
    """Sign in the user to whom the provider's subject is linked, or unlock their locked session.

    The provider redirects here. If there is no such user, or the provider's statement cannot be
    trusted, show the login page with the reason.
    """
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    provider, rules, address = _provider_client(), _provider_settings(), request.remote_addr or ""
    try:
        with _hold_request_slot():
            claims = _fetch_claims(provider, rules)
    except (TooManyRequests, RequestException):
        return _render_unavailable()
    except (AuthlibBaseError, JoseError, UnverifiedIdentity, ValueError) as error:
        error_name = type(error).__name__
        audit.record_entry("-", "login.failed", address=address, by=SOURCE, why=error_name)
        return login.render_login_form(_("The sign-in was not confirmed. Try again.")), 401
    user = identities.find_user(SOURCE, claims["sub"])
    if not user:
        subject = claims["sub"][: identities.MAX_SUBJECT_CHARS]
        audit.record_entry("-", "login.failed", address=address, by=SOURCE, named=subject)
        return login.render_login_form(
            _("No user here has this name. Ask the project manager.")
        ), 401
    next_url = session.pop("asked_for", "")
    if current_user.is_authenticated and me() == user and current_user.session.locked_at:
        sessions.unlock_session(current_user.session)
        return redirect(next_url or url_for("login.redirect_home"))
    audit.record_entry(user.login, "login", address=address, by=SOURCE)
    device = login.current_device()
    login.begin_session(user, device, SOURCE if _has_second_factor(claims, rules) else "", SOURCE)
    return login.redirect_onward(device, next_url)


def _fetch_claims(provider: "FlaskOAuth2App", rules: OpenId) -> Mapping[str, Any]:
    """Return the provider's claims about the user who comes back from its page.

    They are fetched with the authorization code in the current request; `rules` are the settings of
    the provider.

    Raises UnverifiedIdentity if they lack a subject, have the wrong types or belong to an earlier
    sign-in; errors of Authlib, joserfc and requests are passed on.
    """
    claim_options = {"iss": {"values": [rules.issuer]}, "aud": {"values": [rules.client_id]}}
    token = provider.authorize_access_token(claims_options=claim_options)
    claims: Mapping[str, Any] | None = token.get("userinfo")
    if not claims or not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise UnverifiedIdentity
    started_at = session.pop("asked_at", None)
    if started_at is None or not _is_recent_sign_in(claims.get("auth_time"), started_at):
        raise UnverifiedIdentity
    _check_claim_types(claims)
    return claims


def _check_claim_types(claims: Mapping[str, Any]) -> None:
    """Raise UnverifiedIdentity unless `amr` is a list of texts and `acr` a text, if present.

    See OpenID Connect Core 1.0, section 2.
    """
    methods, level = claims.get("amr"), claims.get("acr")
    if level is not None and not isinstance(level, str):
        raise UnverifiedIdentity
    if methods is None:
        return
    if not isinstance(methods, list) or not all(isinstance(way, str) for way in methods):
        raise UnverifiedIdentity


def _is_recent_sign_in(auth_time: object, started_at: float) -> bool:
    """Return True if the user signed in at the provider after `started_at`, and not in the future.

    `auth_time` is the claim with that time, in seconds since 1970 (OpenID Connect Core 1.0,
    section 2).
    """
    if isinstance(auth_time, bool) or not isinstance(auth_time, int | float):
        return False
    return (
        started_at - _MAX_CLOCK_SKEW_SECONDS
        <= auth_time
        <= clock.now().timestamp() + _MAX_CLOCK_SKEW_SECONDS
    )


def _has_second_factor(claims: Mapping[str, Any], rules: OpenId) -> bool:
    """Return True if the claims say that the provider checked a second factor.

    The settings (`rules.factors`) list the values of `amr` and `acr` that mean this.
    """
    methods = claims.get("amr") or []
    return bool({*methods, claims.get("acr")} & {*rules.factors})


def _provider_client() -> "FlaskOAuth2App":
    """Return Authlib's client of the provider; abort with 404 if the site has no provider."""
    oauth = current_app.extensions.get("authlib.integrations.flask_client")
    client: FlaskOAuth2App = oauth.create_client(SOURCE) if oauth else abort(404)
    return client


def _provider_settings() -> OpenId:
    """Return the settings of the provider; abort with 404 if the site has no provider."""
    return site().openid or abort(404)


def _render_unavailable() -> tuple[str, int]:
    """Render the login page with the text that the provider does not respond; status 503."""
    trouble = _(
        "%(name)s does not answer. Sign in with your password.", name=_provider_settings().name
    )
    return login.render_login_form(trouble), 503


@contextmanager
def _hold_request_slot() -> Iterator[None]:
    """Hold one of the two slots for requests to the provider inside the `with` block.

    Raises TooManyRequests if no slot becomes free within one second.
    """
    if not _REQUEST_SLOTS.acquire(timeout=1):
        raise TooManyRequests
    try:
        yield
    finally:
        _REQUEST_SLOTS.release()
