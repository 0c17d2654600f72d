"""Report form №1 against a quarter counted by hand, and read back from its files."""

import csv
import dataclasses
import datetime as dt
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from appliance.core.i18n import LOCALES
from appliance.core.settings import Settings, Telegram
from appliance.models import AsteriskWatch, EventRow, Removal, User
from appliance.people import accounts, staff_records
from appliance.people.staff_records import OperatorRecord, StaffedHours
from appliance.reports import files, periods, quarterly, report_texts
from appliance.reports.inbound import Arrivals
from appliance.reports.periods import Period
from appliance.reports.quarterly import QuarterlyReport, wording
from appliance.reports.quarterly.report import interval_rows
from appliance.reports.shares import percentage_shares
from appliance.reports.sums import InboundCall
from appliance.telephony import routing
from tests.reports.ledger_world import TZ, World, arrivals_of_calls, site_time

QUARTER = Period(dt.date(2025, 10, 1), dt.date(2025, 12, 31), TZ)
SHIFTS = (("08:00", "14:00"), ("14:00", "20:00"), ("20:00", "08:00"))
HEADS = (  # the customer's form with corrected spelling
    *("Линияга келиб тушган қўнғироқлар (бирлик)", "Қабул қилинган қўнғироқлар (бирлик)"),
    *("Ўтказиб юборилган қўнғироқлар (бирлик)", "Суҳбатнинг умумий давомийлиги (дақ., сония)"),
    *("Суҳбатнинг ўртача давомийлиги (дақ., сония)", "Чиқувчи қўнғироқлар"),
    "Идоравий алоқа марказлари (ишонч телефонлари) рақамлари",
    "Идоравий алоқа марказлари операторлари Сони",
    "Ходимларнинг маълумоти ва малака оширганлиги",
    *("Нотўлиқ олий маълумот сони", "Ўрта маълумот сони", "Малака оширган сони"),
    "Мурожаатлар билан ишлашда йўл қўйилган қоидабузиш сабабли чора кўрилган ходимлар сони",
    *("Иш вақтида ходимларнинг тақсимланиши", "Вақт оралиғи", "Ходим сони"),
    "Ходимларнинг тақсимланган иш вақтида",
    *("Линияга келиб тушган қўнғироқлар сони", "Қабул қилинган қўнғироқлар сони"),
    "Идоравий алоқа марказлари (ишонч телефонлари) иш режими",
    *("Қайта алоқа мавжудлиги", 'Мурожаатлар билан ишлашда "Telegram Bot" мавжудлиги'),
    "Ишонч телефони рақамларининг расмий веб-сайтларида жойлаштирилганлиги ёки янгиланганлиги",
    "Телефон сўзлашувлари (камида икки ой мобайнида) сақланиши",
    "Мурожаат матнлари автоматлаштирилган ахборот тизими (камида икки йил мобайнида) сақланиши",
)
TITLES = (
    "Идоравий алоқа марказлари (Ишонч телефонлари)га 2025 йил 4-чорак давомида тушган "
    "мурожаатлар бўйича ҲИСОБОТ",
    "Давлат органлари ва ташкилотларининг идоравий алоқа марказлари (Ишонч телефонлари) "
    "ходимларининг малакаси ва иш вақтининг тақсимланиши тўғрисида ҲИСОБОТ",
    "Давлат органлари ва ташкилотларининг давлат хизматлари кўрсатишда идоравий алоқа "
    "марказлари (ишонч телефонлари) фаолияти тўғрисида ҲИСОБОТ",
)


