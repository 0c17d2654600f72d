"""Report form №2 against a December counted by hand."""

import csv
import dataclasses
import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from appliance.casework import catalogs
from appliance.core import clock
from appliance.core.settings import Backup, Settings
from appliance.models import (
    Appeal,
    AsteriskWatch,
    Call,
    CallForm,
    CatalogItem,
    EventRow,
    Recording,
    SnapshotRun,
    User,
)
from appliance.reports import files, inbound, monthly, report_texts
from appliance.reports.inbound import Arrivals
from appliance.reports.monthly import MonthlyReport
from appliance.reports.periods import Period
from appliance.reports.tables import WeekdayTable
from appliance.telephony import routing
from tests.reports.ledger_world import TZ, World, site_time

DECEMBER = Period(dt.date(2026, 12, 1), dt.date(2026, 12, 31), TZ)


def december_to(day: int) -> Period:
    """Return December up to a date."""
    return Period(DECEMBER.first, dt.date(2026, 12, day), TZ)


def both_columns(table: WeekdayTable) -> tuple[list[int | None], list[int | None]]:
    rows = (*table.days, table.total)
    return [row.inside for row in rows], [row.outside for row in rows]


def shares_of(table: WeekdayTable) -> tuple[str, str]:
    rows = (*table.days, table.total)
    return (
        " ".join(str(row.inside_share) for row in rows),
        " ".join(str(row.outside_share) for row in rows),
    )


@pytest.fixture
def report(december: Settings) -> MonthlyReport:
    return monthly.build_monthly_report(december, DECEMBER)


def test_calls_are_counted_by_weekday(report: MonthlyReport) -> None:
    inside, outside = both_columns(report.calls_by_weekday)
    assert inside == [2, 1, 0, 0, 0, 1, 0, 4]
    assert outside == [2, 2, 1, 3, 0, 1, 1, 10]
    assert shares_of(report.calls_by_weekday) == (
        "50.0 25.0 0.0 0.0 0.0 25.0 0.0 100.0",
        "20.0 20.0 10.0 30.0 0.0 10.0 10.0 100.0",
    )


def test_calls_are_counted_up_to_a_date(december: Settings) -> None:
    report = monthly.build_monthly_report(december, december_to(12))
    inside, outside = both_columns(report.calls_by_weekday)
    assert inside == [2, 0, 0, 0, 0, 1, 0, 3]
    assert outside == [2, 2, 1, 1, 0, 1, 0, 7]
    assert shares_of(report.calls_by_weekday)[1] == "28.6 28.5 14.3 14.3 0.0 14.3 0.0 100.0"


def test_appeals_are_counted_by_weekday(report: MonthlyReport) -> None:
    inside, outside = both_columns(report.appeals.by_weekday)
    assert inside == [1, 0, 0, 0, 0, 1, 0, 2]
    assert outside == [1, 0, 0, 1, 0, 0, 1, 3]


def test_appeals_by_region_are_in_the_forms_order(report: MonthlyReport) -> None:
    rows = report.appeals.by_region.rows
    assert [row.code for row in rows] == (
        [
            *("1710", "1718", "1727", "1726", "1708", "1712", "1730"),
            *("1722", "1703", "1706", "1724", "1735", "1733", "1714"),
            None,
        ]
    )
    assert {row.name: row.count for row in rows if row.count} == {
        "Қашқадарё вилояти": 2,
        "Тошкент шаҳри": 1,
        "Қорақалпоғистон Республикаси": 1,
        "Ҳудуди аниқланмаган": 1,
    }
    assert report.appeals.by_region.total == 5


def test_appeals_by_direction_are_in_the_forms_order(report: MonthlyReport) -> None:
    rows = report.appeals.by_direction.rows
    assert [row.name for row in rows] == [
        "Ишга жойлашиш учун",
        "Субсидиялар олиш бўйича",
        "Меҳнат муносабатларига оид маслаҳат олиш",
        "Ташқи меҳнат миграцияси бўйича",
        "Касбга ўқитиш бўйича",
        "Ягона миллий меҳнат тизимига доир масалалар",
        "Меҳнат муносабатлари бузилиши",
        "Ҳомиладорлик билан боғлиқ меҳнат муносабатлари бузилиши",
        "Тиббий-ижтимоий хизмат фаолияти билан боғлиқ",
        "Бошқа масалалар",
        "Йўналиши аниқланмаган",
    ]
    assert [row.count for row in rows] == [0, 2, 0, 0, 0, 0, 1, 1, 0, 0, 1]
    assert rows[1].share == Decimal("40.0")


