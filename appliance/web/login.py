"""Signing in and out."""

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect, generate_csrf
from werkzeug.wrappers import Response as BaseResponse

from appliance import audit, health, staff
from appliance.models import User
from appliance.web.access import HOMES, anyone, public
from appliance.web.context import is_fragment, me
from appliance.web.errors import send_again
from appliance.web.limits import limiter

screen = Blueprint("login", __name__)
csrf = CSRFProtect()
_manager = LoginManager()


@dataclass
class SignedIn(UserMixin):
    """A user as flask-login wants him; a new password ends the sessions begun with the old one."""

    user: User

    def get_id(self) -> str:
        """What the session remembers."""
        return f"{self.user.id}:{_fingerprint(self.user)}"


def init_app(app: Flask) -> None:
    """Sessions, protection of forms, and how often one may try to sign in."""
    _manager.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)


@_manager.user_loader
def load(remembered: str) -> SignedIn | None:
    """The person of a session; None when the account was closed or has a new password."""
    number, _colon, fingerprint = remembered.partition(":")
    user = User.get_or_none(User.id == number, User.active)
    return SignedIn(user) if user and _fingerprint(user) == fingerprint else None


@_manager.unauthorized_handler
def sign_in_first() -> BaseResponse | tuple[str, int]:
    """To the login page and back here; a piece of an open page is only told (401)."""
    if is_fragment() or request.method != "GET" or request.endpoint == "live.stream":
        return send_again(401)
    back = request.full_path.rstrip("?")
    return redirect(url_for("login.page", next=back if back != "/" else None))


@screen.get("/")
@anyone
def home() -> BaseResponse:
    """Each role begins at its own page."""
    return redirect(HOMES[me().role])


@screen.get("/login")
@public
def page() -> BaseResponse | str:
    """The form; whoever is signed in goes on."""
    if current_user.is_authenticated:
        return redirect(_onward())
    return _form()


def _who() -> str:
    return f"{request.remote_addr} {request.form.get('login', '').strip().lower()}"


def _failed(answer: BaseResponse) -> bool:
    return answer.status_code == 401


@screen.post("/login")
@limiter.limit("5 per minute; 30 per hour", key_func=_who, deduct_when=_failed)
@limiter.limit("200 per hour", deduct_when=_failed)
@public
def enter() -> BaseResponse | tuple[str, int]:
    """Sign in. Only failures count against the limits: many operators share one address."""
    login = request.form.get("login", "").strip().lower()
    user = staff.authenticate(login, request.form.get("password", ""))
    if not user:
        audit.record(login[:64] or "-", "login.failed", address=request.remote_addr)
        return _form(_("The user name or the password is wrong.")), 401
    audit.record(user.login, "login", address=request.remote_addr)
    session.clear()
    session.permanent = True
    login_user(SignedIn(user))
    return redirect(_onward())


@screen.get("/login/token")
@public
def token() -> BaseResponse:
    """The token that forms of this session carry, for a page that outlived its own; 204: none."""
    if not current_user.is_authenticated:
        return Response(status=204)
    return Response(generate_csrf(), mimetype="text/plain")


@screen.post("/logout")
@anyone
def leave() -> BaseResponse:
    """Sign out."""
    audit.record(me().login, "logout", address=request.remote_addr)
    logout_user()
    session.clear()
    return redirect(url_for("login.page"))


@screen.errorhandler(429)
def too_many(error: Exception) -> tuple[str, int]:
    """The form again, with why it must wait."""
    return _form(_("Too many failed attempts. Wait a minute, then try again.")), 429


def _form(trouble: str = "") -> str:
    return render_template(
        "login/page.html",
        trouble=trouble,
        typed=request.form.get("login", ""),
        onward=request.values.get("next", ""),
        line=health.line_answers(),
    )


def _onward() -> str:
    """The page asked for before signing in, if it is one of ours; else the role's own."""
    there = request.values.get("next", "")
    parts = urlsplit(there.replace("\\", "/"))
    ours = there.startswith("/") and not there.startswith("//")
    return there if ours and not parts.netloc and not parts.scheme else url_for("login.home")


def _fingerprint(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]
