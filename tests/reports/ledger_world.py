"""What the tests of reports put into a site's database."""

import datetime as dt
import itertools
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from appliance.core import clock
from appliance.models import Appeal, Applicant, Call, EventRow, Recording, User
from appliance.reports import kpi
from appliance.reports.inbound import Arrivals, Slot
from appliance.reports.sums import Inbound, alone

TZ = ZoneInfo("Asia/Tashkent")


def at(text: str) -> dt.datetime:
    """A moment of December 2026 in the site's time: "7 08:59:59"; or a whole ISO date and time."""
    day, time = text.split()
    date = day if "-" in day else f"2026-12-{int(day):02}"
    return dt.datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=TZ)


def arrivals(calls: Iterable[Inbound]) -> Arrivals:
    """Calls at hand as those of a period are told."""
    known = [alone(call) for call in calls]
    slots: dict[dt.datetime, Slot] = {}
    for one in kpi.incoming(known):
        begin, outcome = one.like.arrived_at.astimezone(TZ).replace(tzinfo=None), one.like.outcome
        so_far = slots.get(begin, Slot(0, 0))
        slots[begin] = Slot(
            so_far.incoming + 1,
            so_far.accepted + (outcome == "answered"),
            so_far.open + (outcome is None),
        )
    return Arrivals(tuple(known), slots)


class World:
    """What the tests put into the database."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.operator = User.create(
            login="nilufar", name="N", role="operator", password_hash="", created_at=clock.now()
        )
        self.applicant = Applicant.create(kind="person", created_at=clock.now())

    def call(self, moment: str, outcome: str | None = "answered", **known: object) -> None:
        """A call in the ledger and, when inbound, its row in the event log."""
        number = f"{next(self.numbers)}.1"
        values = {"direction": "inbound", "stage": "ended", "menu": [], "menu_seconds": 10.0}
        if outcome == "answered":
            values |= {"wait_seconds": 12.0, "talk_seconds": 60.0, "ended_by": "caller"}
            seconds = known.get("talk_seconds", 60.0)
            Recording.create(file=f"{number}.wav", call_id=number, seconds=seconds)
        Call.create(id=number, arrived_at=at(moment), outcome=outcome, **values | known)
        if values["direction"] == "inbound" and "direction" not in known:
            EventRow.create(
                hash=number,
                linkedid=number,
                at=at(moment),
                event="CHAN_START",
                uniqueid=number,
                begins="from-trunk",
                fields={"LinkedID": number, "UniqueID": number, "Context": "from-trunk"},
            )

    def appeal(self, moment: str, region: str | None, direction: str, **known: object) -> Appeal:
        """A registered appeal."""
        return Appeal.create(
            number=f"2026-{next(self.numbers):06}",
            applicant=self.applicant,
            operator=self.operator,
            received_at=at(moment),
            registered_at=at(moment),
            applicant_kind="person",
            appeal_type="application",
            openness="open",
            region=region,
            direction=direction,
            **known,
        )
