"""Registered requests and appeals: both readings of report form №2 against a naive count."""

import datetime as dt
import json
import random
from collections import Counter

import pytest

from appliance.casework import catalogs
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.models import Appeal, AuditEntry, Call, CallForm, CountingRule, User
from appliance.reports import monthly
from appliance.reports.periods import Period
from tests.reports.ledger_world import TZ, World, site_time

DECEMBER = Period(dt.date(2026, 12, 1), dt.date(2026, 12, 31), TZ)
EMPTY_TYPES = {"silent", "wrong_number", "prank"}


@pytest.fixture
def random_december(site: Settings, world: World, new_year: None) -> Settings:
    """Calls with form №1, form №2, both, neither, and two operators' forms №2 of one call."""
    draw = random.Random(20261203)  # noqa: S311
    colleague = User.create(
        login="jasur",
        name="J",
        role="operator",
        password_hash="",
        created_at=site_time("1 00:00:00"),
    )
    regions = [*(region.soato for region in catalogs.match_regions("")), None]
    directions = [*(item.code for item in catalogs.list_items("direction")), "", "ariza"]
    call_types = [*EMPTY_TYPES, "question", "consultation", ""]
    for number in range(300):
        day, second = draw.randint(0, 33), draw.randint(0, 86_399)
        moment = site_time("2026-11-30 00:00:00") + dt.timedelta(days=day, seconds=second)
        call = Call.create(
            id=f"call-{number}", direction="inbound", arrived_at=moment, ended_at=moment,
            stage="ended", outcome="answered",
        )  # fmt: skip
        region, direction = draw.choice(regions), draw.choice(directions)
        if draw.random() < 0.4:
            local = moment.astimezone(TZ)
            world.add_appeal(f"{local:%Y-%m-%d %H:%M:%S}", region, direction)
            Appeal.update(call_id=call.id).where(Appeal.id == _last_id(Appeal)).execute()
        for operator in draw.sample([world.operator, colleague], draw.choice([0, 1, 1, 2])):
            CallForm.create(
                number=f"Q-2026-{number:05}{operator.id}", call_id=call.id, operator=operator,
                received_at=moment, registered_at=moment, region=region, direction=direction,
                call_type=draw.choice(call_types),
            )  # fmt: skip
    return site


def _last_id(table: type[Appeal]) -> int:
    return table.select().order_by(table.id.desc()).first().id


def naive_rows() -> tuple[list[Appeal | CallForm], list[Appeal]]:
    """Return the requests and the appeals of December, read one by one."""
    in_december = [
        form
        for form in (*Appeal.select(), *CallForm.select())
        if DECEMBER.begin <= form.received_at < DECEMBER.end
    ]
    appeals = [form for form in in_december if isinstance(form, Appeal)]
    calls_with_appeal = {appeal.call_id for appeal in Appeal.select()}
    forms = [
        form
        for form in in_december
        if isinstance(form, CallForm)
        and form.call_id not in calls_with_appeal
        and form.call_type not in EMPTY_TYPES
    ]
    return [*appeals, *forms], appeals


def test_both_readings_equal_a_naive_count(random_december: Settings) -> None:
    report = monthly.build_monthly_report(random_december, DECEMBER)
    requests, appeals = naive_rows()
    assert len(requests) > len(appeals) > 50
    listed = {item.code for item in catalogs.list_items("direction")}
    for rows, tables in ((requests, report.requests), (appeals, report.appeals)):
        by_region = Counter(row.region_id for row in rows)
        assert {r.code: r.count for r in tables.by_region.rows if r.count} == dict(by_region)
        by_direction = Counter(row.direction if row.direction in listed else None for row in rows)
        assert {r.code: r.count for r in tables.by_direction.rows if r.count} == dict(by_direction)
        weekdays = Counter(row.received_at.astimezone(TZ).isoweekday() for row in rows)
        assert [(day.inside or 0) + (day.outside or 0) for day in tables.by_weekday.days] == [
            weekdays[number] for number in range(1, 8)
        ]
        assert tables.by_region.total == tables.by_direction.total == len(rows)


def test_requests_are_printed_until_a_manager_decides(random_december: Settings) -> None:
    report = monthly.build_monthly_report(random_december, DECEMBER)
    figures = json.loads(json.dumps(monthly.as_json(report)))
    assert (figures["counted"], figures["counting_rule"]) == ("requests", None)
    assert report.counted == report.requests
    page = monthly.as_page(report)
    assert page.count("Ҳисобга олинган: ҳар бир №1 шакл ва") == 3  # below tables 1, 3 and 4
    assert "Тартиб:" not in page


def test_a_rule_is_versioned_audited_and_printed(random_december: Settings) -> None:
    monthly.store_rule(monthly.APPEALS, "sherzod")
    monthly.store_rule(monthly.APPEALS, "sherzod")  # unchanged: no new version
    assert [rule.counted for rule in CountingRule.select()] == ["appeals"]
    report = monthly.build_monthly_report(random_december, DECEMBER, "ru")
    assert report.counted == report.appeals
    figures = monthly.as_json(report)
    assert (figures["counted"], figures["counting_rule"]) == ("appeals", 1)
    assert (
        sum(row["count"] for row in figures["requests_by_region"])
        == report.requests.by_region.total
    )
    note = "Учтены: только формы №1. Порядок: редакция 1"
    assert monthly.as_page(report).count(note) == 3
    workbook_notes = [sheet.notes[0] for sheet in monthly.as_workbook(report).sheets[:4]]
    assert [str(text).startswith(note) for text in workbook_notes] == [True, False, True, True]
    monthly.store_rule(monthly.REQUESTS, "sherzod")
    entries = AuditEntry.select().where(AuditEntry.action == "report.counted")
    assert [entry.who for entry in entries] == ["sherzod", "sherzod"]


def test_an_unknown_choice_is_refused(random_december: Settings) -> None:
    with pytest.raises(Refused, match="not a choice"):
        monthly.store_rule("calls", "sherzod")
    assert not CountingRule.select().exists()