@pytest.fixture
def quarter(site: Settings, world: World) -> Settings:
    """Nine calls, seven of them incoming, and three operators in three shifts."""
    first_caller, second_caller = "+998935550101", "+998935550102"
    world.add_call("2025-09-30 23:59:59")
    world.add_call("2025-10-01 00:00:00", talk_seconds=100.0)  # night
    world.add_call("2025-10-31 08:00:00", talk_seconds=50.5)  # morning
    world.add_call(
        "2025-11-02 13:59:59", outcome="abandoned_queue", wait_seconds=30.0, caller=first_caller
    )
    # evening: recovered
    world.add_call("2025-11-02 14:30:00", talk_seconds=20.0, caller=first_caller)
    world.add_call("2025-11-03 20:00:00", outcome="abandoned_menu", caller=second_caller)
    world.add_call("2025-11-20 10:00:00", caller=second_caller)  # too late to count as recovered
    world.add_call("2025-12-31 23:59:59", outcome="callback", wait_seconds=60.0)
    world.add_call("2025-12-01 12:00:00", outcome="rejected")
    world.add_call("2025-12-01 12:00:00", synthetic=True)
    world.add_call("2025-12-05 12:00:00", direction="outbound", outcome="busy", callee="935550109")
    world.add_call("2025-12-05 12:10:00", direction="outbound", callee="935550109")
    world.add_call("2026-01-01 00:00:00")
    world.add_appeal("2025-11-20 10:00:00", "1710", "other")
    since = dt.date(2025, 9, 1)
    shifts = [staff_records.add_shift(*hours, since, "boss") for hours in SHIFTS]
    educations = ("secondary", "incomplete_higher", "higher")
    people = [
        world.operator,
        *(accounts.create_account(f"op{n}", "X", "operator", "p" * 10) for n in (1, 2)),
    ]
    records = [
        OperatorRecord(user, education, None, None, shift)
        for user, education, shift in zip(people, educations, shifts, strict=True)
    ]
    staff_records.store_records(records, since, "boss")
    staff_records.add_event(people[0], "training", dt.date(2025, 10, 1), "", "boss")
    staff_records.add_event(people[0], "training", dt.date(2025, 12, 31), "", "boss")
    staff_records.add_event(people[1], "training", dt.date(2025, 9, 30), "", "boss")
    return site


def store_answer(by: User) -> None:
    staff_records.store_answer(
        "2025-Q4", True, "14.12.2025 да янгиланган", "71 200 06 00", True, by
    )


@pytest.fixture
def report(quarter: Settings, world: World) -> QuarterlyReport:
    store_answer(world.operator)
    return quarterly.build_quarterly_report(quarter, QUARTER)


def test_json_has_the_agreed_shape_and_the_figures(report: QuarterlyReport) -> None:
    figures: dict[str, Any] = json.loads(json.dumps(quarterly.as_json(report)))
    assert figures["period"] == {"from": "2025-10-01", "to": "2025-12-31", "quarter": "2025-Q4"}
    assert figures["calls"] == {
        **{"incoming": 7, "accepted": 4, "missed": 3, "self_served": 0, "closed": 0},
        **{"talk_seconds_total": 230.5, "talk_seconds_average": 57.625},
        **{"outgoing": 2, "outgoing_answered": 1},
        **{"recovered": 1, "recovered_seconds_average": 1801.0},
    }
    assert figures["staff"] == {
        "numbers": ["1282", "71 200 06 00"],
        "operators": 3,
        "education": {"incomplete_higher": 1, "secondary": 1, "upskilled": 1},
        "disciplined": 0,
        "intervals": [
            {"from": "08:00", "to": "14:00", "staff": 1, "incoming": 3, "accepted": 2},
            {"from": "14:00", "to": "20:00", "staff": 1, "incoming": 1, "accepted": 1},
            {"from": "20:00", "to": "08:00", "staff": 1, "incoming": 3, "accepted": 1},
        ],
    }
    assert figures["activity"] == {
        **{"hours": "24/7", "callback": True, "telegram_bot": False, "published": True},
        **{"recordings_kept": True, "appeals_kept": None},  # the oldest text is of this quarter
    }
    assert figures["activity_details"]["recordings_kept"] == {
        **{"known_by": "system", "note": "", "count": 4, "of": 4, "oldest": "2025-09-30"},
        "until": None,
    }
    assert figures["activity_details"]["appeals_kept"]["until"] == "2027-11-20"
    assert figures["balance"]["difference"] == 0
    assert figures["balance"]["outcomes"]["rejected"] == 1


