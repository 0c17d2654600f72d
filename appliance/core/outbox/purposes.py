"""The purposes of messages: their names, when they may be sent, how long they are useful."""

import datetime as dt
from dataclasses import dataclass

from appliance.core.i18n import N_


@dataclass(frozen=True)
class Purpose:
    """What a message is sent for, which decides when it may be sent and how long it is useful."""

    code: str  # stored in Message.purpose
    name: str  # shown to users; a message id for gettext
    urgent: bool = False  # its recipient is waiting for it: it does not wait for the morning
    for_staff: bool = False  # for people on duty or technicians: the daily limits do not apply
    # How long after its planned time it is useful; None: queueing.DEFAULT_LIFETIME.
    lifetime: dt.timedelta | None = None
    by_sms: bool = False  # is sent by SMS
    optional: bool = False  # the site may disable it


PURPOSES = {
    purpose.code: purpose
    for purpose in (
        Purpose("registered", N_("Appeal registered"), urgent=True, by_sms=True, optional=True),
        Purpose("answered", N_("Answer prepared"), by_sms=True, optional=True),
        # These two are useful for a shorter time: the caller may have called again, …
        Purpose(
            "missed", N_("Missed call"), lifetime=dt.timedelta(hours=12), by_sms=True, optional=True
        ),
        Purpose(  # … or was called back
            "callback",
            N_("Callback notice"),
            urgent=True,
            lifetime=dt.timedelta(hours=2),
            by_sms=True,
            optional=True,
        ),
        Purpose(
            "rating",
            N_("Rating requested"),
            lifetime=dt.timedelta(days=1),
            by_sms=True,
            optional=True,
        ),
        Purpose("alert", N_("Appeal outside working hours")),
        Purpose("taken", N_("Who took an appeal")),
        Purpose("duty", N_("Nobody took an appeal"), urgent=True, for_staff=True, by_sms=True),
        Purpose("alarm", N_("System fault"), urgent=True, for_staff=True, by_sms=True),
        Purpose("request", N_("Term of a change request is ending"), for_staff=True, by_sms=True),
        Purpose("status", N_("State requested"), urgent=True, by_sms=True),
        Purpose("own_data", N_("Answer to a request about personal data"), by_sms=True),
        Purpose("summary", N_("The day's summary")),
        Purpose("manual", N_("Written by an operator"), urgent=True, by_sms=True),
        Purpose("appeal", N_("New appeal")),
        Purpose("change", N_("Appeal changed")),
    )
}
URGENT_PURPOSES = frozenset(code for code, purpose in PURPOSES.items() if purpose.urgent)
STAFF_PURPOSES = frozenset(code for code, purpose in PURPOSES.items() if purpose.for_staff)
LIFETIMES = {code: purpose.lifetime for code, purpose in PURPOSES.items() if purpose.lifetime}
