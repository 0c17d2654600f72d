"""Calls are split into complaints, proposals, questions and applications, by either form."""

import csv
import datetime as dt
import io
from collections import Counter

from appliance.core.settings import Settings
from appliance.models import Appeal, Call, CallForm
from appliance.reports import telephony
from appliance.reports.call_filters import CallFilter
from appliance.reports.periods import Period
from appliance.reports.telephony import calls
from tests.reports.ledger_world import TZ, World, site_time


def add_registered_call(world: World, call_type: str | None, appeal_type: str | None) -> str:
    """Add a call with a form №2 of a type, and with an appeal of a type, unless they are None."""
    moment, number = "7 10:00:00", next(world.numbers) + 1
    world.add_call(moment)
    call = Call.get_by_id(f"{number}.1")
    if call_type is not None:
        CallForm.create(
            number=f"Q-{call.id}",
            call_id=call.id,
            operator=world.operator,
            call_type=call_type,
            received_at=site_time(moment),
            registered_at=site_time(moment),
        )
    if appeal_type is not None:
        appeal = world.add_appeal(moment, None, "other", call_id=call.id)
        Appeal.update(appeal_type=appeal_type).where(Appeal.id == appeal.id).execute()
    return str(call.id)


CASES = [
    (None, None, None),
    ("", None, None),
    ("appeal", None, None),
    ("complaint", None, "complaint"),
    ("proposal", None, "proposal"),
    ("question", None, "question"),
    ("consultation", None, "question"),
    ("status", None, "question"),
    ("thanks", None, "other"),
    ("prank", None, "other"),
    ("appeal", "complaint", "complaint"),
    ("question", "proposal", "proposal"),
    (None, "application", "application"),
    ("complaint", "", "complaint"),
]


def test_the_kind_of_a_call_follows_its_appeal_then_its_call_type(
    site: Settings, world: World
) -> None:
    day = dt.date(2026, 12, 7)
    call_filter = CallFilter(Period(day, day, TZ))
    expected = {
        add_registered_call(world, call_type, appeal_type): kind
        for call_type, appeal_type, kind in CASES
    }
    rows = calls.calls_page(call_filter, 100)
    assert {row.call.id: row.request_kind for row in rows} == expected
    figures = telephony.as_json(telephony.build_telephony_report(site, call_filter, "ru"))
    counts = Counter(kind or "-" for kind in expected.values())
    assert {line["key"]: line["incoming"] for line in figures["by_request_kind"]} == counts
    for kind, count in counts.items():
        assert calls.count_calls(call_filter.with_conditions(request_kind=kind)) == count
    table = csv.DictReader(io.StringIO("".join(calls.as_csv(call_filter, ["id", "request_kind"]))))
    assert {row["id"]: row["request_kind"] or None for row in table} == expected