def test_the_csv_file_has_a_line_for_each_cell(report: QuarterlyReport) -> None:
    rows = list(csv.DictReader(io.StringIO(quarterly.as_csv(report))))
    cells = {(r["table"], r["row"], r["column"]): r["value"] for r in rows}
    assert cells["calls", "", "missed"] == "3"
    assert cells["staff", "20:00–08:00", "incoming"] == "3"
    assert cells["activity", "", "published"] == "Жойлаштирилган: 14.12.2025 да янгиланган"
    assert cells["balance", "", "difference"] == "0"


def test_the_workbook_totals_are_formulas(report: QuarterlyReport) -> None:
    content = io.BytesIO(files.render_file("quarterly", report, "xlsx"))
    file, results = openpyxl.load_workbook(content), openpyxl.load_workbook(content, data_only=True)
    assert file.sheetnames == ["1-жадвал", "2-жадвал", "3-жадвал", "Илова"]
    calls = [c.value for c in next(r for r in results["1-жадвал"].iter_rows() if r[1].value == 7)]
    assert calls[1:4] + calls[6:] == [7, 4, 3, 2]
    assert [value.total_seconds() for value in calls[4:6]] == pytest.approx([230.5, 57.625])
    [formula] = [c.value for r in file["1-жадвал"].iter_rows() for c in r if c.data_type == "f"]
    assert formula.startswith("=E")
    total = next(r for r in file["2-жадвал"].iter_rows(values_only=True) if r[0] == "Жами")
    assert [str(value)[:5] for value in total[7:]] == ["=SUM("] * 3
    total = next(r for r in results["2-жадвал"].iter_rows(values_only=True) if r[0] == "Жами")
    assert list(total) == ["Жами", 3, 1, 1, 1, 0, "24 соат", 3, 7, 4]
    cell_values = {c.value for page in file for row in page.iter_rows() for c in row}
    assert cell_values >= set(HEADS)


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Return a function that returns a report's pages as text, words in reading order."""

    def pages(report: QuarterlyReport, *options: str) -> list[str]:
        file = tmp_path / "report.pdf"
        file.write_bytes(files.render_file("quarterly", report, "pdf"))
        done = subprocess.run(
            ["pdftotext", *options, file, "-"], check=True, capture_output=True, text=True
        )
        return [page.replace("\u00a0", " ") for page in done.stdout.rstrip("\f").split("\f")]

    return pages


def cells_of(page: str) -> list[list[str]]:
    lines = (line.strip().split("  ") for line in page.splitlines() if line.strip())
    return [[cell.strip() for cell in line if cell.strip()] for line in lines]


def test_each_cell_is_printed(report: QuarterlyReport, read: Any) -> None:
    first, second, _, figures = read(report, "-layout")
    assert ["7", "4", "3", "3 дақ. 50 сония", "0 дақ. 58 сония", "2"] in [
        row[-6:] for row in cells_of(first)
    ]
    assert ["08:00–14:00", "1", "3", "2"] in [row[-4:] for row in cells_of(first)]
    assert ["20:00–08:00", "1", "3", "1"] in [row[-4:] for row in cells_of(first)]
    assert ["Жами", "3", "1", "1", "1", "0", "24 соат", "3", "7", "4"] in cells_of(first)
    assert "3 қўнғироқдан 1 таси (33,3 %)" in " ".join(first.split())
    assert "Вазирликнинг масъул ходими" in second
    assert ["Линияга келиб тушган қўнғироқлар", "7", "–"] in cells_of(figures)
    text = " ".join(" ".join(read(report)).split())
    for words_ in (*TITLES, *HEADS):
        assert words_ in text
    for cell in (
        *("Узлуксиз, 24/7 1)", "Мавжуд: давр ичида қайта қўнғироқ сўраганлар 1 1)"),
        *("Мавжуд эмас 1)", "Жойлаштирилган: 14.12.2025 да янгиланган 2)"),
        "Сақланади, ўчирилмайди; сўнгги икки ойдаги сўзлашувлардан 4 / 4; энг эскиси 30.09.2025 1)",
        "Ҳозирча сақланмоқда, муддат 20.11.2027 да тўлади; матнлар 1; энг эскиси 20.11.2025 1)",
    ):
        assert cell in text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_its_three_tables_on_two_pages(
    quarter: Settings, read: Any, locale: str
) -> None:
    text = report_texts.load_texts(locale)
    pages = read(quarterly.build_quarterly_report(quarter, QUARTER, locale), "-layout")
    assert len(pages) == 4
    for number, page in ((1, 0), (2, 0), (3, 1)):
        assert text.table.format(number=number) in pages[page]
    for page in pages:
        assert text.balance.title in page