def test_the_tables_of_appeals_have_the_same_total(report: MonthlyReport) -> None:
    total = report.appeals.by_weekday.total
    assert (total.inside or 0) + (total.outside or 0) == 5
    assert report.appeals.by_region.total == report.appeals.by_direction.total == 5


def test_an_inactive_direction_stays_while_appeals_use_it(december: Settings) -> None:
    CatalogItem.update(active=False).where(CatalogItem.code << ("subsidies", "training")).execute()
    names = [
        row.name
        for row in monthly.build_monthly_report(december, DECEMBER).appeals.by_direction.rows
    ]
    assert "Субсидиялар олиш бўйича" in names
    assert "Касбга ўқитиш бўйича" not in names


def test_consultations_are_listed(report: MonthlyReport) -> None:
    lines = [
        (consultation.date.day, consultation.issue, consultation.contacted)
        for consultation in report.consultations
    ]
    assert lines == [
        (12, "Иш ҳақи уч ой тўланмагани", "Меҳнат инспекцияси, Н. Саидова"),
        (13, "Таътил", ""),
    ]


def test_names_are_in_the_requested_language(december: Settings) -> None:
    latin = monthly.build_monthly_report(december, DECEMBER, "uz_Latn")
    assert latin.appeals.by_region.rows[0].name == "Qashqadaryo viloyati"
    russian = monthly.build_monthly_report(december, DECEMBER, "ru")
    assert russian.appeals.by_region.rows[-1].name == "Регион не определён"
    assert russian.appeals.by_direction.rows[0].name == "Трудоустройство"


def test_json_has_the_agreed_shape(report: MonthlyReport) -> None:
    figures: dict[str, Any] = json.loads(json.dumps(monthly.as_json(report)))
    assert list(figures) == [
        *("period", "formulas", "balance", "appeals_by_weekday", "appeals_total"),
        *("calls_by_weekday", "calls_total", "appeals_by_region", "appeals_by_direction"),
        *("consultations", "requests_by_weekday", "requests_total", "requests_by_region"),
        *("requests_by_direction", "counted", "counting_rule"),
        *("call_forms", "change_requests", "links", "restore_drill"),
    ]
    assert figures["period"] == {"from": "2026-12-01", "to": "2026-12-31"}
    assert figures["formulas"] == "4"
    assert figures["call_forms"] == {"accepted": 13, "registered": 0, "share": 0.0}
    assert [row["weekday"] for row in figures["calls_by_weekday"]] == [1, 2, 3, 4, 5, 6, 7]
    assert figures["calls_by_weekday"][0] == {
        **{"weekday": 1, "inside": 2, "inside_share": 50.0},
        **{"outside": 2, "outside_share": 20.0},
    }
    assert figures["calls_total"] == {
        **{"inside": 4, "inside_share": 100.0, "outside": 10, "outside_share": 100.0}
    }
    assert figures["appeals_by_region"][0] == {
        **{"soato": "1710", "name": "Қашқадарё вилояти", "count": 2, "share": 40.0}
    }
    assert figures["appeals_by_direction"][1] == {
        **{"code": "subsidies", "name": "Субсидиялар олиш бўйича", "count": 2, "share": 40.0}
    }
    assert figures["consultations"][1] == {"date": "2026-12-13", "issue": "Таътил", "contacted": ""}


def test_the_balance_includes_every_call_that_arrived(report: MonthlyReport) -> None:
    balance = monthly.as_json(report)["balance"]
    assert balance["arrivals"] == 16  # 14 incoming, one rejected, one synthetic
    assert balance["outcomes"] == {"answered": 14, "rejected": 1}
    assert balance["open"] == 1
    assert balance["difference"] == 0
    assert (balance["recordings_expected"], balance["recordings_found"]) == (15, 15)


