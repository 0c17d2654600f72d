"""The telephony pages: figures link to calls, no full table scans, data by role."""

import csv
import datetime as dt
import io
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import openpyxl
import pytest
from werkzeug.test import TestResponse

from appliance import demo
from appliance.casework import catalogs, forms
from appliance.core import clock, db
from appliance.core.i18n import locale_translations
from appliance.core.settings import Settings
from appliance.demo.world import load_site_profile
from appliance.models import AuditEntry, Call, CallForm, FieldValue, Tariff
from appliance.people import accounts
from appliance.reports import call_filters, tariffs
from appliance.reports.periods import Period
from appliance.reports.telephony import call_workbook
from appliance.reports.telephony import calls as behind
from appliance.telephony import calls, line_quality, routing
from appliance.telephony.line_quality import TalkQuality
from appliance.web.reports.telephony import TABS
from appliance.web.shell import concurrency
from tests.casework.test_form_editing import add_field, release_draft
from tests.rig.browser import Browser
from tests.rig.once import fill_once

DAYS_QUERY = "from=01.10.2026&to=07.10.2026"
FIRST_DAY, LAST_DAY = dt.date(2026, 10, 1), dt.date(2026, 10, 7)
BIG_TABLES = (
    "call",
    "event_row",
    "queue_visit",
    "ring",
    "talk",
    "transfer",
    "recording",
    "appeal",
    "call_form",
    "field_value",
)
ADDED_FIELD = "2.ish_orni"  # a field that the manager added, see `busy`


@pytest.fixture(scope="module")
def database_file(tmp_path_factory) -> Path:
    """The file in which the database of `busy` is stored."""
    return tmp_path_factory.mktemp("busy") / "site.db"


@pytest.fixture
def busy(settings, database_file) -> Period:
    """A week of calls on forms №2 with an added field; returns its period."""
    fill_once(database_file, lambda: fill_database(settings))
    return Period(FIRST_DAY, LAST_DAY, settings.tz)


def fill_database(settings: Settings) -> None:
    demo.load_history(load_site_profile(settings, FIRST_DAY, LAST_DAY), 400, seed=8)
    name = add_field(forms.CALL_FORM)
    release_draft(forms.CALL_FORM)
    codes = itertools.cycle([*catalogs.labels_by_code("group", "ru"), catalogs.UNLISTED, ""])
    values = [
        {"form": "2", "number": form.number, "call_id": form.call_id, "field": name, "code": code}
        for form, code in zip(CallForm.select(), codes, strict=False)
        if code
    ]
    for begin in range(0, len(values), 100):
        FieldValue.insert_many(values[begin : begin + 100]).execute()


@contextmanager
def recorded_statements() -> Iterator[list[tuple[str, tuple]]]:
    """Record every SQL statement executed within the context."""
    recorded: list[tuple[str, tuple]] = []
    execute = db.database.execute_sql

    def record_statement(sql, params=None):
        recorded.append((sql, tuple(params or ())))
        return execute(sql, params)

    db.database.execute_sql = record_statement
    try:
        yield recorded
    finally:
        del db.database.execute_sql


def scanned_big_tables(sql: str, params: tuple) -> list[str]:
    """Return the big tables that SQLite would scan fully for a query."""
    table_of_alias = {alias: table for table, alias in re.findall(r'"(\w+)" AS "(\w+)"', sql)}
    plan = db.database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
    scanned = [re.match(r"SCAN (\w+)", line[3]) for line in plan]
    tables = [table_of_alias.get(match[1], match[1]) for match in scanned if match]
    return [table for table in tables if table in BIG_TABLES]


