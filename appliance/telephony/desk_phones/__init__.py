"""Desk phones: each fetches its settings once, from a set-up address of its own.

A set-up address contains a token of 192 random bits, of which only the hash is stored. It returns
the settings of one phone, once, within ADDRESS_VALIDITY; the phone's SIP password is made at that
time and is stored only in Asterisk's configuration. From then on the phone uses TLS and SRTP.
"""

import base64
import datetime as dt
import hashlib
import logging
import re
import secrets
from dataclasses import dataclass

from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.i18n import locale_translations
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.core.statements import find_row
from appliance.models import DeskPhone, User
from appliance.people import accounts, staff
from appliance.telephony import directory
from appliance.telephony.desk_phones import fanvil, grandstream, yealink
from appliance.telephony.desk_phones.maker import (
    BOOK_FILE_NAME,
    MENU_LANGUAGE,
    PhoneMaker,
    PhoneSetup,
)

log = logging.getLogger(__name__)

PHONE_MAKERS: dict[str, PhoneMaker] = {
    "yealink": yealink,
    "grandstream": grandstream,
    "fanvil": fanvil,
}
ADDRESS_VALIDITY = dt.timedelta(hours=24)  # from the creation of an address until it expires
PHONES_PATH = "phones"  # where phones fetch files, below the address of the pages

_TOKEN_BYTES = 24
_WEB_PASSWORD_CHARACTERS = 12  # letters and digits of the password of the phone's own web page
_MAC_PATTERN = re.compile(r"(?:[0-9a-f]{2}[:.-]?){5}[0-9a-f]{2}")
_FILE_NAME_PATTERN = re.compile(r"(?:cfg)?([0-9a-f]{12})(?:\.\w+)?")


@dataclass(frozen=True)
class SetupAddress:
    """Secrets shown once: the set-up address, and the password of the phone's own web page."""

    phone: DeskPhone
    address: str
    web_password: str


def phones_by_user() -> dict[int, DeskPhone]:
    """Return the desk phone of each user that has one, by the user's id."""
    return {phone.user_id: phone for phone in DeskPhone.select()}


def phone_of_user(user: User) -> DeskPhone | None:
    """A user's phone, if they have one."""
    return find_row(DeskPhone, user=user.id)


def secure_extensions(settings: Settings) -> set[str]:
    """Return the extensions of the phones that may use TLS and SRTP only.

    These are the phones that fetched their settings from a set-up address. If the box has a
    certificate for phones, they also include all other phones except those listed in the setting
    `asterisk.plain_phones`.
    """
    asterisk = settings.asterisk
    extensions = _extensions_set_up()
    if asterisk.certificate and asterisk.certificate_key and "*" not in asterisk.plain_phones:
        extensions |= {user.extension for user in accounts.users_with_phone()} - {
            *asterisk.plain_phones
        }
    return extensions


def _extensions_set_up() -> set[str]:
    """Extensions of the phones that fetched their settings."""
    phones = DeskPhone.select(DeskPhone, User).join(User).where(DeskPhone.set_up_at.is_null(False))
    return {phone.user.extension for phone in phones if phone.user.extension}


def save_phone(user: User, make: str, mac: str, settings: Settings, by: User | None) -> DeskPhone:
    """Save a user's phone; if it replaces another device, that one can no longer register.

    There is no `by` on the command line. Raises Refused with the code "rights" if `by` may not do
    this, "make" or "mac" if the value is invalid, "taken" if another user has this device,
    "extension" if the user has no extension, or "certificate" if the box has no certificate for
    phones.
    """
    _require_right(user, by)
    mac = re.sub(r"[\s:.-]", "", mac.lower())
    if make not in PHONE_MAKERS:
        raise Refused("make")
    if not re.fullmatch("[0-9a-f]{12}", mac):
        raise Refused("mac")
    if not user.extension:
        raise Refused("extension")
    if not (settings.asterisk.certificate and settings.asterisk.certificate_key):
        raise Refused("certificate")
    with write_transaction():
        if DeskPhone.get_or_none(DeskPhone.mac == mac, DeskPhone.user != user):
            raise Refused("taken")
        previous = phone_of_user(user)
        if previous and (previous.make, previous.mac) == (make, mac):
            return previous
        if previous:
            _delete_phone(previous)
        phone: DeskPhone = DeskPhone.create(user=user, make=make, mac=mac)
        audit.record_entry(accounts.audit_login(by), "phone.save", user.login, make=make, mac=mac)
        live.publish_topics(accounts.TOPIC)
    return phone


