"""Whether callers reach an operator: ready operators, phones, calls from unknown addresses."""

import datetime as dt
from collections.abc import Iterator

from peewee import fn

from appliance.box.health.check import Check
from appliance.box.health.exchange import is_exchange_alive
from appliance.box.links import hosts
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import Call, SipRefusal
from appliance.people import accounts, presence
from appliance.telephony import devices, routing

REGISTRATION_PERIOD = dt.timedelta(seconds=15)  # within which a restarted phone registers again
REFUSAL_WINDOW = dt.timedelta(minutes=5)
REFUSED_CALLS_LIMIT = 5  # refused calls of one address within the window
HIDDEN_CALLS_LIMIT = 10  # consecutive calls without a number
CALLER_WINDOW = dt.timedelta(days=1)
_MAX_NAMES = 4
_MAX_ADDRESSES = 20  # listed at most
_LANGUAGE_TITLES = {
    "uz": N_("Operators who speak Uzbek"),
    "ru": N_("Operators who speak Russian"),
}


def check_operator_phones(settings: Settings) -> Iterator[Check]:
    """Check that the phone of every ready operator is registered."""
    if not is_exchange_alive():
        return
    code, name, now = "phones", N_("Phones of operators"), clock.now()
    phones_by_extension, unreachable = devices.phones_by_extension(), []
    for user, state in presence.current_states():
        phone = phones_by_extension.get(user.extension)
        if not state or state.state != "ready" or (phone and phone.up):
            continue
        if now - max(state.since, phone.since if phone else state.since) >= REGISTRATION_PERIOD:
            unreachable.append(f"{user.name} ({user.extension})")
    if not unreachable:
        yield Check(code, name, "ok", N_("all operators who are ready can be rung"))
        return
    names = ", ".join(unreachable[:_MAX_NAMES]) + (" …" if len(unreachable) > _MAX_NAMES else "")
    yield Check(
        code,
        name,
        "fail",
        N_("ready, but the phone is not registered: {names}"),
        N_(
            "Ask them to restart the phone program, and check the cable and the password in it; "
            "until then they should sign off from work: callers are waiting for them without an "
            "answer."
        ),
        {"names": names},
    )


def check_page_phones(settings: Settings) -> Iterator[Check]:
    """Check that Asterisk accepts phones in browsers if operators use one in their page."""
    names = [f"{u.name} ({u.extension})" for u in accounts.active_operators() if u.phone == "page"]
    if not names:
        return
    code, name = "phones.page", N_("Phones in the operators' page")
    if settings.asterisk.browser_phones:
        yield Check(code, name, "ok", N_("allowed in"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("not allowed in, but chosen: {names}"),
        N_(
            "Set `asterisk.browser_phones` (on a server: `site_browser_phones`), or give these "
            "operators a desk phone."
        ),
        {"names": ", ".join(names[:_MAX_NAMES]) + (" …" if len(names) > _MAX_NAMES else "")},
    )


def check_languages(settings: Settings) -> Iterator[Check]:
    """Check that an operator is ready, or is talking, in each language of the callers."""
    operators = presence.current_states()
    for language in accounts.CALL_LANGUAGES:
        speaker_states = [state for user, state in operators if language in user.speaks.split()]
        ready_count = sum(bool(state and state.state == "ready") for state in speaker_states)
        code, name = f"operators.{language}", _LANGUAGE_TITLES[language]
        values = {"count": str(ready_count)}
        if ready_count:
            yield Check(code, name, "ok", N_("{count} ready"), values=values)
            continue
        yield Check(
            code,
            name,
            "fail" if speaker_states else "warn",
            N_("nobody is ready") if speaker_states else N_("there are no such operators"),
            N_(
                "Call an operator in, or ask one to press Ready: the line is open day and night, "
                "and nobody is there to answer these callers."
            ),
            values,
        )


def check_unknown_callers(settings: Settings) -> Iterator[Check]:
    """Check that no unknown address tries to call again and again.

    All such addresses are listed, so that many calls from one do not hide a carrier. The box's own
    requests are left out.
    """
    code, name, since = (
        "refused",
        N_("Calls from unknown addresses"),
        clock.now() - REFUSAL_WINDOW,
    )
    accepted_calls = Call.select(Call.sip).where(
        Call.sip.is_null(False), Call.arrived_at > since - REFUSAL_WINDOW
    )
    rows = (
        SipRefusal.select(SipRefusal.address, fn.COUNT(SipRefusal.sip))
        .where(SipRefusal.at > since, SipRefusal.sip.not_in(accepted_calls))
        .group_by(SipRefusal.address)
        .tuples()
    )
    box_addresses = hosts.own_addresses(settings)
    counts: dict[str, int] = {}
    for address, count in rows:
        host = address.rpartition(":")[0] or address
        if host in box_addresses:
            continue
        counts[host] = counts.get(host, 0) + count
    frequent_hosts = sorted(
        (frequent_host for frequent_host in counts if counts[frequent_host] >= REFUSED_CALLS_LIMIT),
        key=lambda host: -counts[host],
    )
    if not frequent_hosts:
        yield Check(code, name, "ok", N_("no repeated attempts"))
        return
    calls = ", ".join(f"{host} ({counts[host]})" for host in frequent_hosts[:_MAX_ADDRESSES])
    yield Check(
        code,
        name,
        "fail",
        N_("calls refused within five minutes, by address: {calls}"),
        N_(
            "If one of them is a carrier's new address, add it to the trunk on the page Telephony: "
            "its callers do not reach us. Block the others at the firewall."
        ),
        {"calls": calls + (" …" if len(frequent_hosts) > _MAX_ADDRESSES else "")},
    )


def check_caller_numbers(settings: Settings) -> Iterator[Check]:
    """Check that each trunk transmits the callers' numbers."""
    since = clock.now() - CALLER_WINDOW
    for trunk in routing.current_plan(settings).trunks:
        newest_calls = (
            Call.select(Call.caller)
            .where(
                Call.trunk == trunk.name,
                Call.direction == "inbound",
                ~Call.synthetic,
                Call.arrived_at > since,
            )
            .order_by(Call.arrived_at.desc())
            .limit(HIDDEN_CALLS_LIMIT)
        )
        numbers = [call.caller for call in newest_calls]
        if len(numbers) < HIDDEN_CALLS_LIMIT:
            continue
        code, name = f"callers.{trunk.name}", N_("Numbers of callers over trunk {trunk}")
        values = {"trunk": trunk.name, "count": str(HIDDEN_CALLS_LIMIT)}
        if any(numbers):
            yield Check(code, name, "ok", N_("are transferred"), values=values)
            continue
        yield Check(
            code,
            name,
            "fail",
            N_("the last {count} calls arrived without a number"),
            N_(
                "Call the carrier and ask them to send the caller's number again: without it "
                "nobody can be called back, and known callers are not recognised."
            ),
            values,
        )