PAGE_PATHS = [
    *(f"/analytics?{DAYS_QUERY}&by={tab}" for tab in (*TABS, ADDED_FIELD)),
    f"/analytics?{DAYS_QUERY}&language=uz&topic=other&region=1726&operator=nilufar&number=1282",
    f"/analytics/calls?{DAYS_QUERY}",
    *(
        f"/analytics/calls?{DAYS_QUERY}&{query}"
        for query in (
            "times=2-3",
            "caller=%2B998901234567",
            "queue=uz:answered",
            "transfer=blind:answered",
            "spoke=nilufar",
            "unanswered=nilufar",
            "hour=10&weekday=1",
            "appeal=1",
            "form=1&call_type=question&call_direction=incoming",
            f"{ADDED_FIELD}=-",
        )
    ),
    f"/analytics/calls.csv?{DAYS_QUERY}",
    f"/analytics/calls.xlsx?{DAYS_QUERY}",
    f"/analytics/telephony.json?{DAYS_QUERY}",
    "/minutes?month=2026-10",
    "/minutes/act.csv?month=2026-10",
    f"/capacity?{DAYS_QUERY}",
]


def test_no_page_scans_a_big_table(busy, login_as) -> None:
    browser: Browser = login_as("manager")
    for page in PAGE_PATHS:
        with recorded_statements() as executed:
            answer = browser.get(page)
            assert answer.status_code == 200, page
            assert answer.data
        db.database.connect(reuse_if_open=True)
        queries = {sql: params for sql, params in executed if sql.startswith("SELECT")}
        assert len(queries) > 3
        for sql, params in queries.items():
            assert scanned_big_tables(sql, params) == [], f"{page}: {sql}"


def linked_figures(page: str) -> list[tuple[dict[str, str], int]]:
    """Return each linked figure: the query of its link, and its value."""
    matches = re.findall(r'href="(/analytics/calls\?[^"]+)"[^>]*>([\d\u00a0]+)</a>', page)
    return [
        (dict(parse_qsl(urlsplit(unescape(address)).query)), int(text.replace("\u00a0", "")))
        for address, text in matches
    ]


def test_every_figure_opens_as_many_calls_as_it_shows(busy, login_as) -> None:
    browser = login_as("manager")
    checked_queries: set[str] = set()
    for tab in (*TABS, ADDED_FIELD):
        for more in ("", "&language=uz"):
            linked = linked_figures(browser.get(f"/analytics?{DAYS_QUERY}&by={tab}{more}").text)
            assert len(linked) > 60
            for query, figure in linked:
                if (key := str(query)) in checked_queries:
                    continue
                checked_queries.add(key)
                texts = (query.pop(name) for name in ("from", "to"))
                days = [dt.datetime.strptime(text, "%d.%m.%Y").date() for text in texts]  # noqa: DTZ007
                count = behind.count_calls(
                    call_filters.filter_from_query(Period(*days, busy.tz), query.items())
                )
                # A call may visit a queue, be transferred, or ring unanswered more than once.
                repeats = {"queue", "transfer", "unanswered"} & set(query)
                assert count == figure or (repeats and 0 < count <= figure), query
    assert len(checked_queries) > 500


def test_an_added_field_has_its_table_and_a_filter_label(busy, login_as) -> None:
    browser = login_as("ministry")
    page = browser.get(f"/analytics?{DAYS_QUERY}&by={ADDED_FIELD}").text
    assert '<h2 class="vh" id="table-title">№2: Ish oʻrni</h2>' in page
    assert "roʻyxatda yoʻq" in page
    assert "koʻrsatilmagan" in page
    behind_it = browser.get(f"/analytics/calls?{DAYS_QUERY}&{ADDED_FIELD}=*").text
    assert "№2: Ish oʻrni: roʻyxatda yoʻq" in behind_it
    everything = behind.count_calls(call_filters.CallFilter(busy))
    for nothing in ("2.nothing=1", "3.x=1", "2.=1", "2.gist=1"):
        page = browser.get(f"/analytics/calls?{DAYS_QUERY}&{nothing}").text
        assert f'<span class="count">{everything}</span>' in page


