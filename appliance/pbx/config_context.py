"""The values from the plan and the database that the templates of Asterisk's configuration use."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import Any

from appliance.box import selftests
from appliance.box.links import hosts
from appliance.core import clock, phone_numbers
from appliance.core.settings import Settings
from appliance.models import CalendarDay
from appliance.people import accounts
from appliance.telephony import desk_phones, directory, number_hiding, routing
from appliance.telephony.calls import dialling
from appliance.telephony.routing import HotlineNumber, Plan, Route

_LONG_WAIT_SECONDS = 60  # if a caller has waited longer, the operator is notified of it


def template_values(settings: Settings, plan: Plan, *, isolated: bool) -> dict[str, Any]:
    """Return the values for the templates of Asterisk's configuration, by name.

    `isolated`: for a second Asterisk that has no E1 channels and does not contact the carriers.
    """
    queueing, secure_phones = plan.queueing, desk_phones.secure_extensions(settings)
    e1 = [trunk for trunk in plan.trunks if trunk.kind == "e1"]
    sip = [trunk for trunk in plan.trunks if trunk.kind == "sip"]
    addresses = hosts.resolve_addresses(trunk.address for trunk in sip)
    return {
        "apart": isolated,
        "plan": plan,
        "queueing": queueing,
        "own_wait": queueing.own_wait_seconds,
        "queues": [
            *routing.shared_queues(plan),
            *(routing.own_queue(operator.extension) for operator in accounts.active_operators()),
        ],
        # The menus of topics: each by the keys pressed before it, "" for the first menu.
        "levels": sorted({topic.keys[:-1] for topic in plan.topics} | {""}),
        "numbers": _hotline_numbers(plan),
        "routes": _routes_with_default(plan),
        "addresses": addresses,
        "carriers": sorted(
            {address for host_addresses in addresses.values() for address in host_addresses}
        ),
        "sip_trunks": sip,
        "transports": sorted(_sip_transports(plan, secure_phones)),
        "numbers_hidden": number_hiding.is_enabled(),
        "secure_phones": secure_phones,
        "e1": [] if isolated else e1,
        "results": {
            "": "failed",
            **dialling.OUTCOME_BY_STATUS,
        },  # result of a transfer by DIALSTATUS
        "echo": dialling.ECHO_EXTENSION,
        "self_test": selftests.self_test_line(settings),
        "employees": _employee_diversions(),
        # For phones in pages: the machine's address, if that of Asterisk is only a loopback one.
        "outward": hosts.outward_address() if _is_loopback(settings) else "",
        "employee_numbers": _employee_phone_numbers() if queueing.whisper else [],
        "long_wait": _LONG_WAIT_SECONDS,
        "timezone": settings.timezone,
        "opens": settings.work_opens,
        "closes": settings.work_closes,
        "days": _exceptional_days(settings),
    }


def _is_loopback(settings: Settings) -> bool:
    """Return True if Asterisk's own address is a loopback one."""
    return ipaddress.ip_address(settings.asterisk.address).is_loopback


def _sip_transports(plan: Plan, secure_phones: set[str]) -> set[str]:
    """Return the SIP transports: UDP, those of the trunks, and TLS if phones use it.

    `secure_phones` are the extensions that may use TLS only.
    """
    phones = {"tls"} if secure_phones or desk_phones.phones_by_user() else set()
    return {"udp", *(trunk.transport for trunk in plan.trunks if trunk.kind == "sip")} | phones


def _hotline_numbers(plan: Plan) -> list[HotlineNumber]:
    """Return the numbers of the plan, always with an entry, without digits, for all others.

    If the plan does not contain that entry, it has the default values.
    """
    numbers = list(plan.numbers)
    return (
        numbers if any(not number.number for number in numbers) else [*numbers, HotlineNumber("")]
    )


def _routes_with_default(plan: Plan) -> list[Route]:
    """Return the routes of the plan, always with one, without a prefix, for all other numbers.

    If the plan does not contain that route, it has no trunk: such numbers cannot be called.
    """
    routes = list(plan.routes)
    return routes if any(not route.prefix for route in routes) else [*routes, Route("", ())]


@dataclass(frozen=True)
class EmployeeDiversion:
    """An employee with a substitute or working hours; the numbers are as the dialplan has them."""

    number: str
    substitute: str  # number of the substitute; "": the employee has no substitute
    hours: tuple[str, str] | None  # (begin, end), unless they can be rung at any time


def _employee_diversions() -> list[EmployeeDiversion]:
    """Return the diversions of employees who cannot always be rung directly, one for each number.

    These are the employees with a substitute or with working hours.
    """
    substitutes = directory.substitute_numbers()
    diversions = {}
    for employee in directory.list_employees():
        substitute, hours = substitutes.get(employee.number, ""), directory.working_hours(employee)
        if substitute or hours:
            number = phone_numbers.canonical_number(employee.number) or employee.number
            diversions[number] = EmployeeDiversion(
                number, phone_numbers.canonical_number(substitute) or substitute, hours
            )
    return [diversions[number] for number in sorted(diversions)]


def _employee_phone_numbers() -> list[str]:
    """Return the phone numbers of the ministry's employees, written as the dialplan writes numbers.

    It compares them with its variable CITIZEN.
    """
    numbers = {
        phone_numbers.canonical_number(employee.number) or employee.number
        for employee in directory.list_employees()
    }
    return sorted(numbers)


def _exceptional_days(settings: Settings) -> list[tuple[str, bool]]:
    """Return (ISO date, is a working day) of the dates that are an exception to Monday to Friday.

    Dates before yesterday are left out: the dialplan asks only for the current one.
    """
    yesterday = clock.now().astimezone(settings.tz).date() - dt.timedelta(days=1)
    rows = CalendarDay.select().where(CalendarDay.date >= yesterday).order_by(CalendarDay.date)
    return [(day.date.isoformat(), day.working) for day in rows]
