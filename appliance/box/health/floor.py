"""Whether callers reach somebody: operators who are ready, their phones, unknown carriers."""

import datetime as dt
from collections.abc import Iterator

from peewee import fn

from appliance.box.health.check import Check
from appliance.box.health.exchange import line_answers
from appliance.box.links import hosts
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import Call, SipRefusal
from appliance.people import accounts, presence
from appliance.telephony import devices, routing

REGISTERS = dt.timedelta(seconds=15)  # in which a phone that was started again comes back
WINDOW = dt.timedelta(minutes=5)
MANY = 5  # refused calls of one address within the window
HIDDEN = 10  # calls in a row without a number
DAY = dt.timedelta(days=1)
_NAMED = 4
_ADDRESSES = 20  # that are named
_NAMES = {
    "uz": N_("Operators who speak Uzbek"),
    "ru": N_("Operators who speak Russian"),
}


def phones(settings: Settings) -> Iterator[Check]:
    """Who is ready can be rung."""
    if not line_answers():
        return
    code, name, now = "phones", N_("Phones of operators"), clock.now()
    seen, deaf = devices.phones(), []
    for user, state in presence.in_force():
        phone = seen.get(user.extension)
        if not state or state.state != "ready" or (phone and phone.up):
            continue
        if now - max(state.since, phone.since if phone else state.since) >= REGISTERS:
            deaf.append(f"{user.name} ({user.extension})")
    if not deaf:
        yield Check(code, name, "ok", N_("everybody who is ready can be rung"))
        return
    names = ", ".join(deaf[:_NAMED]) + (" …" if len(deaf) > _NAMED else "")
    yield Check(
        code,
        name,
        "fail",
        N_("ready, but the phone is not registered: {names}"),
        N_(
            "Have them start the phone program again, and look at the cable and at the password in "
            "it; until then they should be off: callers are kept waiting for them."
        ),
        {"names": names},
    )


def page_phones(settings: Settings) -> Iterator[Check]:
    """Where operators have their phones in the page, phones in browsers are let in."""
    names = [f"{u.name} ({u.extension})" for u in accounts.operators() if u.phone == "page"]
    if not names:
        return
    code, name = "phones.page", N_("Phones in the operators' page")
    if settings.asterisk.browser_phones:
        yield Check(code, name, "ok", N_("let in"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("not let in, but chosen: {names}"),
        N_(
            "Set `asterisk.browser_phones`, on a box by `site_browser_phones`; or give these "
            "operators a phone on the desk."
        ),
        {"names": ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")},
    )


def languages(settings: Settings) -> Iterator[Check]:
    """Somebody is ready, or speaks right now, in each language of the callers."""
    operators = presence.in_force()
    for language in accounts.CALL_LANGUAGES:
        speak = [state for user, state in operators if language in user.speaks.split()]
        ready = sum(bool(state and state.state == "ready") for state in speak)
        code, name = f"operators.{language}", _NAMES[language]
        values = {"count": str(ready)}
        if ready:
            yield Check(code, name, "ok", N_("{count} ready"), values=values)
            continue
        yield Check(
            code,
            name,
            "fail" if speak else "warn",
            N_("nobody is ready") if speak else N_("there is none"),
            N_(
                "Call one in, or have one press Ready: the line is open day and night, and these "
                "callers wait for nobody."
            ),
            values,
        )


def strangers(settings: Settings) -> Iterator[Check]:
    """No unknown address tries to call again and again.

    All of them are listed: many calls from one address must not hide a carrier. The box's own
    requests are left out.
    """
    code, name, since = "refused", N_("Callers from unknown addresses"), clock.now() - WINDOW
    became = Call.select(Call.sip).where(Call.sip.is_null(False), Call.arrived_at > since - WINDOW)
    rows = (
        SipRefusal.select(SipRefusal.address, fn.COUNT(SipRefusal.sip))
        .where(SipRefusal.at > since, SipRefusal.sip.not_in(became))
        .group_by(SipRefusal.address)
        .tuples()
    )
    own = hosts.own(settings)
    counts: dict[str, int] = {}
    for address, count in rows:
        host = address.rpartition(":")[0] or address
        if host in own:
            continue
        counts[host] = counts.get(host, 0) + count
    many = sorted((h for h in counts if counts[h] >= MANY), key=lambda host: -counts[host])
    if not many:
        yield Check(code, name, "ok", N_("none again and again"))
        return
    calls = ", ".join(f"{host} ({counts[host]})" for host in many[:_ADDRESSES])
    yield Check(
        code,
        name,
        "fail",
        N_("calls were refused in five minutes, by address: {calls}"),
        N_(
            "If one is a carrier's new address, give it to the trunk on the page Telephony: its "
            "callers do not reach us. The others shut out at the firewall."
        ),
        {"calls": calls + (" …" if len(many) > _ADDRESSES else "")},
    )


def callers(settings: Settings) -> Iterator[Check]:
    """Each trunk passes on the callers' numbers."""
    since = clock.now() - DAY
    for trunk in routing.current(settings).trunks:
        newest = (
            Call.select(Call.caller)
            .where(
                Call.trunk == trunk.name,
                Call.direction == "inbound",
                ~Call.synthetic,
                Call.arrived_at > since,
            )
            .order_by(Call.arrived_at.desc())
            .limit(HIDDEN)
        )
        numbers = [call.caller for call in newest]
        if len(numbers) < HIDDEN:
            continue
        code, name = f"callers.{trunk.name}", N_("Numbers of callers over trunk {trunk}")
        values = {"trunk": trunk.name, "count": str(HIDDEN)}
        if any(numbers):
            yield Check(code, name, "ok", N_("are handed on"), values=values)
            continue
        yield Check(
            code,
            name,
            "fail",
            N_("the last {count} calls came without a number"),
            N_(
                "Call the carrier and have the caller's number sent again: without it nobody is "
                "called back, and known callers are not recognised."
            ),
            values,
        )
