"""Signing in and out."""

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect, generate_csrf
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Request as BaseRequest
from werkzeug.wrappers import Response as BaseResponse

from appliance.box import health
from appliance.core import audit
from appliance.people import accounts, ldap, pins, second_factor, sessions, sign_ins
from appliance.web.shell.access import HOMES, anyone, at_step, before_all, public
from appliance.web.shell.context import is_fragment, me, site
from appliance.web.shell.errors import send_again
from appliance.web.shell.rates import limiter
from appliance.web.shell.sent import is_address, ours

if TYPE_CHECKING:
    from appliance.models import Desk, Session, User

screen = Blueprint("login", __name__)
csrf = CSRFProtect()
_manager = LoginManager()

DEVICE = "__Host-device"  # the cookie that a device keeps; it signs nobody in
KEPT = 365 * 24 * 3600  # seconds that a device is known
PEOPLE = 30  # who signed in on one device, that are remembered


@dataclass
class SignedIn(UserMixin):
    """A user as flask-login wants him, and his session; `secret`: what its cookie holds."""

    user: "User"
    session: "Session"
    secret: str

    def get_id(self) -> str:
        """What the browser keeps."""
        return self.secret


@dataclass(frozen=True)
class Device:
    """A device, and the logins of the people who signed in on it."""

    name: str
    people: list[str]

    def known_to(self, login: str) -> str:
        """The device's name if this person signed in on it before, else ""."""
        return self.name if login.strip().lower() in self.people else ""


def init_app(app: Flask) -> None:
    """Sessions, protection of forms, and how often one may try to sign in."""
    _manager.init_app(app)
    app.before_request(_refuse_odd_referrer)
    csrf.init_app(app)
    limiter.init_app(app)


def _refuse_odd_referrer() -> None:
    """The protection of forms reads it as an address."""
    if request.method != "GET" and not is_address(request.headers.get("Referer", "")):
        abort(400)


@_manager.user_loader
def load(secret: str) -> SignedIn | None:
    """The person of a session; None when it was ended, is too old, or the account was closed."""
    held = sessions.found(secret)
    if not held:
        return None
    accounts.see(held.user)
    sessions.see(held, request.remote_addr or "")
    return SignedIn(held.user, held, secret)


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
    return form()


@screen.post("/login")
@public
def enter() -> BaseResponse | tuple[str, int]:
    """Sign in. Only failures count: many operators share one address."""
    login, device = request.form.get("login", "").strip().lower(), this_device()
    password, address = request.form.get("password", ""), request.remote_addr or ""
    try:
        user = sign_ins.check(login, password, address, device.known_to(login), site().ldap)
    except sign_ins.TooMany:
        return form(_("Too many failed attempts. Wait a minute, then try again.")), 429
    except sign_ins.Busy:
        return form(_("Too many people sign in at this moment. Try again in a minute.")), 503
    if not user:
        audit.record(login[:64] or "-", "login.failed", address=address)
        return form(_("The user name or the password is wrong.")), 401
    how = {"by": ldap.SOURCE} if ldap.keeps(site().ldap, user) else {}
    audit.record(user.login, "login", address=address, **how)
    begin(user, device)
    return onward(device)


@screen.post("/login/pin")
@public
def enter_by_pin() -> BaseResponse | tuple[str, int]:
    """Sign in by the PIN, at a desk where one has signed in wholly within the last hours."""
    device, login = this_device(), request.form.get("login", "")
    here = {desk.user.login: desk for desk in _at_desk(device)}
    if login not in here:
        return form(_("Here the password is asked for.")), 401
    desk = here[login]
    try:
        known = knows_pin(desk.user, request.form.get("password", ""), device.name)
    except sign_ins.TooMany:
        pins.leave(desk.user, device.name)
        return form(_("Too many wrong PINs: sign in by your password.")), 429
    address = request.remote_addr or ""
    if not known:
        audit.record(login, "login.failed", address=address, by="pin")
        return form(_("The PIN is wrong.")), 401
    audit.record(login, "login", address=address, by="pin")
    begin(desk.user, device, desk.factor)
    return redirect(_onward(HOMES[desk.user.role]))  # one request less while the phone may ring


@screen.get("/login/second")
@anyone
@at_step("prove")
def second() -> BaseResponse | str:
    """The form for a code, while one is asked for."""
    return redirect(_onward()) if current_user.session.factor else _second()


