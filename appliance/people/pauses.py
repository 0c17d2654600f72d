"""How long an operator's pauses of a day may be, by reason. A limit warns; it forces nobody."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping

from appliance.core import audit, live
from appliance.core.db import writing
from appliance.core.statements import Question
from appliance.models import PauseLimit, User
from appliance.people import presence
from appliance.people.accounts import StaffError

MOST = 24 * 60  # minutes
BROUGHT = {"lunch": 60, "break": 30}  # minutes, until the manager sets others


_LIMITS = Question(
    lambda: PauseLimit.select(PauseLimit.reason, PauseLimit.minutes).where(
        PauseLimit.minutes.is_null(False)
    )
)


def seed() -> None:
    """Put the limits that come with the product where none was ever set."""
    rows = [{"reason": reason, "minutes": minutes} for reason, minutes in BROUGHT.items()]
    PauseLimit.insert_many(rows).on_conflict_ignore().execute()


def limits() -> dict[str, int]:
    """Reason → minutes of a day, of the reasons that have a limit."""
    return dict(_LIMITS.ask())


def limit(minutes: Mapping[str, int | None], by: str) -> None:
    """Set limits: reason → minutes, None: as many as it takes. Raises StaffError "minutes"."""
    if any(m is not None and not 1 <= m <= MOST for m in minutes.values()):
        raise StaffError("minutes", f"a limit is 1 to {MOST} minutes")
    with writing():
        for reason, new in minutes.items():
            PauseLimit.insert(reason=reason, minutes=new).on_conflict(
                conflict_target=[PauseLimit.reason], preserve=[PauseLimit.minutes]
            ).execute()
        audit.record(by, "pause.limits", "", **minutes)
        live.publish("operators")


def taken(user: User, begin: dt.datetime, end: dt.datetime) -> dict[str, float]:
    """Reason → seconds of pauses within [begin, end); "" where no reason was told."""
    return by_reason(presence.intervals_of(user, begin, end))


def by_reason(states: list[presence.StateInterval]) -> dict[str, float]:
    """Reason → seconds of the pauses among these states."""
    found: defaultdict[str, float] = defaultdict(float)
    for one in states:
        if one.state == "pause":
            found[one.reason] += one.seconds
    return dict(found)