def test_the_list_shows_its_count_and_links_to_cards(busy, login_as) -> None:
    browser = login_as("supervisor")
    page = browser.get(f"/analytics/calls?{DAYS_QUERY}&outcome=answered").text
    expected = behind.count_calls(call_filters.CallFilter(busy, {"outcome": "answered"}))
    assert f'<span class="count">{expected}</span>' in page
    address = re.search(r'href="(/calls/demo-[^"]+)"', page)
    assert address
    assert browser.get(address[1]).status_code == 200


def test_the_export_has_every_call_and_only_the_columns_of_the_role(busy, login_as) -> None:
    rows_of_role = {}
    for who in ("manager", "ministry"):
        answer = login_as(who).get(f"/analytics/calls.csv?{DAYS_QUERY}")
        assert answer.is_streamed
        rows_of_role[who] = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    everything = call_filters.CallFilter(busy)
    assert (
        len(rows_of_role["manager"])
        == len(rows_of_role["ministry"])
        == behind.count_calls(everything)
    )
    assert {"caller", "operator"} <= set(rows_of_role["manager"][0])
    assert not {"caller", "operator", "ended_by"} & set(rows_of_role["ministry"][0])
    assert [row["id"] for row in rows_of_role["manager"]] == [row.call.id for row in behind.iterate_calls(everything)]  # noqa: E501  # fmt: skip


def test_the_workbook_of_calls_has_words_in_the_readers_language(busy, login_as, sherzod) -> None:
    accounts.choose_language(sherzod, "ru")
    answer = login_as("manager").get(f"/analytics/calls.xlsx?{DAYS_QUERY}")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    heads, *rows = sheet.iter_rows(values_only=True)
    expected = list(behind.iterate_calls(call_filters.CallFilter(busy)))
    assert len(rows) == len(expected)
    assert {"Поступил", "Тема", "Характер обращения", "Регион", "Исход", "Звонящий"} <= set(heads)
    topics = call_filters.dimension_names("topic", "ru")
    regions = call_filters.dimension_names("region", "ru")
    for cells, row in zip(rows, expected, strict=True):
        values = dict(zip(heads, cells, strict=True))
        assert values["Тема"] == (row.topic and topics[row.topic])
        assert values["Регион"] == (row.region and regions[row.region])
        arrived_at = row.call.arrived_at.astimezone(busy.tz).replace(tzinfo=None)
        assert abs(values["Поступил"] - arrived_at) < dt.timedelta(milliseconds=2)
    codes = {"answered", "abandoned_queue", "incoming", "uz", "subsidies", "question"}
    assert not codes & {value for cells in rows for value in cells}
    assert AuditEntry.select().where(AuditEntry.action == "calls.export").count() == 1


def test_the_ministrys_workbook_of_calls_has_no_callers(busy, login_as) -> None:
    answer = login_as("ministry").get(f"/analytics/calls.xlsx?{DAYS_QUERY}")
    heads, *rows = openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(
        values_only=True
    )
    assert len(heads) == len(call_workbook._COLUMNS) - len(behind.PERSONAL_COLUMNS)
    assert rows
    callers = {row.call.caller for row in behind.iterate_calls(call_filters.CallFilter(busy))}
    assert not callers & {value for cells in rows for value in cells if value}


def test_the_ministry_sees_figures_but_no_callers(busy, login_as) -> None:
    browser = login_as("ministry")
    caller = Call.select(Call.caller).where(Call.caller.is_null(False)).limit(1).scalar()
    for page in ("", "/calls"):
        text = browser.get(f"/analytics{page}?{DAYS_QUERY}&by=callers").text
        assert "+998 9" not in text.replace("\u00a0", " ")
    response = browser.get(
        "/analytics/calls", query_string={"caller": caller, "from": "01.10.2026"}
    )
    assert AuditEntry.select().where(AuditEntry.action == "calls.export").count() == 0
    assert (
        f'<span class="count">{behind.count_calls(call_filters.CallFilter(busy))}</span>'
        in response.text
    )