@screen.post("/login/second")
@anyone
@at_step("prove")
def prove() -> BaseResponse | tuple[str, int] | str:
    """Take a code, and go on to the page asked for."""
    device, code = this_device(), request.form.get("one_time_code", "")
    try:
        proved = sign_ins.prove(current_user.session, code, device.known_to(me().login))
    except sign_ins.TooMany:
        return _second(_("Too many failed attempts. Wait a minute, then try again.")), 429
    if not proved:
        audit.record(me().login, "login.second.failed", address=request.remote_addr)
        return _second(_("The code is wrong, or was used before.")), 422
    there = redirect(_onward())
    _remember(there, device, me())
    return there


@screen.get("/login/token")
@public
def token() -> BaseResponse:
    """The token that forms of this session carry, for a page that outlived its own.

    204: nobody is signed in; 423: the session is locked.
    """
    if not current_user.is_authenticated:
        return Response(status=204)
    if current_user.session.locked_at:
        return Response(status=423)
    whose = {"X-Person": str(me().id)}  # the page of another person must not go on with it
    return Response(generate_csrf(), mimetype="text/plain", headers=whose)


@screen.post("/logout")
@anyone
@before_all
def leave() -> BaseResponse:
    """Sign out: a copied cookie is worth nothing any more."""
    sessions.leave(current_user.session)
    logout_user()
    session.clear()
    return redirect(url_for("login.page"))


def begin(user: "User", device: Device, factor: str = "", source: str = "") -> None:
    """Begin a session, with a secret and a token for forms that nobody can have planted."""
    agent = request.headers.get("User-Agent", "")
    address = request.remote_addr or ""
    begun, secret = sessions.begin(user, address, agent, device.name, factor, source)
    session.clear()
    session.permanent = True
    login_user(SignedIn(user, begun, secret))


def onward(device: Device, asked_for: str = "") -> BaseResponse:
    """To the page asked for; the device keeps who signed in, unless a code is still to come."""
    there = redirect(ours(asked_for) or _onward())
    address = request.remote_addr or ""
    if second_factor.step(site().sign_in, current_user.session, address) != "prove":
        _remember(there, device, me())
    return there


def knows_password(typed: str) -> bool:
    """Whether who is signed in has typed his password. Raises sign_ins.TooMany, sign_ins.Busy."""
    login, address = me().login, request.remote_addr or ""
    known = this_device().known_to(login)
    return bool(sign_ins.check(login, typed, address, known, site().ldap))


def knows_pin(user: "User", typed: str, device: str) -> bool:
    """Whether the person has typed his PIN on a device. Raises sign_ins.TooMany."""
    return sign_ins.check_pin(user, typed, device, site().web.secret_key)


def form(trouble: str = "") -> str:
    """The login page, with what is wrong."""
    return render_template(
        "login/page.html",
        trouble=trouble,
        typed=request.form.get("login", ""),
        onward=request.values.get("next", ""),
        line=health.line_answers(),
        at_desk=[desk.user for desk in _at_desk(this_device())],
        openid=site().openid,
        directory_away=ldap.is_away(site().ldap),
    )


def _second(trouble: str = "") -> str:
    """The page that asks for a code; it hears nothing."""
    onward = request.values.get("next", "")
    return render_template("login/second.html", trouble=trouble, onward=onward, heard=None)


def _onward(home: str = "/") -> str:
    """The page asked for before signing in, if it is one of ours; else the role's own."""
    return ours(request.values.get("next", "")) or home


def this_device() -> Device:
    """The device that asks; a new name when it is not known."""
    try:
        kept = _devices().loads(request.cookies.get(DEVICE, ""))
        return Device(kept["name"], kept["people"])
    except BadSignature:
        return Device(secrets.token_urlsafe(12), [])


def is_known_device(app: Flask, environ: dict[str, Any]) -> bool:
    """Whether a request, by its environment, comes from a device on which somebody signed in."""
    cookies = BaseRequest(environ, populate_request=False).cookies  # of any bytes, as the pages do
    try:
        kept = _devices(app).loads(cookies.get(DEVICE, ""))
    except BadSignature:
        return False
    return bool(kept["people"])


def _at_desk(device: Device) -> list["Desk"]:
    """Who may sign in by his PIN on the device that asks."""
    return pins.at(site().sign_in, device.name, device.people, site().web.secret_key)


def _remember(answer: BaseResponse, device: Device, user: "User") -> None:
    """Have the device keep who signed in on it, wholly."""
    if pins.has(user, site().web.secret_key):
        pins.remember(current_user.session)
    people = [user.login, *(login for login in device.people if login != user.login)][:PEOPLE]
    kept = _devices().dumps({"name": device.name, "people": people})
    answer.set_cookie(DEVICE, kept, KEPT, secure=True, httponly=True, samesite="Lax")


def _devices(app: Flask | None = None) -> URLSafeSerializer:
    return URLSafeSerializer((app or current_app).config["SECRET_KEY"], salt="device")