def test_missed_calls_that_the_menu_served_are_named_apart(
    quarter: Settings, world: World, read: Any
) -> None:
    note = "Ўтказиб юборилганлардан: менюнинг ўзидан жавоб олганлар – 2"
    report = quarterly.build_quarterly_report(quarter, QUARTER)
    assert not any(note in line for line in wording.call_notes(report))
    world.add_call("2025-10-01 00:00:00", outcome="self_served")
    world.add_call("2025-12-31 23:59:59", outcome="self_served")
    world.add_call("2025-11-03 20:00:00", outcome="closed")
    world.add_call("2025-11-03 20:00:00", outcome="closed", synthetic=True)
    world.add_call("2025-09-30 23:59:59", outcome="self_served")
    world.add_call("2026-01-01 00:00:00", outcome="closed")
    report = quarterly.build_quarterly_report(quarter, QUARTER)
    calls = quarterly.as_json(report)["calls"]
    assert (calls["missed"], calls["self_served"], calls["closed"]) == (6, 2, 1)
    text = " ".join(" ".join(read(report)).split())
    assert f"{note}, фақат линия ёпиқлиги ҳақидаги хабарни эшитганлар – 1." in text


def test_missing_answers_are_unknown(site: Settings, world: World, read: Any) -> None:
    AsteriskWatch.create(
        started_at=site_time("2025-09-01 00:00:00"), seen_at=site_time("2025-09-02 00:00:00")
    )
    EventRow.create(
        hash="b",
        linkedid="b",
        at=site_time("2026-01-02 00:00:00"),
        event="BOOT",
        begins="BOOT",
        fields={},
    )
    report = quarterly.build_quarterly_report(site, QUARTER)
    figures = quarterly.as_json(report)
    assert set(figures["calls"].values()) == {None}
    assert figures["staff"]["education"] == dict.fromkeys(
        ("incomplete_higher", "secondary", "upskilled")
    )
    assert figures["staff"]["disciplined"] is None
    assert figures["staff"]["intervals"] == [
        {"from": None, "to": None, "staff": None, "incoming": None, "accepted": None}
    ]
    assert figures["activity"].pop("callback") is True  # the plan in force offers it
    assert figures["activity"].pop("telegram_bot") is False  # the settings define no bot
    assert set(figures["activity"].values()) == {None}
    first, second, _ = read(report, "-layout")
    assert ["номаълум"] * 6 in [row[-6:] for row in cells_of(first)]
    assert "01.10.2025, 00:00 – 01.01.2026, 00:00" in " ".join(first.split())
    assert second.count("номаълум") == 4
    assert "Масъул ходим ҳали киритмаган" in second
    assert files.render_file("quarterly", report, "xlsx")


def test_an_unobserved_interval_is_unknown(quarter: Settings, world: World) -> None:
    period = Period(dt.date(2025, 10, 5), dt.date(2025, 10, 5), TZ)
    gap = (site_time("2025-10-05 08:00:00"), site_time("2025-10-05 20:00:00"))
    rows, parted = interval_rows(
        Arrivals(), staff_records.staffed_hours(period.last), period, [gap]
    )
    assert [row.incoming for row in rows] == [None, None, 0]
    assert parted