def test_an_invalid_query_shows_the_current_month(login_as, busy) -> None:
    browser = login_as("manager")
    for address in ("from=31.02.2026", "from=02.10.2026&to=01.10.2026", "from=x&to=y"):
        answer = browser.get(f"/analytics?{address}")
        assert answer.status_code == 200
        assert "data-warn" in answer.text
    for condition in (
        "hour=77",
        "time=08:00",
        "time=!",
        "time=1-2-3",
        "work=x",
        "weekday=0",
        "wait=x",
        "times=",
        "rated=x",
        "nothing=1",
        "by=x",
    ):
        assert browser.get(f"/analytics?{DAYS_QUERY}&{condition}").status_code == 200


def test_a_tariff_is_set_and_closed_by_the_manager(login_as, busy) -> None:
    browser = login_as("manager")
    form = {"direction": "inbound", "rounding": "minute", "valid_from": "01.10.2026"}
    refused = browser.send("/minutes/tariffs", **form, price="a lot")
    assert 'value="a lot"' in browser.refused_page(refused)
    assert browser.send("/minutes/tariffs", **form, price="120,50").status_code == 302
    tariff = Tariff.get()
    assert (tariff.price, tariff.made_by, tariff.valid_to) == (12_050, "sherzod", None)
    twice = browser.send("/minutes/tariffs", **form, price="1")
    assert 'role="alert"' in browser.refused_page(twice)
    act = browser.get("/minutes/act.json?month=2026-10").json
    accepted = behind.count_calls(call_filters.CallFilter(busy, {"outcome": "answered"}))
    assert act["lines"][0]["amount_tiyin"] == act["lines"][0]["billed_seconds"] // 60 * 12_050
    incoming = [line["calls"] for line in act["lines"] if line["direction"] == "inbound"]
    assert sum(incoming) == accepted
    assert browser.send(f"/minutes/tariffs/{tariff.id}/close").status_code == 302
    assert Tariff.get().valid_to is not None
    assert tariffs.all_tariffs()[0].valid_to is not None


def test_a_full_width_chart_uses_the_whole_width(login_as, busy) -> None:
    browser = login_as("supervisor")
    for path, title in (("/analytics", "Kunlar"), ("/capacity", "Yarim soatlar")):
        page = browser.get(f"{path}?{DAYS_QUERY}").text
        panel = next(part for part in page.split("<section") if f"{title} boʻyicha" in part)
        box = re.search(r'viewBox="0 0 (\d+) (\d+)"', panel)
        assert box, path
        width, height = int(box[1]), int(box[2])
        assert width > 8 * height
        bars = re.findall(r'<rect class="s\d" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', panel)
        assert max(float(x) + float(across) for x, across in bars) > 0.95 * width


def test_the_capacity_page_marks_and_counts_shortages(login_as, busy) -> None:
    page = login_as("manager").get(f"/capacity?{DAYS_QUERY}").text
    table = page.split("<tbody>")[1].split("</tbody>")[0]
    short = table.count("badge is-warn")
    assert short
    assert table.count('class="badge') == short < 48
    assert f"{short} yarim soatda kam" in page
    Call.delete().execute()
    page = login_as("manager").get(f"/capacity?{DAYS_QUERY}").text
    assert "har yarim soatda yetarli" in page
    assert 'class="badge' not in page.split("<tbody>")[1].split("</tbody>")[0]


def test_the_pages_use_the_plan_in_force(login_as, busy) -> None:
    """A change on the telephony page applies everywhere, whatever the settings file contains."""
    browser = login_as("manager")

    def average_handling_seconds() -> int:
        page = browser.get(f"/capacity?{DAYS_QUERY}").text
        label = locale_translations("uz_Latn").gettext("Average handling time")
        minutes, seconds = page.partition(f"<dt>{label}</dt><dd>")[2].partition("<")[0].split(":")
        return int(minutes) * 60 + int(seconds)

    before = average_handling_seconds()
    line = routing.Trunk("second", address="192.0.2.7")
    routing.save_plan(routing.Plan(trunks=(line,), queueing=routing.Queueing(wrap_up=90)), "rustam")
    assert average_handling_seconds() == before + 90
    assert "<option>second</option>" in browser.get("/minutes?month=2026-10").text


