"""Whether citizens are answered as soon as the contract promises: within 20 seconds on average."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.reports.kpi import ASA_TARGET_SECONDS, Rate
from appliance.reports.today import count_today
from appliance.telephony import calls

RECENT_PERIOD = dt.timedelta(minutes=15)
_RECENT_NAME = N_("Answer time, the last 15 minutes")
_TODAY_NAME = N_("Average answer time, today")
_ADVICE = N_(
    "Call in more operators, or ask those who pause to press Ready: the contract promises an "
    "answer within {limit} seconds on average. The page Floor shows who is waiting."
)


def check_answer_time(settings: Settings) -> Iterator[Check]:
    """Check the average answer time of the calls of the last 15 minutes and of those of today.

    In the last 15 minutes, a caller who is still waiting counts as if answered now, so that calls
    nobody answers raise the alarm, too. An average of few calls only warns.
    """
    now = clock.now()
    waits = [call.waiting_since for call in calls.live_calls() if call.waiting_since]
    level = settings.calls.service_level
    recent = count_today(now - RECENT_PERIOD, now, waits, level)
    yield _answer_time_check("answer_time.recent", _RECENT_NAME, recent.asa_soon)
    today = count_today(clock.start_of_day(now, settings.tz), now, waits, level)
    yield _answer_time_check("answer_time.today", _TODAY_NAME, today.asa)


def _answer_time_check(code: str, name: str, average: Rate) -> Check:
    """Return the check of an average answer time in seconds."""
    if average.value is None:
        return Check(code, name, "ok", N_("no call yet"))
    values = {
        "seconds": f"{average.value:.0f}",
        "calls": str(average.cases),
        "limit": f"{ASA_TARGET_SECONDS:.0f}",
    }
    if average.value <= ASA_TARGET_SECONDS:
        finding = N_("{seconds} seconds, {calls} calls")
        return Check(code, name, "ok", finding, values=values)
    values["seconds"] = f"{average.value:.1f}"
    finding = N_("{seconds} seconds, more than {limit}; {calls} calls")
    return Check(code, name, "warn" if average.few else "fail", finding, _ADVICE, values)
