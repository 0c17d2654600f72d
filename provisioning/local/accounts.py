"""The demo site's people: logins and passwords, made once per site and stored in site.json."""

import json
import os
import secrets
import string
from typing import Any

from appliance.models import User
from appliance.people import accounts
from appliance.telephony import directory
from appliance.telephony.directory import DirectoryEntry
from provisioning.local.place import HOTLINE_NUMBER, SIP_PORT, TLS_PORT, Place

_LETTERS = "".join(c for c in string.ascii_lowercase + string.digits if c not in "il1o0")
# fmt: off
OPERATOR_NAMES = (
    "Dilnoza Karimova", "Jasur Rahimov", "Gulnora Yusupova", "Sherzod Toʻrayev",
    "Madina Xoʻjayeva", "Otabek Qodirov", "Nilufar Ergasheva", "Bobur Ismoilov",
    "Zuhra Abdullayeva", "Aziz Nazarov", "Malika Joʻrayeva", "Sardor Umarov",
    "Feruza Sultonova", "Ulugʻbek Mirzayev", "Shahnoza Gʻaniyeva", "Rustam Xolmatov",
    "Mohira Saidova", "Islom Boboyev", "Kamola Tursunova", "Davron Oʻrinov",
    "Elena Kim", "Aleksandr Tsoy", "Olga Petrova", "Timur Valiyev", "Svetlana Nam",
)
# fmt: on
# operators before these positions speak both languages, then Uzbek only; the rest Russian
_BOTH_LANGUAGES_UNTIL, _UZBEK_ONLY_UNTIL = (
    15,
    20,
)
USERS = {
    "supervisor": ("nazoratchi", "Gavhar Mahmudova"),
    "manager": ("rahbar", "Anvar Hakimov"),
    "ministry": ("vazirlik", "Barno Aliyeva"),
    "technician": ("texnik", "Farhod Sobirov"),
    "backup": ("zaxira", "Nodira Qosimova"),
}
MINISTRY_EMPLOYEES = (
    DirectoryEntry("Lola Rashidova", "712390101", "Bandlikka koʻmaklashish boshqarmasi"),
    DirectoryEntry("Murod Eshonqulov", "712390102", "Mehnat huquqlarini himoya qilish boʻlimi"),
    DirectoryEntry("Sevara Olimova", "712390103", "Tashqi mehnat migratsiyasi boʻlimi"),
)
# an operator whose phone is in the browser page
PAGE_OPERATOR = (
    "sahifa",
    "Laylo Azizova",
    "1951",
)
EXTENSION_BY_ROLE = {"supervisor": "1901"}  # users who have a phone without taking calls


def describe_site(place: Place) -> dict[str, Any]:
    """The contents of site.json. Passwords that are already in it are not changed."""
    previous = _read_description(place)
    operators = []
    for position in range(len(OPERATOR_NAMES)):
        stored = previous.get("operators", [])[position : position + 1] or [{}]
        operators.append(_operator_account(position, stored[0]))
    users = {
        role: _user_account(role, login, previous.get("users", {}).get(role, {}))
        for role, (login, _) in USERS.items()
    }
    return {
        "web": place.pages_url,
        "ca": str(place.folder / "tls" / "ca.pem"),
        "sip_trunk": {"host": place.box_address, "port": SIP_PORT, "from": place.carrier_address},
        "hotline_number": HOTLINE_NUMBER,
        "operators": operators,
        "page_operator": _page_operator_account(previous.get("page_operator", {})),
        "users": users,
        "ministry_employees": [
            {"name": employee.name, "department": employee.department, "number": employee.number}
            for employee in MINISTRY_EMPLOYEES
        ],
        "operator_sip": {
            "host": place.box_address,
            "port": SIP_PORT,
            "ws": f"wss://{place.box_address}:{TLS_PORT}/ws",
        },
        "phones": place.phones_address,
        "recordings": str(place.folder / "recordings"),
        "event_log": str(place.folder / "asterisk" / "log" / "cel-custom" / "events.csv"),
        "database": str(place.folder / "data" / "appliance.db"),
        "config": str(place.config_file),
    }


def write_description(place: Place, description: dict[str, Any]) -> None:
    """Write site.json as a whole, readable by its owner only: it contains passwords."""
    new_file = place.description_file.with_suffix(".new")
    new_file.touch(mode=0o600)
    new_file.write_text(json.dumps(description, ensure_ascii=False, indent=1) + "\n", "utf-8")
    os.replace(new_file, place.description_file)


def create_accounts(description: dict[str, Any]) -> int:
    """Create the accounts and ministry employees that the open database lacks.

    Returns the number of accounts created.
    """
    present = {user.login for user in User.select(User.login)}
    missing = [
        operator for operator in description["operators"] if operator["login"] not in present
    ]
    for operator in missing:
        accounts.create_account(
            operator["login"],
            OPERATOR_NAMES[description["operators"].index(operator)],
            "operator",
            operator["password"],
            extension=operator["extension"],
            sip_password=operator["sip_password"],
            speaks=tuple(operator["languages"]),
        )
    login, name, extension = PAGE_OPERATOR
    if login not in present:
        operator = description["page_operator"]
        phone = {"extension": extension, "sip_password": operator["sip_password"], "phone": "page"}
        accounts.create_account(
            login, name, "operator", operator["password"], speaks=("uz", "ru"), **phone
        )
        missing.append(operator)
    roles = [r for r, (login, _) in USERS.items() if login not in present]
    for role in roles:
        user = description["users"][role]
        phone = {key: user.get(key) for key in ("extension", "sip_password")}
        accounts.create_account(*USERS[role], role, user["password"], **phone)
    if not directory.list_employees(include_inactive=True):
        for employee in MINISTRY_EMPLOYEES:
            directory.save_employee(employee, by="local")
    return len(missing) + len(roles)


def _user_account(role: str, login: str, stored: dict[str, str]) -> dict[str, str]:
    user = {"login": login, "password": _account_password(stored)}
    if extension := EXTENSION_BY_ROLE.get(role):
        user["extension"] = extension
        user["sip_password"] = stored.get("sip_password") or secrets.token_urlsafe(18)
    return user


def _page_operator_account(stored: dict[str, str]) -> dict[str, str]:
    login, _, extension = PAGE_OPERATOR
    sip_password = stored.get("sip_password") or secrets.token_urlsafe(18)
    password = _account_password(stored)
    return {
        "login": login,
        "password": password,
        "extension": extension,
        "sip_password": sip_password,
    }


def _operator_account(position: int, stored: dict[str, str]) -> dict[str, Any]:
    speaks = (
        ["uz", "ru"]
        if position < _BOTH_LANGUAGES_UNTIL
        else ["uz"]
        if position < _UZBEK_ONLY_UNTIL
        else ["ru"]
    )
    return {
        "login": f"op{position + 1:02}",
        "password": _account_password(stored),
        "extension": str(1001 + position),
        "sip_password": stored.get("sip_password") or secrets.token_urlsafe(18),
        "languages": speaks,
    }


def _account_password(stored: dict[str, str]) -> str:
    """The stored password, or a new one that is easy to type: three groups of four."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    return stored.get("password") or "-".join(groups)


def _read_description(place: Place) -> dict[str, Any]:
    if not place.description_file.exists():
        return {}
    description: dict[str, Any] = json.loads(place.description_file.read_text("utf-8"))
    return description