def test_the_balance_shows_a_call_that_the_ledger_lacks(december: Settings) -> None:
    row = EventRow.get(EventRow.at == site_time("7 09:00:00"))
    EventRow.create(
        **{"hash": "x", "linkedid": "x", "at": row.at, "event": row.event, "begins": row.begins},
        fields=row.fields | {"LinkedID": "x", "UniqueID": "x"},
    )
    Recording.delete().where(Recording.call_id == row.linkedid).execute()
    balance = monthly.as_json(monthly.build_monthly_report(december, DECEMBER))["balance"]
    assert balance["difference"] == 1
    assert balance["recordings_found"] == 14


@pytest.mark.usefixtures("new_year")
def test_an_unobserved_period_is_reported_and_not_counted_as_zero(
    site: Settings, world: World
) -> None:
    AsteriskWatch.create(
        started_at=site_time("2026-11-30 00:00:00"), seen_at=site_time("2026-11-30 23:00:00")
    )
    EventRow.create(
        hash="b", linkedid="b", at=site_time("3 12:00:00"), event="BOOT", begins="BOOT", fields={}
    )
    world.add_call("8 00:00:00")
    report = monthly.build_monthly_report(site, december_to(7))
    figures = monthly.as_json(report)
    assert figures["balance"]["unobserved"] == [
        {"from": "2026-12-01T00:00:00+05:00", "to": "2026-12-03T12:00:00+05:00"}
    ]
    assert [row["inside"] for row in figures["calls_by_weekday"]] == [0, None, None, 0, 0, 0, 0]
    assert figures["calls_total"]["inside"] is None


def test_an_empty_month_has_no_shares(site: Settings, world: World) -> None:
    report = monthly.build_monthly_report(site, DECEMBER)
    figures = monthly.as_json(report)
    assert (
        figures["appeals_total"]
        == figures["calls_total"]
        == {**{"inside": 0, "inside_share": None, "outside": 0, "outside_share": None}}
    )
    assert len(figures["appeals_by_region"]) == 14
    assert (
        len(figures["appeals_by_direction"]) == len(catalogs.item_choices("direction", "ru")) == 10
    )
    assert {row["share"] for row in figures["appeals_by_region"]} == {None}
    assert figures["consultations"] == []


def test_the_annex_states_how_many_accepted_calls_are_on_form_2(december, world) -> None:
    def add_call_form(call_id: str, number: int, operator: User) -> None:
        CallForm.create(
            number=f"Q-2026-{number:06}",
            call_id=call_id,
            operator=operator,
            received_at=site_time("7 09:00:00"),
            registered_at=site_time("7 09:00:00"),
        )

    other = User.create(
        login="jasur", name="J", role="operator", password_hash="", created_at=clock.now()
    )
    calls = [call.id for call in Call.select().order_by(Call.arrived_at)]
    add_call_form(calls[0], 1, world.operator)  # in November
    add_call_form(calls[2], 2, world.operator)
    add_call_form(calls[2], 3, other)  # who was also in the talk: still one call
    for number, call in enumerate(
        Call.select().where(Call.synthetic | (Call.outcome == "rejected"))
    ):
        add_call_form(call.id, 10 + number, world.operator)
    report = monthly.build_monthly_report(december, DECEMBER, "uz_Latn")
    assert monthly.as_json(report)["call_forms"] == {
        **{"accepted": 13, "registered": 1},
        "share": pytest.approx(100 / 13),
    }
    assert "annex,call_forms" in monthly.as_csv(report)
    label = report_texts.load_texts("uz_Latn").annex.call_forms
    sheet = next(s for s in monthly.as_workbook(report).sheets if s.name == "Ilova")
    assert (label, "7,7\u00a0%", "–") in sheet.tables[0].rows
    assert f'/help/figures#call_forms">{label}</a>' in monthly.as_page(report)


