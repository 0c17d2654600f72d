"""What the templates of Asterisk's configuration take from the plan."""

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
from appliance.telephony.routing import Number, Plan, Route

_LONG_WAIT = 60  # seconds, from when on the operator is told that a caller has waited


def facts(settings: Settings, current: Plan, *, apart: bool) -> dict[str, Any]:
    """Name → value for the templates. `apart`: without the E1 channels, and silent to carriers."""
    queueing, secured = current.queueing, desk_phones.secure(settings)
    e1 = [trunk for trunk in current.trunks if trunk.kind == "e1"]
    sip = [trunk for trunk in current.trunks if trunk.kind == "sip"]
    addresses = hosts.addresses(trunk.address for trunk in sip)
    return {
        "apart": apart,
        "plan": current,
        "queueing": queueing,
        "own_wait": queueing.own_wait,
        "queues": [
            *routing.shared(current),
            *(routing.own(o.extension) for o in accounts.operators()),
        ],
        "levels": sorted({topic.keys[:-1] for topic in current.topics} | {""}),
        "numbers": _numbers(current),
        "routes": _routes(current),
        "addresses": addresses,
        "carriers": sorted({one for found in addresses.values() for one in found}),
        "sip_trunks": sip,
        "transports": sorted(_transports(current, secured)),
        "numbers_hidden": number_hiding.is_on(),
        "secure_phones": secured,
        "e1": [] if apart else e1,
        "results": {"": "failed", **dialling.OUTCOME_OF},  # DIALSTATUS → of a transfer
        "echo": dialling.ECHO,
        "self_test": selftests.line(settings),
        "employees": _employees(),
        "outward": hosts.outward() if _is_loopback(settings) else "",
        "employee_numbers": _employee_numbers() if queueing.whisper else [],
        "long_wait": _LONG_WAIT,
        "timezone": settings.timezone,
        "opens": settings.work_opens,
        "closes": settings.work_closes,
        "days": _days(settings),
    }


def _is_loopback(settings: Settings) -> bool:
    return ipaddress.ip_address(settings.asterisk.address).is_loopback


def _transports(current: Plan, secured: set[str]) -> set[str]:
    """How SIP comes in: by UDP, as a trunk wants it, and by TLS where phones speak it."""
    phones = {"tls"} if secured or desk_phones.every() else set()
    return {"udp", *(t.transport for t in current.trunks if t.kind == "sip")} | phones


def _numbers(current: Plan) -> list[Number]:
    """With one for every number that is not listed."""
    listed = list(current.numbers)
    return listed if any(not n.number for n in listed) else [*listed, Number("")]


def _routes(current: Plan) -> list[Route]:
    """With one, of no trunk, for numbers that no route takes."""
    listed = list(current.routes)
    return listed if any(not r.prefix for r in listed) else [*listed, Route("", ())]


@dataclass(frozen=True)
class Away:
    """An employee with a substitute or hours (begin, end); numbers as the dialplan has them."""

    number: str
    substitute: str
    hours: tuple[str, str] | None


def _employees() -> list[Away]:
    """Those of the ministry's employees who are not simply rung; one for each number."""
    others = directory.substitutes()
    found = {}
    for one in directory.employees():
        other, hours = others.get(one.number, ""), directory.hours_of(one)
        if other or hours:
            number = phone_numbers.canonical(one.number) or one.number
            found[number] = Away(number, phone_numbers.canonical(other) or other, hours)
    return [found[number] for number in sorted(found)]


def _employee_numbers() -> list[str]:
    """By which the ministry's employees are known when they call, as CITIZEN has them."""
    numbers = {phone_numbers.canonical(one.number) or one.number for one in directory.employees()}
    return sorted(numbers)


def _days(settings: Settings) -> list[tuple[str, bool]]:
    """(date, working) of the days from yesterday on that differ from Monday to Friday."""
    yesterday = clock.now().astimezone(settings.tz).date() - dt.timedelta(days=1)
    rows = CalendarDay.select().where(CalendarDay.date >= yesterday).order_by(CalendarDay.date)
    return [(day.date.isoformat(), day.working) for day in rows]
