"""What the templates of Asterisk's configuration take from the plan."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from appliance import clock, directory, identity, plan, selftests, staff
from appliance.links import hosts
from appliance.models import CalendarDay
from appliance.plan import Number, Plan, Route
from appliance.settings import Settings

RESULTS = {
    "": "failed",
    "ANSWER": "answered",
    "BUSY": "busy",
    "CANCEL": "no_answer",
    "CHANUNAVAIL": "failed",
    "CONGESTION": "failed",
    "NOANSWER": "no_answer",
}  # DIALSTATUS → result of a transfer


def facts(settings: Settings, current: Plan, *, apart: bool) -> dict[str, Any]:
    """Name → value for the templates. `apart`: without the E1 channels, and silent to carriers."""
    queueing = current.queueing
    falls_back = 0 < queueing.fall_back_after < queueing.max_wait
    e1 = [trunk for trunk in current.trunks if trunk.kind == "e1"]
    return {
        "apart": apart,
        "plan": current,
        "queueing": queueing,
        "own_wait": queueing.fall_back_after if falls_back else queueing.max_wait,
        "queues": [*plan.shared(current), *(plan.own(o.extension) for o in staff.operators())],
        "levels": sorted({topic.keys[:-1] for topic in current.topics} | {""}),
        "numbers": _numbers(current),
        "routes": _routes(current),
        "addresses": hosts.addresses(t.address for t in current.trunks if t.kind == "sip"),
        "sip_trunks": [trunk for trunk in current.trunks if trunk.kind == "sip"],
        "transports": sorted({"udp", *(t.transport for t in current.trunks if t.kind == "sip")}),
        "e1": [] if apart else e1,
        "results": RESULTS,
        "self_test": selftests.line(settings),
        "employees": _employees(),
        "timezone": settings.timezone,
        "opens": settings.work_opens,
        "closes": settings.work_closes,
        "days": _days(settings),
    }


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
            number = identity.phone(one.number) or one.number
            found[number] = Away(number, identity.phone(other) or other, hours)
    return [found[number] for number in sorted(found)]


def _days(settings: Settings) -> list[tuple[str, bool]]:
    """(date, working) of the days from yesterday on that differ from Monday to Friday."""
    yesterday = clock.now().astimezone(settings.tz).date() - dt.timedelta(days=1)
    rows = CalendarDay.select().where(CalendarDay.date >= yesterday).order_by(CalendarDay.date)
    return [(day.date.isoformat(), day.working) for day in rows]
