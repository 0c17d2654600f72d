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
from appliance.reports import files, inbound, monthly, words
from appliance.reports.inbound import Arrivals
from appliance.reports.monthly import MonthlyReport
from appliance.reports.periods import Period
from appliance.reports.tables import WeekdayTable
from appliance.telephony import routing
from tests.reports.ledger_world import TZ, World, at

DECEMBER = Period(dt.date(2026, 12, 1), dt.date(2026, 12, 31), TZ)


def to(day: int) -> Period:
    """December to a date."""
    return Period(DECEMBER.first, dt.date(2026, 12, day), TZ)


def columns(table: WeekdayTable) -> tuple[list[int | None], list[int | None]]:
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
    return monthly.build(december, DECEMBER)


def test_calls_by_weekday(report: MonthlyReport) -> None:
    inside, outside = columns(report.calls_by_weekday)
    assert inside == [2, 1, 0, 0, 0, 1, 0, 4]
    assert outside == [2, 2, 1, 3, 0, 1, 1, 10]
    assert shares_of(report.calls_by_weekday) == (
        "50.0 25.0 0.0 0.0 0.0 25.0 0.0 100.0",
        "20.0 20.0 10.0 30.0 0.0 10.0 10.0 100.0",
    )


def test_calls_to_a_date(december: Settings) -> None:
    report = monthly.build(december, to(12))
    inside, outside = columns(report.calls_by_weekday)
    assert inside == [2, 0, 0, 0, 0, 1, 0, 3]
    assert outside == [2, 2, 1, 1, 0, 1, 0, 7]
    assert shares_of(report.calls_by_weekday)[1] == "28.6 28.5 14.3 14.3 0.0 14.3 0.0 100.0"


def test_appeals_by_weekday(report: MonthlyReport) -> None:
    inside, outside = columns(report.appeals_by_weekday)
    assert inside == [1, 0, 0, 0, 0, 1, 0, 2]
    assert outside == [1, 0, 0, 1, 0, 0, 1, 3]


def test_appeals_by_region_in_the_forms_order(report: MonthlyReport) -> None:
    rows = report.appeals_by_region.rows
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
    assert report.appeals_by_region.total == 5


def test_appeals_by_direction_in_the_forms_order(report: MonthlyReport) -> None:
    rows = report.appeals_by_direction.rows
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


def test_the_tables_of_appeals_have_one_sum(report: MonthlyReport) -> None:
    total = report.appeals_by_weekday.total
    assert (total.inside or 0) + (total.outside or 0) == 5
    assert report.appeals_by_region.total == report.appeals_by_direction.total == 5


def test_a_direction_out_of_use_stays_while_appeals_have_it(december: Settings) -> None:
    CatalogItem.update(active=False).where(CatalogItem.code << ("subsidies", "training")).execute()
    names = [row.name for row in monthly.build(december, DECEMBER).appeals_by_direction.rows]
    assert "Субсидиялар олиш бўйича" in names
    assert "Касбга ўқитиш бўйича" not in names


def test_consultations(report: MonthlyReport) -> None:
    found = [(one.date.day, one.issue, one.contacted) for one in report.consultations]
    assert found == [
        (12, "Иш ҳақи уч ой тўланмагани", "Меҳнат инспекцияси, Н. Саидова"),
        (13, "Таътил", ""),
    ]


def test_names_come_in_the_language_asked_for(december: Settings) -> None:
    latin = monthly.build(december, DECEMBER, "uz_Latn")
    assert latin.appeals_by_region.rows[0].name == "Qashqadaryo viloyati"
    russian = monthly.build(december, DECEMBER, "ru")
    assert russian.appeals_by_region.rows[-1].name == "Регион не определён"
    assert russian.appeals_by_direction.rows[0].name == "Трудоустройство"


