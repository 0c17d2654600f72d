"""Whether a call can ring any phone, i.e. whether an operator's phone is registered."""

from collections.abc import Iterator

from appliance.box.health.check import Check
from appliance.box.health.exchange import is_exchange_alive
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import Talk
from appliance.people import accounts
from appliance.telephony import devices

_FIRST_PHONE_ADVICE = N_(
    "Set up the first phone: add it on the page People, Desk phones, press New set-up address and "
    "enter that address into the phone; or set up a phone manually, as described in the "
    "technician's guide."
)


def check_phone_reach(settings: Settings) -> Iterator[Check]:
    """Check that at least one operator's phone is registered."""
    if not is_exchange_alive():
        return
    code, name = "phones.reach", N_("Operators who can be reached")
    operators, phones_by_extension = accounts.active_operators(), devices.phones_by_extension()
    count = sum(
        user.extension in phones_by_extension and phones_by_extension[user.extension].up
        for user in operators
    )
    values = {"count": str(count)}
    if count:
        yield Check(code, name, "ok", N_("phones registered: {count}"), values=values)
    elif not operators:
        no_operator = N_("no operator has an extension: no phone rings on a call")
        advice = N_(
            "Add an operator with an extension on the page People, then set up their phone."
        )
        yield Check(code, name, "warn", no_operator, advice)
    elif not Talk.select().where(Talk.who.in_([user.login for user in operators])).exists():
        no_phone_yet = N_(
            "no phone is registered, and no phone has answered a call yet: no phone rings on a call"
        )
        yield Check(code, name, "warn", no_phone_yet, _FIRST_PHONE_ADVICE)
    else:
        advice = N_(
            "Ask an operator to start their phone or sign in, and check the cable of the phones: "
            "the line is open day and night."
        )
        no_phone = N_("no operator's phone is registered: no phone rings on a call")
        yield Check(code, name, "warn", no_phone, advice)
