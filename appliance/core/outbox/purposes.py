"""What messages are about, each once: its name, when it goes, how long it is of use."""

import datetime as dt
from dataclasses import dataclass

from appliance.core.i18n import N_


@dataclass(frozen=True)
class Purpose:
    """What a message is about; `name` is a message id."""

    code: str
    name: str
    at_once: bool = False  # somebody waits for it at this moment: not for the morning
    staff: bool = False  # for whoever is on duty or looks after the box: never too many
    use: dt.timedelta | None = None  # of none after that, counted from when it was to go
    by_sms: bool = False  # goes by SMS
    optional: bool = False  # the site may switch it off


PURPOSES = {
    purpose.code: purpose
    for purpose in (
        Purpose("registered", N_("Appeal registered"), at_once=True, by_sms=True, optional=True),
        Purpose("answered", N_("Answer ready"), by_sms=True, optional=True),
        # Of no use sooner: he has called again, …
        Purpose(
            "missed", N_("Missed call"), use=dt.timedelta(hours=12), by_sms=True, optional=True
        ),
        Purpose(  # … or was called
            "callback",
            N_("Callback announced"),
            at_once=True,
            use=dt.timedelta(hours=2),
            by_sms=True,
            optional=True,
        ),
        Purpose(
            "rating", N_("Rating asked for"), use=dt.timedelta(days=1), by_sms=True, optional=True
        ),
        Purpose("alert", N_("Appeal out of hours")),
        Purpose("taken", N_("Who took an appeal")),
        Purpose("duty", N_("Nobody took an appeal"), at_once=True, staff=True, by_sms=True),
        Purpose("alarm", N_("Fault of the box"), at_once=True, staff=True, by_sms=True),
        Purpose("request", N_("Term of a change request ends"), staff=True, by_sms=True),
        Purpose("status", N_("Status asked for"), at_once=True, by_sms=True),
        Purpose("own_data", N_("Answer to a request about own data"), by_sms=True),
        Purpose("summary", N_("The day's summary")),
        Purpose("manual", N_("Written by an operator"), at_once=True, by_sms=True),
        Purpose("appeal", N_("New appeal")),
        Purpose("change", N_("Appeal changed")),
    )
}
AT_ONCE = frozenset(code for code, purpose in PURPOSES.items() if purpose.at_once)
STAFF = frozenset(code for code, purpose in PURPOSES.items() if purpose.staff)
USE = {code: purpose.use for code, purpose in PURPOSES.items() if purpose.use}
