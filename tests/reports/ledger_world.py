"""The rows that the tests of reports insert into a site's database."""

import datetime as dt
import itertools
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from appliance.core import clock
from appliance.models import Appeal, Applicant, Call, EventRow, Recording, User
from appliance.reports import kpi
from appliance.reports.inbound import Arrivals, ArrivalSlot
from appliance.reports.sums import InboundCall, single_call_group

TZ = ZoneInfo("Asia/Tashkent")


def site_time(text: str) -> dt.datetime:
    """Return a time of December 2026 at the site: "7 08:59:59", or an ISO date and time."""
    day, time = text.split()
    date = day if "-" in day else f"2026-12-{int(day):02}"
    return dt.datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=TZ)


def arrivals_of_calls(calls: Iterable[InboundCall]) -> Arrivals:
    """Return the given calls in the form in which a period's calls are counted."""
    groups = [single_call_group(call) for call in calls]
    slots: dict[dt.datetime, ArrivalSlot] = {}
    for group in kpi.incoming_groups(groups):
        begin, outcome = (
            group.sample_call.arrived_at.astimezone(TZ).replace(tzinfo=None),
            group.sample_call.outcome,
        )
        so_far = slots.get(begin, ArrivalSlot(0, 0))
        slots[begin] = ArrivalSlot(
            so_far.incoming + 1,
            so_far.accepted + (outcome == "answered"),
            so_far.open + (outcome is None),
        )
    return Arrivals(tuple(groups), slots)


class World:
    """Inserts rows of the ledger, the event log and the appeals."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.operator = User.create(
            login="nilufar", name="N", role="operator", password_hash="", created_at=clock.now()
        )
        self.applicant = Applicant.create(kind="person", created_at=clock.now())

    def add_call(self, moment: str, outcome: str | None = "answered", **columns: object) -> None:
        """Add a call to the ledger and, if it is inbound, its first row to the event log."""
        number = f"{next(self.numbers)}.1"
        values = {"direction": "inbound", "stage": "ended", "menu": [], "menu_seconds": 10.0}
        if outcome == "answered":
            values |= {"wait_seconds": 12.0, "talk_seconds": 60.0, "ended_by": "caller"}
            seconds = columns.get("talk_seconds", 60.0)
            Recording.create(file=f"{number}.wav", call_id=number, seconds=seconds)
        Call.create(id=number, arrived_at=site_time(moment), outcome=outcome, **values | columns)
        if values["direction"] == "inbound" and "direction" not in columns:
            EventRow.create(
                hash=number,
                linkedid=number,
                at=site_time(moment),
                event="CHAN_START",
                uniqueid=number,
                begins="from-trunk",
                fields={"LinkedID": number, "UniqueID": number, "Context": "from-trunk"},
            )

    def add_appeal(
        self, moment: str, region: str | None, direction: str, **columns: object
    ) -> Appeal:
        """Add a registered appeal."""
        return Appeal.create(
            number=f"2026-{next(self.numbers):06}",
            applicant=self.applicant,
            operator=self.operator,
            received_at=site_time(moment),
            registered_at=site_time(moment),
            applicant_kind="person",
            appeal_type="application",
            openness="open",
            region=region,
            direction=direction,
            **columns,
        )
