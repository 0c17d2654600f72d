"""Limits of an operator's daily pauses, by reason. Exceeding a limit only causes a warning."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping

from appliance.core import audit, live
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.statements import PreparedQuery
from appliance.models import PauseLimit, User
from appliance.people import presence

MAX_MINUTES = 24 * 60
DEFAULT_LIMITS = {"lunch": 60, "break": 30}  # minutes, until the manager sets others


_LIMITS = PreparedQuery(
    lambda: PauseLimit.select(PauseLimit.reason, PauseLimit.minutes).where(
        PauseLimit.minutes.is_null(False)
    )
)


def seed_limits() -> None:
    """Store the default limits for reasons that never had one."""
    rows = [{"reason": reason, "minutes": minutes} for reason, minutes in DEFAULT_LIMITS.items()]
    PauseLimit.insert_many(rows).on_conflict_ignore().execute()


def pause_limits() -> dict[str, int]:
    """Return the limits in minutes per day, by reason, of the reasons that have one."""
    return dict(_LIMITS.fetch_tuples())


def set_limits(minutes: Mapping[str, int | None], by: str) -> None:
    """Set the limits of these reasons in minutes per day; None: no limit.

    Raises Refused "minutes" if one of them is not 1 to MAX_MINUTES.
    """
    if any(value is not None and not 1 <= value <= MAX_MINUTES for value in minutes.values()):
        raise Refused("minutes", f"a limit is 1 to {MAX_MINUTES} minutes")
    with write_transaction():
        for reason, new in minutes.items():
            PauseLimit.insert(reason=reason, minutes=new).on_conflict(
                conflict_target=[PauseLimit.reason], preserve=[PauseLimit.minutes]
            ).execute()
        audit.record_entry(by, "pause.limits", "", **minutes)
        live.publish_topics("operators")


def pause_seconds(user: User, begin: dt.datetime, end: dt.datetime) -> dict[str, float]:
    """Return the seconds of a user's pauses within [begin, end), by reason ("": no reason)."""
    return seconds_by_reason(presence.intervals_of(user, begin, end))


def seconds_by_reason(states: list[presence.StateInterval]) -> dict[str, float]:
    """Return the seconds of the pauses among these states, by reason."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for interval in states:
        if interval.state == "pause":
            seconds[interval.reason] += interval.seconds
    return dict(seconds)