def test_json_has_the_agreed_shape(report: MonthlyReport) -> None:
    told: dict[str, Any] = json.loads(json.dumps(monthly.as_json(report)))
    assert list(told) == [
        *("period", "formulas", "balance", "appeals_by_weekday", "appeals_total"),
        *("calls_by_weekday", "calls_total", "appeals_by_region", "appeals_by_direction"),
        *("consultations", "call_forms", "change_requests", "links", "restore_drill"),
    ]
    assert told["period"] == {"from": "2026-12-01", "to": "2026-12-31"}
    assert told["formulas"] == "3"
    assert told["call_forms"] == {"accepted": 13, "registered": 0, "share": 0.0}
    assert [row["weekday"] for row in told["calls_by_weekday"]] == [1, 2, 3, 4, 5, 6, 7]
    assert told["calls_by_weekday"][0] == {
        **{"weekday": 1, "inside": 2, "inside_share": 50.0},
        **{"outside": 2, "outside_share": 20.0},
    }
    assert told["calls_total"] == {
        **{"inside": 4, "inside_share": 100.0, "outside": 10, "outside_share": 100.0}
    }
    assert told["appeals_by_region"][0] == {
        **{"soato": "1710", "name": "Қашқадарё вилояти", "count": 2, "share": 40.0}
    }
    assert told["appeals_by_direction"][1] == {
        **{"code": "subsidies", "name": "Субсидиялар олиш бўйича", "count": 2, "share": 40.0}
    }
    assert told["consultations"][1] == {"date": "2026-12-13", "issue": "Таътил", "contacted": ""}


def test_the_balance_names_every_call_that_arrived(report: MonthlyReport) -> None:
    told = monthly.as_json(report)["balance"]
    assert told["arrivals"] == 16  # 14 incoming, one rejected, one synthetic
    assert told["outcomes"] == {"answered": 14, "rejected": 1}
    assert told["open"] == 1
    assert told["difference"] == 0
    assert (told["recordings_expected"], told["recordings_found"]) == (15, 15)


def test_the_balance_misses_what_the_ledger_lacks(december: Settings) -> None:
    row = EventRow.get(EventRow.at == at("7 09:00:00"))
    EventRow.create(
        **{"hash": "x", "linkedid": "x", "at": row.at, "event": row.event, "begins": row.begins},
        fields=row.fields | {"LinkedID": "x", "UniqueID": "x"},
    )
    Recording.delete().where(Recording.call_id == row.linkedid).execute()
    told = monthly.as_json(monthly.build(december, DECEMBER))["balance"]
    assert told["difference"] == 1
    assert told["recordings_found"] == 14


@pytest.mark.usefixtures("new_year")
def test_an_unobserved_stretch_is_told_and_not_counted_as_nothing(
    site: Settings, world: World
) -> None:
    AsteriskWatch.create(started_at=at("2026-11-30 00:00:00"), seen_at=at("2026-11-30 23:00:00"))
    EventRow.create(
        hash="b", linkedid="b", at=at("3 12:00:00"), event="BOOT", begins="BOOT", fields={}
    )
    world.call("8 00:00:00")
    report = monthly.build(site, to(7))
    told = monthly.as_json(report)
    assert told["balance"]["unobserved"] == [
        {"from": "2026-12-01T00:00:00+05:00", "to": "2026-12-03T12:00:00+05:00"}
    ]
    assert [row["inside"] for row in told["calls_by_weekday"]] == [0, None, None, 0, 0, 0, 0]
    assert told["calls_total"]["inside"] is None


def test_an_empty_month_has_no_shares(site: Settings, world: World) -> None:
    report = monthly.build(site, DECEMBER)
    told = monthly.as_json(report)
    assert (
        told["appeals_total"]
        == told["calls_total"]
        == {**{"inside": 0, "inside_share": None, "outside": 0, "outside_share": None}}
    )
    assert len(told["appeals_by_region"]) == 14
    assert len(told["appeals_by_direction"]) == len(catalogs.choices("direction", "ru")) == 10
    assert {row["share"] for row in told["appeals_by_region"]} == {None}
    assert told["consultations"] == []


