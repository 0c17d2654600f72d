"""The phones on people's desks: each fetches its settings itself, once, by an address of its own.

A set-up address holds a token of 192 random bits, of which only the hash is kept. It gives the
settings of one phone, once, within VALID; the phone's SIP password is made at that moment and is
nowhere else but in Asterisk's configuration. From then on the phone speaks TLS and SRTP.
"""

import base64
import datetime as dt
import hashlib
import logging
import re
import secrets
from dataclasses import dataclass

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.core.i18n import translations
from appliance.core.settings import Settings
from appliance.models import DeskPhone, User
from appliance.people import accounts, staff
from appliance.telephony import directory
from appliance.telephony.desk_phones import fanvil, grandstream, yealink
from appliance.telephony.desk_phones.make import BOOK, LANGUAGE, Make, Setup

log = logging.getLogger(__name__)

MAKES: dict[str, Make] = {"yealink": yealink, "grandstream": grandstream, "fanvil": fanvil}
VALID = dt.timedelta(hours=24)  # from when an address is given until it gives nothing any more
PATH = "phones"  # where they fetch, under the address of the pages

_BYTES = 24
_WEB_PASSWORD = 12  # letters and digits of the password of the phone's own web page
_MAC = re.compile(r"(?:[0-9a-f]{2}[:.-]?){5}[0-9a-f]{2}")
_OWN_FILE = re.compile(r"(?:cfg)?([0-9a-f]{12})(?:\.\w+)?")