def test_the_csv_file_has_all_five_tables(report: MonthlyReport) -> None:
    rows = list(csv.DictReader(io.StringIO(monthly.as_csv(report))))
    assert {r["code"]: r["count"] for r in rows if r["table"] == "balance"}["difference"] == "0"
    rows = [row for row in rows if row["table"] != "balance"]
    per_table = {
        name: [r for r in rows if r["table"] == name] for name in {r["table"] for r in rows}
    }
    assert {name: len(lines) for name, lines in per_table.items()} == {
        **{"appeals_by_weekday": 8, "calls_by_weekday": 8, "appeals_by_region": 16},
        **{"appeals_by_direction": 12, "consultations": 2, "annex": 1, "change_requests": 24},
        **{"requests_by_weekday": 8, "requests_by_region": 16, "requests_by_direction": 12},
    }
    total = per_table["calls_by_weekday"][-1]
    assert (total["code"], total["name"], total["inside"], total["outside"]) == (
        *("total", "Жами", "4"),
        "10",
    )
    assert per_table["appeals_by_region"][0]["share"] == "40.0"
    assert per_table["consultations"][0]["issue"] == "Иш ҳақи уч ой тўланмагани"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("-x", "'-x"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("narx;=1+1", "narx;'=1+1"),
        ("+998712000000", "+998712000000"),
    ],
)
def test_the_csv_file_contains_no_formula(
    site: Settings, world: World, typed: str, expected: str
) -> None:
    world.add_appeal("7 10:00:00", "1710", "other", consultation=True, consultation_issue=typed)
    rows = csv.DictReader(io.StringIO(monthly.as_csv(monthly.build_monthly_report(site, DECEMBER))))
    assert [row["issue"] for row in rows if row["table"] == "consultations"] == [expected]


def test_the_workbook_has_all_five_tables(december: Settings) -> None:
    report = monthly.build_monthly_report(december, DECEMBER)
    file = openpyxl.load_workbook(io.BytesIO(files.render_file("monthly", report, "xlsx")))
    results = openpyxl.load_workbook(
        io.BytesIO(files.render_file("monthly", report, "xlsx")), data_only=True
    )
    assert file.sheetnames[:6] == [*(f"{number}-жадвал" for number in range(1, 6)), "Илова"]
    requests, needed, half_hours = file.sheetnames[6:]
    assert requests == "Ўзгартириш сўровлари"
    assert file[needed].max_row > 12
    assert file[half_hours].max_row >= 48
    calls = rows_of(file["2-жадвал"])
    assert [1, "Душанба", 2, 50, 2, 20] in calls
    total = next(row for row in calls if row[0] == "Жами")
    assert (total[2], total[5]) == ("=SUM(C7:C13)", "=SUM(F7:F13)")
    assert ["Жами", None, 4, 100, 10, 100] in rows_of(results["2-жадвал"])
    assert ["Жами", None, 5, 100, None, None][:4] in rows_of(results["4-жадвал"])
    assert [None, "Ҳудуди аниқланмаган", 1, 20] in rows_of(file["3-жадвал"])
    first = next(row for row in rows_of(file["5-жадвал"]) if row[0] == 1)
    assert first[1].date() == dt.date(2026, 12, 12)
    assert first[2] == "Иш ҳақи уч ой тўланмагани"
    assert any("фарқ 0" in str(row[0]) for row in rows_of(file["1-жадвал"]))


def test_an_empty_workbook_has_no_shares(site: Settings, world: World) -> None:
    content = files.render_file("monthly", monthly.build_monthly_report(site, DECEMBER), "xlsx")
    file = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    assert ["Жами", None, 0, "–", 0, "–"] in rows_of(file["1-жадвал"])
    assert ["Жами", None, 0, "–"] in rows_of(file["3-жадвал"])


def rows_of(page: Worksheet) -> list[list[Any]]:
    return [list(row) for row in page.iter_rows(values_only=True)]


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        ("uz_Latn", ("oʻtkazilmagan", "05.12.2026: muvaffaqiyatsiz", "06.12.2026: muvaffaqiyatli")),
        ("uz_Cyrl", ("ўтказилмаган", "05.12.2026: муваффақиятсиз", "06.12.2026: муваффақиятли")),
        ("ru", ("не проводилось", "05.12.2026: неуспешно", "06.12.2026: успешно")),
    ],
)
def test_the_annex_states_the_result_of_the_restore_drill(
    december: Settings, locale: str, texts: tuple[str, str, str]
) -> None:
    # no snapshots, no line
    assert monthly.build_monthly_report(december, DECEMBER, locale).drill is None
    settings = dataclasses.replace(december, backups=(Backup("disk", "x", Path("key")),))

    def add_drill(day: int, state: str) -> None:
        started_at = dt.datetime(2026, 12, day, 5, tzinfo=TZ)
        SnapshotRun.create(
            kind="drill", repository="disk", started_at=started_at, ended_at=started_at, state=state
        )

    none, failed, passed = texts
    SnapshotRun.create(
        kind="drill",
        repository="disk",
        started_at=dt.datetime(2026, 11, 5, tzinfo=TZ),
        ended_at=dt.datetime(2026, 11, 5, tzinfo=TZ),
        state="done",
    )
    for day, state, expected in ((0, "", none), (5, "failed", failed), (6, "done", passed)):
        if day:
            add_drill(day, state)
        report = monthly.build_monthly_report(settings, DECEMBER, locale)
        assert expected in monthly.as_page(report)
    assert json.loads(json.dumps(monthly.as_json(report)))["restore_drill"] == {
        "date": "2026-12-06",
        "passed": True,
    }


