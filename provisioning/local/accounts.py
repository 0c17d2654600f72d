"""The demo site's people: their logins and passwords, made once per site and kept in site.json."""

import json
import os
import secrets
import string
from typing import Any

from appliance.models import User
from appliance.people import accounts
from appliance.telephony import directory
from appliance.telephony.directory import Entry
from provisioning.local.place import HOTLINE, SIP, TLS, Place

_LETTERS = "".join(c for c in string.ascii_lowercase + string.digits if c not in "il1o0")
# fmt: off
OPERATORS = (
    "Dilnoza Karimova", "Jasur Rahimov", "Gulnora Yusupova", "Sherzod Toʻrayev",
    "Madina Xoʻjayeva", "Otabek Qodirov", "Nilufar Ergasheva", "Bobur Ismoilov",
    "Zuhra Abdullayeva", "Aziz Nazarov", "Malika Joʻrayeva", "Sardor Umarov",
    "Feruza Sultonova", "Ulugʻbek Mirzayev", "Shahnoza Gʻaniyeva", "Rustam Xolmatov",
    "Mohira Saidova", "Islom Boboyev", "Kamola Tursunova", "Davron Oʻrinov",
    "Elena Kim", "Aleksandr Tsoy", "Olga Petrova", "Timur Valiyev", "Svetlana Nam",
)
# fmt: on
_BOTH, _UZBEK = (
    15,
    20,
)  # operators before these positions speak both, then Uzbek only; the rest Russian
USERS = {
    "supervisor": ("nazoratchi", "Gavhar Mahmudova"),
    "manager": ("rahbar", "Anvar Hakimov"),
    "ministry": ("vazirlik", "Barno Aliyeva"),
    "technician": ("texnik", "Farhod Sobirov"),
    "backup": ("zaxira", "Nodira Qosimova"),
}
MINISTRY_EMPLOYEES = (
    Entry("Lola Rashidova", "712390101", "Bandlikka koʻmaklashish boshqarmasi"),
    Entry("Murod Eshonqulov", "712390102", "Mehnat huquqlarini himoya qilish boʻlimi"),
    Entry("Sevara Olimova", "712390103", "Tashqi mehnat migratsiyasi boʻlimi"),
)
IN_PAGE = ("sahifa", "Laylo Azizova", "1951")  # an operator whose phone is in the page
EXTENSIONS = {"supervisor": "1901"}  # users who have a phone without taking calls


def describe(place: Place) -> dict[str, Any]:
    """What site.json holds. Passwords that it held before stay."""
    before = _read(place)
    operators = []
    for position in range(len(OPERATORS)):
        kept = before.get("operators", [])[position : position + 1] or [{}]
        operators.append(_operator(position, kept[0]))
    users = {
        role: _user(role, login, before.get("users", {}).get(role, {}))
        for role, (login, _) in USERS.items()
    }
    return {
        "web": place.url,
        "ca": str(place.folder / "tls" / "ca.pem"),
        "sip_trunk": {"host": place.box, "port": SIP, "from": place.carrier},
        "hotline_number": HOTLINE,
        "operators": operators,
        "page_operator": _in_page(before.get("page_operator", {})),
        "users": users,
        "ministry_employees": [
            {"name": one.name, "department": one.department, "number": one.number}
            for one in MINISTRY_EMPLOYEES
        ],
        "operator_sip": {"host": place.box, "port": SIP, "ws": f"wss://{place.box}:{TLS}/ws"},
        "phones": place.phones,
        "recordings": str(place.folder / "recordings"),
        "event_log": str(place.folder / "asterisk" / "log" / "cel-custom" / "events.csv"),
        "database": str(place.folder / "data" / "appliance.db"),
        "config": str(place.config),
    }


def write(place: Place, description: dict[str, Any]) -> None:
    """Write site.json whole, for its owner only: it holds passwords."""
    fresh = place.description.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(description, ensure_ascii=False, indent=1) + "\n", "utf-8")
    os.replace(fresh, place.description)


def create(description: dict[str, Any]) -> int:
    """Make what the open database lacks: accounts (returns how many), employees of the ministry."""
    present = {user.login for user in User.select(User.login)}
    missing = [o for o in description["operators"] if o["login"] not in present]
    for one in missing:
        accounts.add(
            one["login"],
            OPERATORS[description["operators"].index(one)],
            "operator",
            one["password"],
            extension=one["extension"],
            sip_password=one["sip_password"],
            speaks=tuple(one["languages"]),
        )
    login, name, extension = IN_PAGE
    if login not in present:
        one = description["page_operator"]
        phone = {"extension": extension, "sip_password": one["sip_password"], "phone": "page"}
        accounts.add(login, name, "operator", one["password"], speaks=("uz", "ru"), **phone)
        missing.append(one)
    roles = [r for r, (login, _) in USERS.items() if login not in present]
    for role in roles:
        user = description["users"][role]
        phone = {key: user.get(key) for key in ("extension", "sip_password")}
        accounts.add(*USERS[role], role, user["password"], **phone)
    if not directory.employees(all_of_them=True):
        for employee in MINISTRY_EMPLOYEES:
            directory.save(employee, by="local")
    return len(missing) + len(roles)


def _user(role: str, login: str, kept: dict[str, str]) -> dict[str, str]:
    user = {"login": login, "password": _password(kept)}
    if extension := EXTENSIONS.get(role):
        user["extension"] = extension
        user["sip_password"] = kept.get("sip_password") or secrets.token_urlsafe(18)
    return user


def _in_page(kept: dict[str, str]) -> dict[str, str]:
    login, _, extension = IN_PAGE
    sip_password = kept.get("sip_password") or secrets.token_urlsafe(18)
    password = _password(kept)
    return {
        "login": login,
        "password": password,
        "extension": extension,
        "sip_password": sip_password,
    }


def _operator(position: int, kept: dict[str, str]) -> dict[str, Any]:
    speaks = ["uz", "ru"] if position < _BOTH else ["uz"] if position < _UZBEK else ["ru"]
    return {
        "login": f"op{position + 1:02}",
        "password": _password(kept),
        "extension": str(1001 + position),
        "sip_password": kept.get("sip_password") or secrets.token_urlsafe(18),
        "languages": speaks,
    }


def _password(kept: dict[str, str]) -> str:
    """A password that can be typed: three groups of four."""
    made = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    return kept.get("password") or "-".join(made)


def _read(place: Place) -> dict[str, Any]:
    if not place.description.exists():
        return {}
    return json.loads(place.description.read_text("utf-8"))