class PhoneError(ValueError):
    """A phone cannot be written down or set up so.

    `code`: "make", "mac", "taken" (somebody else's), "extension" (the person has none), "rights",
    "certificate" (the box has none to show to phones), "none" (no phone is written down).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(PermissionError):
    """Who asks gets nothing.

    `code`: "token" (unknown), "file" (not this phone's), "mac" (another phone asks), "used",
    "ended", "closed" (the person has no phone any more).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Given:
    """What is shown once: the set-up address, and the password of the phone's own web page."""

    phone: DeskPhone
    address: str
    web_password: str


def every() -> dict[int, DeskPhone]:
    """User's id → his phone."""
    return {phone.user_id: phone for phone in DeskPhone.select()}


def of(user: User) -> DeskPhone | None:
    """A person's phone; None when none is written down."""
    return DeskPhone.get_or_none(DeskPhone.user == user)


def secure(settings: Settings) -> set[str]:
    """Extensions of phones that speak TLS and SRTP, and nothing else.

    Those that took their settings do; where the box has a certificate to show to phones, all others
    do as well, but those that the settings call plain.
    """
    place = settings.asterisk
    secured = _set_up()
    if place.certificate and place.certificate_key and "*" not in place.plain_phones:
        secured |= {user.extension for user in accounts.with_phone()} - {*place.plain_phones}
    return secured


def _set_up() -> set[str]:
    found = DeskPhone.select(DeskPhone, User).join(User).where(DeskPhone.set_up_at.is_null(False))
    return {phone.user.extension for phone in found if phone.user.extension}


def save(user: User, make: str, mac: str, settings: Settings, by: User | None) -> DeskPhone:
    """Write down a person's phone. Another device than before shuts the former one out at once.

    `by`: None on the command line. Raises PhoneError.
    """
    _prove(user, by)
    mac = re.sub(r"[\s:.-]", "", mac.lower())
    if make not in MAKES:
        raise PhoneError("make")
    if not re.fullmatch("[0-9a-f]{12}", mac):
        raise PhoneError("mac")
    if not user.extension:
        raise PhoneError("extension")
    if not (settings.asterisk.certificate and settings.asterisk.certificate_key):
        raise PhoneError("certificate")
    with writing():
        if DeskPhone.get_or_none(DeskPhone.mac == mac, DeskPhone.user != user):
            raise PhoneError("taken")
        former = of(user)
        if former and (former.make, former.mac) == (make, mac):
            return former
        if former:
            _forget(former)
        phone = DeskPhone.create(user=user, make=make, mac=mac)
        audit.record(accounts.login_of(by), "phone.save", user.login, make=make, mac=mac)
        live.publish(accounts.TOPIC)
    return phone


def remove(user: User, by: User | None) -> None:
    """Strike a person's phone out; it can register no more. Raises PhoneError."""
    _prove(user, by)
    with writing():
        phone = of(user)
        if not phone:
            raise PhoneError("none")
        _forget(phone)
        audit.record(
            accounts.login_of(by), "phone.remove", user.login, make=phone.make, mac=phone.mac
        )
        live.publish(accounts.TOPIC)


def give_address(user: User, settings: Settings, by: User | None) -> Given:
    """A new set-up address for a person's phone; one given before is worth nothing any more.

    Raises PhoneError.
    """
    _prove(user, by)
    if not user.extension or not user.active:
        raise PhoneError("extension")
    token = secrets.token_urlsafe(_BYTES)
    with writing():
        phone = of(user)
        if not phone:
            raise PhoneError("none")
        ends = clock.now() + VALID
        new = {"token_hash": _hash(token), "token_ends_at": ends, "token_used": False}
        DeskPhone.update(new).where(DeskPhone.id == phone.id).execute()
        audit.record(accounts.login_of(by), "phone.address", user.login, mac=phone.mac)
        live.publish(accounts.TOPIC)
    return Given(DeskPhone.get_by_id(phone.id), _address(settings, token), _web_password(token))


def waits(phone: DeskPhone) -> bool:
    """Whether an address was given that the phone has not used, and still may."""
    return bool(phone.token_hash and not phone.token_used and phone.token_ends_at > clock.now())


def take(token: str, name: str, agent: str, address: str, settings: Settings) -> str:
    """The settings of the phone that asks by its address for the file `name`; once.

    `agent`: what it calls itself; `address`: where it asks from. The SIP password in it is new.
    Raises Refused; what is refused with a token that was given is in the audit.
    """
    phone = DeskPhone.get_or_none(DeskPhone.token_hash == _hash(token))
    if not phone:
        log.warning("a phone at %s asked by an unknown address", address)
        raise Refused("token")
    if code := _hindrance(phone, name, agent):
        if code != "file":
            _note_refused(phone, code, address, agent)
        raise Refused(code)
    user, password, book = phone.user, secrets.token_urlsafe(18), secrets.token_urlsafe(_BYTES)
    now = clock.now()
    taken = {
        "token_used": True,
        "set_up_at": now,
        "set_up_from": address,
        "book_hash": _hash(book),
    }
    unused = (DeskPhone.id == phone.id, DeskPhone.token_hash == _hash(token), ~DeskPhone.token_used)
    with writing():
        if not DeskPhone.update(taken).where(*unused).execute():
            raise Refused("used")
        User.update(sip_password=password).where(User.id == user.id).execute()
        audit.record(f"phone:{phone.mac}", "phone.set_up", user.login, address=address, agent=agent)
        live.publish(accounts.TOPIC)
    setup = Setup(
        mac=phone.mac,
        extension=user.extension,
        name=user.name,
        password=password,
        web_password=_web_password(token),
        server=settings.asterisk.address,
        port=settings.asterisk.sip_port + 1,
        offset=now.astimezone(settings.tz).utcoffset() or dt.timedelta(),
        title=translations(LANGUAGE[0]).gettext("Directory"),
        book=_address(settings, book) + BOOK,
    )
    return MAKES[phone.make].settings_file(setup)


def phone_book(token: str, agent: str) -> str:
    """The directory of the ministry, as the phone reads it. Raises Refused."""
    phone = DeskPhone.get_or_none(DeskPhone.book_hash == _hash(token))
    if not phone:
        raise Refused("token")
    if not _is_open(phone):
        raise Refused("closed")
    if _is_another(phone, agent):
        raise Refused("mac")
    return MAKES[phone.make].phone_book((one.name, one.number) for one in directory.employees())


def _hindrance(phone: DeskPhone, name: str, agent: str) -> str:
    """Why the file is not given; "" for none."""
    if name != MAKES[phone.make].file_name(phone.mac):
        # makes ask for files of their whole range too: those are not there, and no harm
        other = _OWN_FILE.fullmatch(name)
        return "mac" if other and other[1] != phone.mac else "file"
    if _is_another(phone, agent):
        return "mac"
    if phone.token_used:
        return "used"
    if phone.token_ends_at <= clock.now():
        return "ended"
    return "" if _is_open(phone) else "closed"


def _is_another(phone: DeskPhone, agent: str) -> bool:
    """Whether who asks says that he is another device; some phones do not say which they are."""
    named = {re.sub("[^0-9a-f]", "", mac) for mac in _MAC.findall(agent.lower())}
    return bool(named) and phone.mac not in named


def _is_open(phone: DeskPhone) -> bool:
    return bool(phone.user.active and phone.user.extension)


def _note_refused(phone: DeskPhone, code: str, address: str, agent: str) -> None:
    log.warning("the phone %s was refused at %s: %s", phone.mac, address, code)
    detail = {"why": code, "address": address, "agent": agent}
    audit.record(f"phone:{phone.mac}", "phone.refused", phone.user.login, **detail)


def _forget(phone: DeskPhone) -> None:
    """Strike a phone out; what was set up knows the person's password no more."""
    if phone.set_up_at:
        owner = User.id == phone.user_id
        User.update(sip_password=secrets.token_urlsafe(18)).where(owner).execute()
    phone.delete_instance()


def _prove(user: User, by: User | None) -> None:
    if not staff.may_equip(by, user):
        raise PhoneError("rights")


def _address(settings: Settings, token: str) -> str:
    return f"{settings.web.url.rstrip('/')}/{PATH}/{token}/"


def _web_password(token: str) -> str:
    """Made of the token, so that it need not be kept until the phone comes."""
    digest = hashlib.sha256(f"web page of {token}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:_WEB_PASSWORD]


def _hash(token: str) -> str:
    """Tokens have 192 random bits: a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()