def test_the_page_shows_the_balance(login_as, busy) -> None:
    text = login_as("ministry").get(f"/analytics?{DAYS_QUERY}").text
    arrived = calls.ledger_balance(busy.begin, busy.end).arrivals
    assert arrived == 400
    assert 'class="balance"' in text


IMPLAUSIBLE_PERIODS = [
    "from=01.01.0002&to=30.12.9998&work=inside",
    "from=01.01.2000&to=31.12.2199",
    "from=01.01.0001",
    "to=01.01.0001",
    "to=31.12.9999",
    "from=31.12.9999",
    "from=01.10.2026&to=01.09.2026",
]


@pytest.mark.parametrize("query", IMPLAUSIBLE_PERIODS)
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/analytics", "Bunday kunlar yoʻq: joriy oy koʻrsatildi"),
        ("/capacity", "Bunday kunlar yoʻq: oxirgi toʻrt hafta koʻrsatildi"),
    ],
)
def test_implausible_periods_are_replaced_with_the_default(login_as, path, message, query) -> None:
    answer = login_as("supervisor").get(f"{path}?{query}")
    assert answer.status_code == 200
    assert message in answer.text


@pytest.mark.parametrize("query", IMPLAUSIBLE_PERIODS)
@pytest.mark.parametrize("path", ["calls.csv", "calls.xlsx", "telephony.json"])
def test_files_of_implausible_periods_are_refused(login_as, path, query) -> None:
    assert login_as("supervisor").get(f"/analytics/{path}?{query}").status_code == 400


def test_one_user_computes_few_reports_at_once(app, login_as) -> None:
    app.extensions["report_slots"] = concurrency.SlotPool(16, 0)
    assert login_as("manager").get("/analytics").status_code == 429
    app.extensions["report_slots"] = concurrency.SlotPool(16, 4)
    browser = login_as("manager")
    for path in ("/analytics", "/analytics?from=x", "/analytics/calls.csv?from=x", "/capacity"):
        statuses = {browser.get(path).status_code for _ in range(6)}  # each returns its slot
        assert statuses <= {200, 400}


def test_slow_downloads_do_not_delay_other_users(login_as) -> None:
    manager, supervisor = login_as("manager"), login_as("supervisor")

    def get_page(browser: Browser, path: str) -> TestResponse:
        return copy_context().run(browser.get, path)  # a context per request, as with threads

    contexts = [copy_context() for _ in range(4)]
    slow = [context.run(manager.get, "/analytics/calls.csv") for context in contexts]
    assert get_page(manager, "/analytics").status_code == 429
    assert get_page(supervisor, "/analytics").status_code == 200
    for context, answer in zip(contexts, slow, strict=True):
        context.run(answer.close)
    assert get_page(manager, "/analytics").status_code == 200


def test_operators_with_a_bad_line_are_marked(settings, login_as) -> None:
    for login, loss in (("nilufar", 5.0), ("sardor", 0.5)):
        line_quality.record_talk(login, TalkQuality("hotline-1.1", 600, loss, 10.0, None))
    today = clock.now().astimezone(settings.tz).strftime("%d.%m.%Y")
    page = login_as("ministry").get(f"/analytics?from={today}&to={today}&by=workload").text
    rows = re.findall(
        r'<tr><th scope="row">([^<]+)</th>\s*<td class="n">1</td>(.+?)</tr>', page, re.S
    )
    marked = ["is-bad" in row for _, row in rows]
    assert marked == [True, False]
    assert "Nilufar" in rows[0][0]
