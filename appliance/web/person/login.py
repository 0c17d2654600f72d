"""Signing in and out.

A device is a browser, identified by a cookie. A desk entry says that a user signed in fully on a
device, so that they may sign in there by PIN.
"""

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Request as BaseRequest
from werkzeug.wrappers import Response as BaseResponse

from appliance.box import health
from appliance.core import audit
from appliance.people import accounts, ldap, pins, second_factor, sessions, sign_ins
from appliance.web.shell.access import (
    HOME_PATHS,
    anyone,
    open_at_any_sign_in_step,
    open_at_sign_in_step,
    public,
)
from appliance.web.shell.context import is_htmx_request, me, site
from appliance.web.shell.errors import resend_page
from appliance.web.shell.request_data import local_address

if TYPE_CHECKING:
    from appliance.models import Desk, Session, User

screen = Blueprint("login", __name__)
_login_manager = LoginManager()

DEVICE_COOKIE = "__Host-device"  # the cookie that identifies a device; it does not sign anyone in
DEVICE_COOKIE_SECONDS = 365 * 24 * 3600  # after which a device is forgotten
MAX_LOGINS_PER_DEVICE = 30  # logins remembered per device


@dataclass
class SessionUser(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """A signed-in user as flask-login requires, with their session.

    `secret` is the value in the cookie that identifies the session.
    """

    user: "User"
    session: "Session"
    secret: str

    def get_id(self) -> str:
        """Return the value that flask-login stores in the browser's cookie."""
        return self.secret


@dataclass(frozen=True)
class Device:
    """A device, and the logins of the users who signed in on it, the latest first.

    `name` is the random text in its cookie.
    """

    name: str
    logins: list[str]

    def name_for_login(self, login: str) -> str:
        """Return the device's name if this login was used on it before, or else ""."""
        return self.name if login.strip().lower() in self.logins else ""


@screen.record_once
def _set_up_sessions(state: BlueprintSetupState) -> None:
    """Let flask-login load the user of each request, and redirect visitors to the login page."""
    _login_manager.init_app(state.app)
    _login_manager.user_loader(load_session_user)
    _login_manager.unauthorized_handler(redirect_to_login)


def load_session_user(secret: str) -> SessionUser | None:
    """Return the user of the session with this secret, if the session is still valid.

    Records that the user and the session were active.
    """
    active_session = sessions.session_of_cookie(secret)
    if not active_session:
        return None
    accounts.record_seen(active_session.user)
    sessions.record_use(active_session, request.remote_addr or "")
    return SessionUser(active_session.user, active_session, secret)


def redirect_to_login() -> BaseResponse | tuple[str, int]:
    """Redirect to the login page, and from there back to the requested page.

    A request that is not for a whole page is not redirected but gets 401; if it submits a form,
    with a page from which the form can be submitted again after signing in.
    """
    if is_htmx_request() or request.method != "GET" or request.endpoint == "live.open_stream":
        return resend_page(401)
    return_url = request.full_path.rstrip("?")
    return redirect(
        url_for("login.show_login_page", next=return_url if return_url != "/" else None)
    )


@screen.get("/")
@anyone
def redirect_home() -> BaseResponse:
    """Redirect to the start page of the user's role."""
    return redirect(HOME_PATHS[me().role])


@screen.get("/login")
@public
def show_login_page() -> BaseResponse | str:
    """Show the login form; a user who is signed in is redirected to the page requested before."""
    if current_user.is_authenticated:
        return redirect(next_url())
    return render_login_form()


@screen.post("/login")
@public
def sign_in() -> BaseResponse | tuple[str, int]:
    """Sign in by login and password; show the login form again if that fails.

    Only failures count against the limit of attempts, as many operators share one IP address.
    """
    login, device = request.form.get("login", "").strip().lower(), current_device()
    password, address = request.form.get("password", ""), request.remote_addr or ""
    try:
        user = sign_ins.check_password(
            login, password, address, device.name_for_login(login), site().ldap
        )
    except sign_ins.TooManyAttempts:
        return render_login_form(_("Too many failed attempts. Wait a minute, then try again.")), 429
    except sign_ins.TooManyWaiting:
        return render_login_form(
            _("Too many people are signing in right now. Try again in a minute.")
        ), 503
    if not user:
        audit.record_entry(login[:64] or "-", "login.failed", address=address)
        return render_login_form(_("The user name or the password is wrong.")), 401
    details = {"by": ldap.SOURCE} if ldap.manages_password(site().ldap, user) else {}
    audit.record_entry(user.login, "login", address=address, **details)
    begin_session(user, device)
    return redirect_onward(device)


@screen.post("/login/pin")
@public
def sign_in_by_pin() -> BaseResponse | tuple[str, int]:
    """Sign in by PIN, on a device on which the user signed in fully within the last hours.

    After too many wrong PINs, the device requires the password again.
    """
    device, login = current_device(), request.form.get("login", "")
    desks_by_login = {desk.user.login: desk for desk in _pin_desks(device)}
    if login not in desks_by_login:
        return render_login_form(_("The password is required here.")), 401
    desk = desks_by_login[login]
    try:
        is_correct = is_pin_correct(desk.user, request.form.get("password", ""), device.name)
    except sign_ins.TooManyAttempts:
        pins.forget_desk(desk.user, device.name)
        return render_login_form(_("Too many wrong PINs: sign in with your password.")), 429
    address = request.remote_addr or ""
    if not is_correct:
        audit.record_entry(login, "login.failed", address=address, by="pin")
        return render_login_form(_("The PIN is wrong.")), 401
    audit.record_entry(login, "login", address=address, by="pin")
    begin_session(desk.user, device, desk.factor)
    # saves one request, as the phone may be ringing
    return redirect(next_url(HOME_PATHS[desk.user.role]))


@screen.get("/login/second")
@anyone
@open_at_sign_in_step("prove")
def show_code_form() -> BaseResponse | str:
    """Show the form for the second-factor code; redirect if it was already entered."""
    return redirect(next_url()) if current_user.session.factor else _render_code_form()


@screen.post("/login/second")
@anyone
@open_at_sign_in_step("prove")
def verify_code() -> BaseResponse | tuple[str, int] | str:
    """Check a second-factor code, and redirect to the requested page.

    The device is then remembered. If the code is wrong, show the form again.
    """
    device, code = current_device(), request.form.get("one_time_code", "")
    try:
        is_correct = sign_ins.check_code(
            current_user.session, code, device.name_for_login(me().login)
        )
    except sign_ins.TooManyAttempts:
        return _render_code_form(_("Too many failed attempts. Wait a minute, then try again.")), 429
    if not is_correct:
        audit.record_entry(me().login, "login.second.failed", address=request.remote_addr)
        return _render_code_form(_("The code is wrong, or was already used.")), 422
    response = redirect(next_url())
    _remember_device(response, device, me())
    return response


@screen.get("/login/token")
@public
def send_form_token() -> BaseResponse:
    """Send the CSRF token of this session's forms, for a page whose own token has expired.

    Responds with 204 if nobody is signed in, and with 423 if the session is locked.
    """
    if not current_user.is_authenticated:
        return Response(status=204)
    if current_user.session.locked_at:
        return Response(status=423)
    headers = {"X-Person": str(me().id)}  # a page opened by another person must not use this token
    return Response(generate_csrf(), mimetype="text/plain", headers=headers)


@screen.post("/logout")
@anyone
@open_at_any_sign_in_step
def sign_out() -> BaseResponse:
    """Sign out; from then on, a copy of the cookie is invalid as well."""
    sessions.sign_out(current_user.session)
    logout_user()
    session.clear()
    return redirect(url_for("login.show_login_page"))


def begin_session(user: "User", device: Device, factor: str = "", source: str = "") -> None:
    """Start a session of the user with a new secret and a new CSRF token.

    So nobody can have put a known one into the browser before. `factor` is the second factor that
    was checked, or ""; `source` is the outside service by which the user signed in, or "".
    """
    agent = request.headers.get("User-Agent", "")
    address = request.remote_addr or ""
    user_session, secret = sessions.begin_session(user, address, agent, device.name, factor, source)
    session.clear()
    session.permanent = True
    login_user(SessionUser(user, user_session, secret))
    # Two requests that follow at once would make a token each, and only one of them would be valid.
    g.pop("csrf_token", None)  # that of the form on the sign-in page
    generate_csrf()


def redirect_onward(device: Device, requested_url: str = "") -> BaseResponse:
    """Redirect after signing in, to `requested_url` or else to the page that the request names.

    If no second-factor code is required any more, the device is remembered.
    """
    response = redirect(local_address(requested_url) or next_url())
    address = request.remote_addr or ""
    if second_factor.required_step(site().sign_in, current_user.session, address) != "prove":
        _remember_device(response, device, me())
    return response


def is_password_correct(password: str) -> bool:
    """Return True if this is the signed-in user's password.

    Raises sign_ins.TooManyAttempts after too many wrong ones, and sign_ins.TooManyWaiting while the
    server is checking too many passwords at once.
    """
    login, address = me().login, request.remote_addr or ""
    device_name = current_device().name_for_login(login)
    return bool(sign_ins.check_password(login, password, address, device_name, site().ldap))


def is_pin_correct(user: "User", pin: str, device: str) -> bool:
    """Return True if this is the user's PIN; `device` is the name of the device.

    Raises sign_ins.TooManyAttempts after too many wrong ones on this device.
    """
    return sign_ins.check_pin(user, pin, device, site().web.secret_key)


def render_login_form(trouble: str = "") -> str:
    """Render the login page; `trouble` says why an attempt failed.

    The page also offers the PIN to users who signed in on this device before (`at_desk`), and says
    if the exchange or the directory of users (LDAP) does not respond.
    """
    return render_template(
        "login/page.html",
        trouble=trouble,
        typed=request.form.get("login", ""),
        onward=request.values.get("next", ""),
        line=health.is_exchange_alive(),
        at_desk=[desk.user for desk in _pin_desks(current_device())],
        openid=site().openid,
        directory_away=ldap.is_unavailable(site().ldap),
    )


def _render_code_form(trouble: str = "") -> str:
    """Render the page that asks for a second-factor code; it receives no live events."""
    onward = request.values.get("next", "")
    return render_template("login/second.html", trouble=trouble, onward=onward, heard=None)


def next_url(home: str = "/") -> str:
    """Return the address requested before signing in, if it is on this site, or else `home`."""
    return local_address(request.values.get("next", "")) or home


def current_device() -> Device:
    """Return the device of the request; a new one if its cookie is missing or not ours."""
    try:
        cookie_data = _device_serializer().loads(request.cookies.get(DEVICE_COOKIE, ""))
        return Device(cookie_data["name"], cookie_data["people"])
    except BadSignature:
        return Device(secrets.token_urlsafe(12), [])


def is_known_device(app: Flask, environ: dict[str, Any]) -> bool:
    """Return True if a WSGI request comes from a device on which somebody signed in before."""
    cookies = BaseRequest(
        environ, populate_request=False
    ).cookies  # may contain any bytes, parsed as the pages do
    try:
        cookie_data = _device_serializer(app).loads(cookies.get(DEVICE_COOKIE, ""))
    except BadSignature:
        return False
    return bool(cookie_data["people"])


def _pin_desks(device: Device) -> list["Desk"]:
    """Return the desk entries of the users who may sign in by PIN on a device."""
    return pins.desks_for_pin(site().sign_in, device.name, device.logins, site().web.secret_key)


def _remember_device(response: BaseResponse, device: Device, user: "User") -> None:
    """Store in the device's cookie that the user signed in fully, and allow their PIN on it.

    `response` is the one that sets the cookie.
    """
    if pins.has_pin(user, site().web.secret_key):
        pins.remember_desk(current_user.session)
    logins = [user.login, *(login for login in device.logins if login != user.login)][
        :MAX_LOGINS_PER_DEVICE
    ]
    cookie_value = _device_serializer().dumps({"name": device.name, "people": logins})
    response.set_cookie(
        DEVICE_COOKIE,
        cookie_value,
        DEVICE_COOKIE_SECONDS,
        secure=True,
        httponly=True,
        samesite="Lax",
    )


def _device_serializer(app: Flask | None = None) -> URLSafeSerializer:
    """Return the serializer that signs and reads device cookies.

    `app` is needed only outside a request, where there is no current application.
    """
    return URLSafeSerializer((app or current_app).config["SECRET_KEY"], salt="device")