def test_hours_outside_shifts_and_in_overlapping_shifts_are_counted(
    quarter: Settings, world: World
) -> None:
    calls = [
        InboundCall(site_time(f"2025-10-05 {time}:00:00"), "answered")
        for time in ("07", "09", "13")
    ]
    period = Period(dt.date(2025, 10, 5), dt.date(2025, 10, 5), TZ)
    some = [StaffedHours("08:00", "12:00", 1), StaffedHours("09:00", "14:00", 1)]
    rows, parted = interval_rows(arrivals_of_calls(calls), some, period, [])
    assert [(row.opens, row.incoming) for row in rows] == [("08:00", 1), ("09:00", 2), (None, 1)]
    assert not parted


def test_long_names_stay_in_their_cells(quarter: Settings, world: World, read: Any) -> None:
    long = "Камбағалликни қисқартириш ва бандлик вазирлигининг расмий сайти " * 8
    staff_records.store_answer("2025-Q4", True, long, "71 200 06 00, " * 20, True, world.operator)
    pages = read(quarterly.build_quarterly_report(quarter, QUARTER), "-bbox")
    xml = " ".join(pages)
    rights = [float(part.split('"')[0]) for part in xml.split('xMax="')[1:]]
    assert rights
    assert max(rights) <= 842 - 15 / 25.4 * 72 + 1  # the margin of a landscape A4


def test_a_table_of_many_shifts_repeats_its_head(
    quarter: Settings, world: World, read: Any
) -> None:
    for hour in range(24):
        for minute in (0, 30):
            staff_records.add_shift(
                f"{hour:02}:{minute:02}",
                f"{(hour + 1) % 24:02}:{minute:02}",
                dt.date(2025, 9, 1),
                "b",
            )
    pages = read(quarterly.build_quarterly_report(quarter, QUARTER), "-layout")
    holding = [page for page in pages if "23:30–00:30" in page or "08:00–09:00" in page]
    assert len(holding) > 1
    for page in holding:
        assert "оралиғи" in page


def test_the_plan_decides_if_callbacks_are_offered(site: Settings, world: World, read: Any) -> None:
    plan = routing.current_plan(site)
    changed_plan = dataclasses.replace(
        plan,
        callback=dataclasses.replace(plan.callback, offered=False),
        numbers=(routing.HotlineNumber("712000600"), routing.HotlineNumber("")),
    )
    routing.save_plan(changed_plan, "sherzod")
    report = quarterly.build_quarterly_report(site, QUARTER)
    assert quarterly.as_json(report)["activity"]["callback"] is False
    assert report.numbers == ("1282", "712000600")
    world.add_call("2025-10-01 10:00:00", outcome="callback")
    report = quarterly.build_quarterly_report(site, QUARTER)
    assert quarterly.as_json(report)["activity"]["callback"] is True


def test_texts_count_as_kept_only_after_two_years(quarter: Settings, world: World) -> None:
    def appeals_kept_cell(locale: str = "uz_Cyrl") -> tuple[bool | None, str]:
        report = quarterly.build_quarterly_report(quarter, QUARTER, locale)
        return report.activity.appeals_kept.is_fulfilled, wording.activity_cells(report)[5][0]

    def add_removal(number: str, moment: str) -> None:
        Removal.create(kind="appeal", subject=number, at=site_time(moment), rule="appeals_years=2")

    assert appeals_kept_cell("ru")[0] is None
    assert appeals_kept_cell("ru")[1].startswith(
        "Пока хранятся, срок исполнится 20.11.2027; текстов 1"
    )
    old = world.add_appeal("2022-03-01 10:00:00", "1710", "other")
    assert appeals_kept_cell() == (True, "Сақланади, ўчирилмайди; матнлар 2; энг эскиси 01.03.2022")
    # it was two years old: the removal was permitted
    add_removal(old.number, "2024-03-02 02:00:00")
    assert appeals_kept_cell() == (True, "Сақланади, ўчирилмайди; матнлар 1; энг эскиси 20.11.2025")
    early = world.add_appeal("2025-02-01 10:00:00", "1710", "other")
    add_removal(early.number, "2025-12-01 02:00:00")
    assert appeals_kept_cell() == (False, "Қисман сақланган; матнлар 1; энг эскиси 20.11.2025")