def test_the_wrap_up_time_is_that_of_the_plan(december: Settings) -> None:
    before = monthly.build_monthly_report(december, DECEMBER)
    routing.save_plan(routing.Plan(queueing=routing.Queueing(wrap_up=25)), "rustam")
    after = monthly.build_monthly_report(december, DECEMBER)
    assert (before.wrap_up, after.wrap_up) == (0, 25)
    *_, first, _ = (sheet for sheet in monthly.as_workbook(before).sheets)
    *_, then, _ = (sheet for sheet in monthly.as_workbook(after).sheets)
    lengths = [sheet.tables[0].rows[1][1].value for sheet in (first, then)]  # type: ignore[union-attr]
    assert lengths[1] - lengths[0] == 25


def test_hours_are_in_the_sites_time_zone(december: Settings, world: World) -> None:
    day = Period(dt.date(2026, 12, 29), dt.date(2026, 12, 29), TZ)
    for time in ("00:00:00", "23:59:59"):
        world.add_call(f"29 {time}")
    counts = inbound.count_arrivals(day, 20.0).calls_by_hour_of_day
    assert (counts[0], counts[23], sum(counts)) == (1, 1, 2)


def test_a_slot_never_spans_a_boundary_time(december: Settings, world: World) -> None:
    day = Period(dt.date(2026, 12, 29), dt.date(2026, 12, 29), TZ)
    for time in ("08:44:59.999999", "08:45:00", "08:45:01"):
        world.add_call(f"29 {time}")
    slots = inbound.count_arrivals(day, 20.0, [dt.time(8, 45), dt.time(17, 45)]).slots
    assert [(f"{begin:%H:%M}", slot.incoming) for begin, slot in slots.items()] == [
        ("08:30", 1),
        ("08:45", 2),
    ]


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        ("uz_Latn", ("qilingan 13 qoʻngʻiroqning", "qilingan 14 va navbatda kutmay uzilgan 2 ")),
        ("uz_Cyrl", ("қилинган 13 қўнғироқнинг", "қилинган 14 ва навбатда кутмай узилган 2 ")),
        ("ru", ("13 звонков, принятых", "от 14 принятых и 2 не дождавшихся")),
    ],
)
def test_the_two_shares_within_the_limit_are_explained(
    december: Settings, world: World, locale: str, texts: tuple[str, ...]
) -> None:
    world.add_call("16 10:00:00", wait_seconds=40.0)
    for _ in range(2):
        world.add_call("16 11:00:00", outcome="abandoned_queue", wait_seconds=50.0)
    world.add_call("16 12:00:00", outcome="abandoned_queue", wait_seconds=1.0, short=True)
    report = monthly.build_monthly_report(december, DECEMBER, locale)
    page = monthly.as_page(report)
    assert "81,2\u00a0%" in page  # the service level: 13 of 16
    assert page.count("92,9 %") == 2  # the distribution of waits and its explanation: 13 of 14
    for part in texts:
        assert part in page
    assert texts[1] in str(monthly.as_workbook(report).sheets[5].tables[0].notes)
    assert texts[1] not in monthly.as_page(dataclasses.replace(report, inbound=Arrivals()))


def test_the_contact_of_a_personal_appeal_is_not_shown(december: Settings) -> None:
    Appeal.update(openness="personal").where(Appeal.consultation).execute()
    consultations = monthly.build_monthly_report(december, DECEMBER, "uz_Latn").consultations
    assert [(consultation.issue, consultation.contacted) for consultation in consultations] == [
        ("Shaxsiy murojaat", "Shaxsiy murojaat"),
        ("Shaxsiy murojaat", ""),  # nobody was contacted yet
    ]