def remove_phone(user: User, by: User | None) -> None:
    """Delete a user's phone, which can then no longer register.

    Raises Refused with the code "rights" if `by` may not do this, or "none" if there is no phone.
    """
    _require_right(user, by)
    with write_transaction():
        phone = phone_of_user(user)
        if not phone:
            raise Refused("none")
        _delete_phone(phone)
        audit.record_entry(
            accounts.audit_login(by), "phone.remove", user.login, make=phone.make, mac=phone.mac
        )
        live.publish_topics(accounts.TOPIC)


def create_setup_address(user: User, settings: Settings, by: User | None) -> SetupAddress:
    """Create a new set-up address for a user's phone; an earlier one becomes invalid.

    Raises Refused with the code "rights" if `by` may not do this, "extension" if the user is
    inactive or has no extension, or "none" if the user has no phone.
    """
    _require_right(user, by)
    if not user.extension or not user.active:
        raise Refused("extension")
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with write_transaction():
        phone = phone_of_user(user)
        if not phone:
            raise Refused("none")
        ends_at = clock.now() + ADDRESS_VALIDITY
        changes = {"token_hash": _hash_token(token), "token_ends_at": ends_at, "token_used": False}
        DeskPhone.update(changes).where(DeskPhone.id == phone.id).execute()
        audit.record_entry(accounts.audit_login(by), "phone.address", user.login, mac=phone.mac)
        live.publish_topics(accounts.TOPIC)
    return SetupAddress(
        DeskPhone.get_by_id(phone.id), _token_url(settings, token), _derive_web_password(token)
    )


def is_setup_pending(phone: DeskPhone) -> bool:
    """Returns True if the phone has an address that is unused and has not expired."""
    return bool(phone.token_hash and not phone.token_used and phone.token_ends_at > clock.now())


def fetch_settings(token: str, name: str, agent: str, address: str, settings: Settings) -> str:
    """Return the settings file `name` to the phone that requests it from its set-up address.

    This works once; the SIP password in the file is new. `agent` is the phone's User-Agent and
    `address` its network address. Raises Refused with the code "token" if the token is unknown,
    "file" for another file name, "mac" if another phone asks, "used" or "ended" if the set-up
    address was used or has expired, or "closed" if the user is inactive or has no extension. If the
    token is known, the audit records the refusal, except "file".
    """
    phone = DeskPhone.get_or_none(DeskPhone.token_hash == _hash_token(token))
    if not phone:
        log.warning("a phone at %s asked by an unknown address", address)
        raise Refused("token")
    if code := _refusal_code(phone, name, agent):
        if code != "file":
            _record_refusal(phone, code, address, agent)
        raise Refused(code)
    user, password, book_token = (
        phone.user,
        secrets.token_urlsafe(18),
        secrets.token_urlsafe(_TOKEN_BYTES),
    )
    now = clock.now()
    changes = {
        "token_used": True,
        "set_up_at": now,
        "set_up_from": address,
        "book_hash": _hash_token(book_token),
    }
    is_unused = (
        DeskPhone.id == phone.id,
        DeskPhone.token_hash == _hash_token(token),
        ~DeskPhone.token_used,
    )
    with write_transaction():
        if not DeskPhone.update(changes).where(*is_unused).execute():
            raise Refused("used")
        User.update(sip_password=password).where(User.id == user.id).execute()
        audit.record_entry(
            f"phone:{phone.mac}", "phone.set_up", user.login, address=address, agent=agent
        )
        live.publish_topics(accounts.TOPIC)
    setup = PhoneSetup(
        mac=phone.mac,
        extension=user.extension,
        name=user.name,
        password=password,
        web_password=_derive_web_password(token),
        server=settings.asterisk.address,
        port=settings.asterisk.sip_port + 1,
        utc_offset=now.astimezone(settings.tz).utcoffset() or dt.timedelta(),
        book_title=locale_translations(MENU_LANGUAGE[0]).gettext("Directory of employees"),
        book_url=_token_url(settings, book_token) + BOOK_FILE_NAME,
    )
    return PHONE_MAKERS[phone.make].settings_file(setup)


