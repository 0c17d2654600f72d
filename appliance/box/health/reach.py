"""Whether a call can ring any phone: from the first registered phone on."""

from collections.abc import Iterator

from appliance.box.health.check import Check
from appliance.box.health.exchange import line_answers
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import Talk
from appliance.people import accounts
from appliance.telephony import devices

_FIRST = N_(
    "Set up the first phone: write it down on the page People, Desk phones, press New set-up "
    "address and put that address into the phone; or set a phone by hand, as the technician's "
    "guide says."
)


def reach(settings: Settings) -> Iterator[Check]:
    """An operator's phone is registered."""
    if not line_answers():
        return
    code, name = "phones.reach", N_("Operators within reach")
    operators, device_of = accounts.operators(), devices.phones()
    count = sum(user.extension in device_of and device_of[user.extension].up for user in operators)
    values = {"count": str(count)}
    if count:
        yield Check(code, name, "ok", N_("phones registered: {count}"), values=values)
    elif not operators:
        none = N_("no operator has an extension: a call rings nobody")
        advice = N_("Make an operator with an extension on the page People, then set up his phone.")
        yield Check(code, name, "warn", none, advice)
    elif not Talk.select().where(Talk.who.in_([user.login for user in operators])).exists():
        never = N_("no phone is registered, and none has answered a call yet: a call rings nobody")
        yield Check(code, name, "warn", never, _FIRST)
    else:
        advice = N_(
            "Have an operator start his phone or sign in, and look at the cable of the phones: the "
            "line is open day and night."
        )
        gone = N_("no operator's phone is registered: a call rings nobody")
        yield Check(code, name, "warn", gone, advice)