def test_recordings_of_a_new_site_are_kept_until_now(site: Settings, world: World) -> None:
    world.add_call("2025-12-20 10:00:00")
    report = quarterly.build_quarterly_report(site, QUARTER)
    assert report.activity.recordings_kept.is_fulfilled is None
    assert wording.activity_cells(report)[4][0] == (
        "Ҳозирча сақланмоқда, муддат 20.02.2026 да тўлади; "
        "сўнгги икки ойдаги сўзлашувлардан 1 / 1; энг эскиси 20.12.2025"
    )


def test_the_bot_is_that_of_the_settings(site: Settings) -> None:
    bot = dataclasses.replace(site, telegram=Telegram("1:token", -100))
    facts = [
        quarterly.build_quarterly_report(variant, QUARTER).activity.telegram_bot
        for variant in (site, bot)
    ]
    assert [(fact.is_fulfilled, fact.source) for fact in facts] == [
        (False, "system"),
        (True, "system"),
    ]


def test_a_report_up_to_a_date_states_the_date(quarter: Settings) -> None:
    report = quarterly.build_quarterly_report(
        quarter, periods.parse_quarter("2025-Q4", TZ, "2025-11-15")
    )
    assert quarterly.as_json(report)["calls"]["incoming"] == 5
    assert "(15.11.2025 ҳолатига кўра)" in quarterly.as_page(report)


calls_of_a_quarter = st.lists(
    st.builds(
        InboundCall,
        arrived_at=st.datetimes(
            dt.datetime(2025, 9, 30, 19),  # noqa: DTZ001
            dt.datetime(2025, 12, 31, 18, 59, 59),  # noqa: DTZ001
            timezones=st.just(dt.UTC),
        ),
        outcome=st.sampled_from(["answered", "abandoned_menu", "timed_out", "rejected", None]),
        talk_seconds=st.integers(0, 3600).map(float),
        synthetic=st.booleans(),
    ),
    max_size=60,
)


@given(calls=calls_of_a_quarter, day=st.integers(0, 90))
@trying(max_examples=60)
def test_splitting_a_quarter_at_any_day_adds_up(calls: list[InboundCall], day: int) -> None:
    middle = QUARTER.first + dt.timedelta(days=day)
    parts = [
        Period(QUARTER.first, middle, TZ),
        Period(middle + dt.timedelta(days=1), QUARTER.last, TZ),
    ]
    shifts = [StaffedHours(*hours, 1) for hours in SHIFTS]

    def figures_of_period(period: Period) -> list[float]:
        period_arrivals = arrivals_of_calls(
            c for c in calls if period.begin <= c.arrived_at < period.end
        )
        figures = quarterly.call_figures(period_arrivals, (0, 0), period, [])
        rows, _ = interval_rows(period_arrivals, shifts, period, [])
        assert sum(row.incoming or 0 for row in rows) == figures.incoming
        assert sum(row.accepted or 0 for row in rows) == figures.accepted
        open_count = sum(slot.open for slot in period_arrivals.slots.values())
        assert (figures.incoming or 0) == (figures.accepted or 0) + (
            figures.missed or 0
        ) + open_count
        per_interval = [count or 0 for row in rows for count in (row.incoming, row.accepted)]
        return [
            *(
                figures.incoming or 0,
                figures.accepted or 0,
                figures.missed or 0,
                figures.talk_seconds or 0,
            ),
            *per_interval,
        ]

    first, second = map(figures_of_period, parts)
    assert [a + b for a, b in zip(first, second, strict=True)] == figures_of_period(QUARTER)
    split = percentage_shares([int(count) for count in figures_of_period(QUARTER)[4::2]])
    assert sum(share for share in split if share is not None) in (0, 100)