def phone_book(token: str, user_agent: str) -> str:
    """Return the ministry's directory in the format of the phone that asks with this token.

    Raises Refused with the code "token" if the token is unknown, "closed" if the phone's user is
    inactive or has no extension, or "mac" if another phone asks.
    """
    phone = DeskPhone.get_or_none(DeskPhone.book_hash == _hash_token(token))
    if not phone:
        raise Refused("token")
    if not _is_active(phone):
        raise Refused("closed")
    if _is_other_device(phone, user_agent):
        raise Refused("mac")
    return PHONE_MAKERS[phone.make].phone_book(
        (employee.name, employee.number) for employee in directory.list_employees()
    )


def _refusal_code(phone: DeskPhone, file_name: str, user_agent: str) -> str:
    """Return the code of the reason why the file is refused; "" if it is not."""
    if file_name != PHONE_MAKERS[phone.make].file_name(phone.mac):
        # Phones also ask for files common to all models of their maker, which do not exist here.
        match = _FILE_NAME_PATTERN.fullmatch(file_name)
        return "mac" if match and match[1] != phone.mac else "file"
    if _is_other_device(phone, user_agent):
        return "mac"
    if phone.token_used:
        return "used"
    if phone.token_ends_at <= clock.now():
        return "ended"
    return "" if _is_active(phone) else "closed"


def _is_other_device(phone: DeskPhone, user_agent: str) -> bool:
    """Returns True if the user agent names another device; some phones do not name themselves."""
    macs = {re.sub("[^0-9a-f]", "", mac) for mac in _MAC_PATTERN.findall(user_agent.lower())}
    return bool(macs) and phone.mac not in macs


def _is_active(phone: DeskPhone) -> bool:
    return bool(phone.user.active and phone.user.extension)


def _record_refusal(phone: DeskPhone, code: str, remote_address: str, user_agent: str) -> None:
    log.warning("the phone %s was refused at %s: %s", phone.mac, remote_address, code)
    details = {"why": code, "address": remote_address, "agent": user_agent}
    audit.record_entry(f"phone:{phone.mac}", "phone.refused", phone.user.login, **details)


def _delete_phone(phone: DeskPhone) -> None:
    """Delete a phone; if it was set up, replace the user's SIP password so it cannot register."""
    if phone.set_up_at:
        owner = User.id == phone.user_id
        User.update(sip_password=secrets.token_urlsafe(18)).where(owner).execute()
    phone.delete_instance()


def _require_right(user: User, by: User | None) -> None:
    """Raise Refused "rights" unless `by` may equip the user."""
    if not staff.can_equip(by, user):
        raise Refused("rights")


def _token_url(settings: Settings, token: str) -> str:
    return f"{settings.web.url.rstrip('/')}/{PHONES_PATH}/{token}/"


def _derive_web_password(token: str) -> str:
    """Return a password derived from the token, so that it need not be stored for the phone."""
    digest = hashlib.sha256(f"web page of {token}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:_WEB_PASSWORD_CHARACTERS]


def _hash_token(token: str) -> str:
    """Return the hash of a token; it needs no salt, because a token has 192 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