def test_the_annex_tells_how_many_accepted_calls_are_on_form_2(december, world) -> None:
    def register(call_id: str, number: int, operator: User) -> None:
        CallForm.create(
            number=f"Q-2026-{number:06}",
            call_id=call_id,
            operator=operator,
            received_at=at("7 09:00:00"),
            registered_at=at("7 09:00:00"),
        )

    other = User.create(
        login="jasur", name="J", role="operator", password_hash="", created_at=clock.now()
    )
    calls = [call.id for call in Call.select().order_by(Call.arrived_at)]
    register(calls[0], 1, world.operator)  # of November
    register(calls[2], 2, world.operator)
    register(calls[2], 3, other)  # who spoke as well: still one call
    for number, call in enumerate(
        Call.select().where(Call.synthetic | (Call.outcome == "rejected"))
    ):
        register(call.id, 10 + number, world.operator)
    made = monthly.build(december, DECEMBER, "uz_Latn")
    assert monthly.as_json(made)["call_forms"] == {
        **{"accepted": 13, "registered": 1},
        "share": pytest.approx(100 / 13),
    }
    assert "annex,call_forms" in monthly.as_csv(made)
    label = words.load("uz_Latn").annex.call_forms
    sheet = next(s for s in monthly.as_book(made).sheets if s.name == "Ilova")
    assert (label, "7,7\u00a0%", "–") in sheet.tables[0].rows
    assert f'/help/figures#call_forms">{label}</a>' in monthly.as_page(made)


def test_csv_holds_all_five_tables(report: MonthlyReport) -> None:
    rows = list(csv.DictReader(io.StringIO(monthly.as_csv(report))))
    assert {r["code"]: r["count"] for r in rows if r["table"] == "balance"}["difference"] == "0"
    rows = [row for row in rows if row["table"] != "balance"]
    per_table = {
        name: [r for r in rows if r["table"] == name] for name in {r["table"] for r in rows}
    }
    assert {name: len(found) for name, found in per_table.items()} == {
        **{"appeals_by_weekday": 8, "calls_by_weekday": 8, "appeals_by_region": 16},
        **{"appeals_by_direction": 12, "consultations": 2, "annex": 1, "change_requests": 24},
    }
    total = per_table["calls_by_weekday"][-1]
    assert (total["code"], total["name"], total["inside"], total["outside"]) == (
        *("total", "Жами", "4"),
        "10",
    )
    assert per_table["appeals_by_region"][0]["share"] == "40.0"
    assert per_table["consultations"][0]["issue"] == "Иш ҳақи уч ой тўланмагани"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("-x", "'-x"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("narx;=1+1", "narx;'=1+1"),
        ("+998712000000", "+998712000000"),
    ],
)
def test_csv_runs_no_formula(site: Settings, world: World, typed: str, kept: str) -> None:
    world.appeal("7 10:00:00", "1710", "other", consultation=True, consultation_issue=typed)
    rows = csv.DictReader(io.StringIO(monthly.as_csv(monthly.build(site, DECEMBER))))
    assert [row["issue"] for row in rows if row["table"] == "consultations"] == [kept]


def test_the_workbook_holds_all_five_tables(december: Settings) -> None:
    report = monthly.build(december, DECEMBER)
    file = openpyxl.load_workbook(io.BytesIO(files.render("monthly", report, "xlsx")))
    results = openpyxl.load_workbook(
        io.BytesIO(files.render("monthly", report, "xlsx")), data_only=True
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
    content = files.render("monthly", monthly.build(site, DECEMBER), "xlsx")
    file = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    assert ["Жами", None, 0, "–", 0, "–"] in rows_of(file["1-жадвал"])
    assert ["Жами", None, 0, "–"] in rows_of(file["3-жадвал"])


def rows_of(page: Worksheet) -> list[list[Any]]:
    return [list(row) for row in page.iter_rows(values_only=True)]


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("uz_Latn", ("oʻtkazilmagan", "05.12.2026: muvaffaqiyatsiz", "06.12.2026: muvaffaqiyatli")),
        ("uz_Cyrl", ("ўтказилмаган", "05.12.2026: муваффақиятсиз", "06.12.2026: муваффақиятли")),
        ("ru", ("не проводилось", "05.12.2026: неуспешно", "06.12.2026: успешно")),
    ],
)
def test_the_annex_tells_how_the_restore_drill_ended(
    december: Settings, locale: str, told: tuple[str, str, str]
) -> None:
    assert monthly.build(december, DECEMBER, locale).drill is None  # no snapshots, no line
    kept = dataclasses.replace(december, backups=(Backup("disk", "x", Path("key")),))

    def tried(day: int, state: str) -> None:
        begun = dt.datetime(2026, 12, day, 5, tzinfo=TZ)
        SnapshotRun.create(
            kind="drill", repository="disk", started_at=begun, ended_at=begun, state=state
        )

    none, failed, passed = told
    SnapshotRun.create(
        kind="drill",
        repository="disk",
        started_at=dt.datetime(2026, 11, 5, tzinfo=TZ),
        ended_at=dt.datetime(2026, 11, 5, tzinfo=TZ),
        state="done",
    )
    for day, state, expected in ((0, "", none), (5, "failed", failed), (6, "done", passed)):
        if day:
            tried(day, state)
        report = monthly.build(kept, DECEMBER, locale)
        assert expected in monthly.as_page(report)
    assert json.loads(json.dumps(monthly.as_json(report)))["restore_drill"] == {
        "date": "2026-12-06",
        "passed": True,
    }


def test_the_pause_after_a_talk_is_the_plans(december: Settings) -> None:
    before = monthly.build(december, DECEMBER)
    routing.save(routing.Plan(queueing=routing.Queueing(wrap_up=25)), "rustam")
    after = monthly.build(december, DECEMBER)
    assert (before.wrap_up, after.wrap_up) == (0, 25)
    *_, first, _ = (sheet for sheet in monthly.as_book(before).sheets)
    *_, then, _ = (sheet for sheet in monthly.as_book(after).sheets)
    lengths = [sheet.tables[0].rows[1][1].value for sheet in (first, then)]  # type: ignore[union-attr]
    assert lengths[1] - lengths[0] == 25


def test_hours_are_the_sites(december: Settings, world: World) -> None:
    day = Period(dt.date(2026, 12, 29), dt.date(2026, 12, 29), TZ)
    for time in ("00:00:00", "23:59:59"):
        world.call(f"29 {time}")
    counts = inbound.of(day, 20.0).hours
    assert (counts[0], counts[23], sum(counts)) == (1, 1, 2)


def test_no_stretch_of_the_clock_reaches_over_a_time_that_matters(
    december: Settings, world: World
) -> None:
    day = Period(dt.date(2026, 12, 29), dt.date(2026, 12, 29), TZ)
    for time in ("08:44:59.999999", "08:45:00", "08:45:01"):
        world.call(f"29 {time}")
    found = inbound.of(day, 20.0, [dt.time(8, 45), dt.time(17, 45)]).slots
    assert [(f"{begin:%H:%M}", slot.incoming) for begin, slot in found.items()] == [
        ("08:30", 1),
        ("08:45", 2),
    ]


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("uz_Latn", ("qilingan 13 qoʻngʻiroqning", "qilingan 14 va navbatda kutmay uzilgan 2 ")),
        ("uz_Cyrl", ("қилинган 13 қўнғироқнинг", "қилинган 14 ва навбатда кутмай узилган 2 ")),
        ("ru", ("13 звонков, принятых", "от 14 принятых и 2 не дождавшихся")),
    ],
)
def test_the_two_shares_within_the_seconds_are_explained(
    december: Settings, world: World, locale: str, told: tuple[str, ...]
) -> None:
    world.call("16 10:00:00", wait_seconds=40.0)
    for _ in range(2):
        world.call("16 11:00:00", outcome="abandoned_queue", wait_seconds=50.0)
    world.call("16 12:00:00", outcome="abandoned_queue", wait_seconds=1.0, short=True)
    report = monthly.build(december, DECEMBER, locale)
    page = monthly.as_page(report)
    assert "81,2\u00a0%" in page  # the service level: 13 of 16
    assert page.count("92,9 %") == 2  # the distribution of waits, and why: 13 of 14
    for part in told:
        assert part in page
    assert told[1] in str(monthly.as_book(report).sheets[5].tables[0].notes)
    assert told[1] not in monthly.as_page(dataclasses.replace(report, inbound=Arrivals()))


def test_of_a_personal_appeal_it_is_not_said_who_was_contacted(december: Settings) -> None:
    Appeal.update(openness="personal").where(Appeal.consultation).execute()
    found = monthly.build(december, DECEMBER, "uz_Latn").consultations
    assert [(one.issue, one.contacted) for one in found] == [
        ("Shaxsiy murojaat", "Shaxsiy murojaat"),
        ("Shaxsiy murojaat", ""),  # nobody so far
    ]
