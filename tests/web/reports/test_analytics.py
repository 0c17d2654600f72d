"""The telephony pages: figures open their calls, no whole table is read, roles see theirs."""

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

import pytest
from werkzeug.test import TestResponse

from appliance import demo
from appliance.casework import catalogs, forms
from appliance.core import clock, db
from appliance.core.i18n import translations
from appliance.core.settings import Settings
from appliance.demo.world import of_site
from appliance.models import AuditEntry, Call, CallForm, FieldValue, Tariff
from appliance.reports import call_filters, tariffs
from appliance.reports.periods import Period
from appliance.reports.telephony import calls as behind
from appliance.telephony import calls, line_quality, routing
from appliance.telephony.line_quality import Heard
from appliance.web.reports.telephony import TABS
from appliance.web.shell import concurrency
from tests.casework.test_form_editing import add, put
from tests.rig.browser import Browser
from tests.rig.once import filled_once

DAYS = "from=01.10.2026&to=07.10.2026"
FIRST, LAST = dt.date(2026, 10, 1), dt.date(2026, 10, 7)
BIG = (
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
ADDED = "2.ish_orni"  # a field that the manager added, see busy


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """Where the database is kept that is busy."""
    return tmp_path_factory.mktemp("busy") / "site.db"


@pytest.fixture
def busy(settings, kept) -> Period:
    """A week of calls, on forms №2 with an added field; its days."""
    filled_once(kept, lambda: fill(settings))
    return Period(FIRST, LAST, settings.tz)


def fill(settings: Settings) -> None:
    demo.load(of_site(settings, FIRST, LAST), 400, seed=8)
    name = add(forms.CALL)
    put(forms.CALL)
    codes = itertools.cycle([*catalogs.labels("group", "ru"), forms.UNLISTED, ""])
    values = [
        {"form": "2", "number": form.number, "call_id": form.call_id, "field": name, "code": code}
        for form, code in zip(CallForm.select(), codes, strict=False)
        if code
    ]
    for begin in range(0, len(values), 100):
        FieldValue.insert_many(values[begin : begin + 100]).execute()


@contextmanager
def statements() -> Iterator[list[tuple[str, tuple]]]:
    """Every query that is made meanwhile."""
    made: list[tuple[str, tuple]] = []
    execute = db.database.execute_sql

    def listening(sql, params=None):
        made.append((sql, tuple(params or ())))
        return execute(sql, params)

    db.database.execute_sql = listening
    try:
        yield made
    finally:
        del db.database.execute_sql


def whole_reads(sql: str, params: tuple) -> list[str]:
    """The big tables that SQLite would read from end to end for a query."""
    named = {alias: table for table, alias in re.findall(r'"(\w+)" AS "(\w+)"', sql)}
    plan = db.database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
    scanned = [re.match(r"SCAN (\w+)", line[3]) for line in plan]
    tables = [named.get(found[1], found[1]) for found in scanned if found]
    return [table for table in tables if table in BIG]


PAGES = [
    *(f"/analytics?{DAYS}&by={tab}" for tab in (*TABS, ADDED)),
    f"/analytics?{DAYS}&language=uz&topic=other&region=1726&operator=nilufar&number=1282",
    f"/analytics/calls?{DAYS}",
    *(
        f"/analytics/calls?{DAYS}&{asked}"
        for asked in (
            "times=2-3",
            "caller=%2B998901234567",
            "queue=uz:answered",
            "transfer=blind:answered",
            "spoke=nilufar",
            "unanswered=nilufar",
            "hour=10&weekday=1",
            "appeal=1",
            "form=1&call_type=question&call_direction=incoming",
            f"{ADDED}=-",
        )
    ),
    f"/analytics/calls.csv?{DAYS}",
    f"/analytics/telephony.json?{DAYS}",
    "/minutes?month=2026-10",
    "/minutes/act.csv?month=2026-10",
    f"/capacity?{DAYS}",
]


def test_no_page_reads_a_whole_table(busy, login_as) -> None:
    browser: Browser = login_as("manager")
    for page in PAGES:
        with statements() as made:
            answer = browser.get(page)
            assert answer.status_code == 200, page
            assert answer.data
        db.database.connect(reuse_if_open=True)
        queries = {sql: params for sql, params in made if sql.startswith("SELECT")}
        assert len(queries) > 3
        for sql, params in queries.items():
            assert whole_reads(sql, params) == [], f"{page}: {sql}"


def links(page: str) -> list[tuple[dict[str, str], int]]:
    """Where each figure leads, and the figure."""
    found = re.findall(r'href="(/analytics/calls\?[^"]+)"[^>]*>([\d\u00a0]+)</a>', page)
    return [
        (dict(parse_qsl(urlsplit(unescape(address)).query)), int(text.replace("\u00a0", "")))
        for address, text in found
    ]


def test_every_figure_opens_as_many_calls_as_it_says(busy, login_as) -> None:
    browser = login_as("manager")
    tried: set[str] = set()
    for tab in (*TABS, ADDED):
        for more in ("", "&language=uz"):
            found = links(browser.get(f"/analytics?{DAYS}&by={tab}{more}").text)
            assert len(found) > 60
            for asked, figure in found:
                if (key := str(asked)) in tried:
                    continue
                tried.add(key)
                texts = (asked.pop(name) for name in ("from", "to"))
                days = [dt.datetime.strptime(text, "%d.%m.%Y").date() for text in texts]  # noqa: DTZ007
                count = behind.count(
                    call_filters.from_address(Period(*days, busy.tz), asked.items())
                )
                # A call may visit a queue, be handed on, or ring in vain more than once.
                repeats = {"queue", "transfer", "unanswered"} & set(asked)
                assert count == figure or (repeats and 0 < count <= figure), asked
    assert len(tried) > 500


def test_an_added_field_has_its_table_and_says_what_is_asked(busy, login_as) -> None:
    browser = login_as("ministry")
    page = browser.get(f"/analytics?{DAYS}&by={ADDED}").text
    assert '<h2 class="vh" id="table-title">№2: Ish oʻrni</h2>' in page
    assert "roʻyxatda yoʻq" in page
    assert "koʻrsatilmagan" in page
    behind_it = browser.get(f"/analytics/calls?{DAYS}&{ADDED}=*").text
    assert "№2: Ish oʻrni: roʻyxatda yoʻq" in behind_it
    everything = behind.count(call_filters.CallFilter(busy))
    for nothing in ("2.nothing=1", "3.x=1", "2.=1", "2.gist=1"):
        page = browser.get(f"/analytics/calls?{DAYS}&{nothing}").text
        assert f'<span class="count">{everything}</span>' in page


def test_the_list_says_how_many_and_leads_to_cards(busy, login_as) -> None:
    browser = login_as("supervisor")
    page = browser.get(f"/analytics/calls?{DAYS}&outcome=answered").text
    expected = behind.count(call_filters.CallFilter(busy, {"outcome": "answered"}))
    assert f'<span class="count">{expected}</span>' in page
    address = re.search(r'href="(/calls/demo-[^"]+)"', page)
    assert address
    assert browser.get(address[1]).status_code == 200


def test_the_export_has_every_call_and_only_the_columns_of_the_role(busy, login_as) -> None:
    told = {}
    for who in ("manager", "ministry"):
        answer = login_as(who).get(f"/analytics/calls.csv?{DAYS}")
        assert answer.is_streamed
        told[who] = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    everything = call_filters.CallFilter(busy)
    assert len(told["manager"]) == len(told["ministry"]) == behind.count(everything)
    assert {"caller", "operator"} <= set(told["manager"][0])
    assert not {"caller", "operator", "ended_by"} & set(told["ministry"][0])
    assert [row["id"] for row in told["manager"]] == [row.call.id for row in behind.every(everything)]  # noqa: E501  # fmt: skip


def test_the_ministry_sees_figures_but_no_callers(busy, login_as) -> None:
    browser = login_as("ministry")
    caller = Call.select(Call.caller).where(Call.caller.is_null(False)).limit(1).scalar()
    for page in ("", "/calls"):
        text = browser.get(f"/analytics{page}?{DAYS}&by=callers").text
        assert "+998 9" not in text.replace("\u00a0", " ")
    asked = browser.get("/analytics/calls", query_string={"caller": caller, "from": "01.10.2026"})
    assert AuditEntry.select().where(AuditEntry.action == "calls.export").count() == 0
    assert f'<span class="count">{behind.count(call_filters.CallFilter(busy))}</span>' in asked.text


def test_an_address_that_makes_no_sense_shows_the_running_month(login_as, busy) -> None:
    browser = login_as("manager")
    for address in ("from=31.02.2026", "from=02.10.2026&to=01.10.2026", "from=x&to=y"):
        answer = browser.get(f"/analytics?{address}")
        assert answer.status_code == 200
        assert "data-warn" in answer.text
    for asked in (
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
        assert browser.get(f"/analytics?{DAYS}&{asked}").status_code == 200


def test_a_tariff_is_set_and_closed_by_the_manager(login_as, busy) -> None:
    browser = login_as("manager")
    form = {"direction": "inbound", "rounding": "minute", "valid_from": "01.10.2026"}
    refused = browser.send("/minutes/tariffs", **form, price="a lot")
    assert 'value="a lot"' in browser.refused(refused)
    assert browser.send("/minutes/tariffs", **form, price="120,50").status_code == 302
    made = Tariff.get()
    assert (made.price, made.made_by, made.valid_to) == (12_050, "sherzod", None)
    twice = browser.send("/minutes/tariffs", **form, price="1")
    assert 'role="alert"' in browser.refused(twice)
    act = browser.get("/minutes/act.json?month=2026-10").json
    accepted = behind.count(call_filters.CallFilter(busy, {"outcome": "answered"}))
    assert act["lines"][0]["amount_tiyin"] == act["lines"][0]["billed_seconds"] // 60 * 12_050
    incoming = [line["calls"] for line in act["lines"] if line["direction"] == "inbound"]
    assert sum(incoming) == accepted
    assert browser.send(f"/minutes/tariffs/{made.id}/close").status_code == 302
    assert Tariff.get().valid_to is not None
    assert tariffs.every()[0].valid_to is not None


def test_a_chart_of_the_whole_width_is_drawn_for_it(login_as, busy) -> None:
    browser = login_as("supervisor")
    for path, title in (("/analytics", "Kunlar"), ("/capacity", "Yarim soatlar")):
        page = browser.get(f"{path}?{DAYS}").text
        panel = next(part for part in page.split("<section") if f"{title} boʻyicha" in part)
        box = re.search(r'viewBox="0 0 (\d+) (\d+)"', panel)
        assert box, path
        width, height = int(box[1]), int(box[2])
        assert width > 8 * height
        bars = re.findall(r'<rect class="s\d" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', panel)
        assert max(float(x) + float(across) for x, across in bars) > 0.95 * width


def test_capacity_marks_the_exceptions_and_counts_them(login_as, busy) -> None:
    page = login_as("manager").get(f"/capacity?{DAYS}").text
    table = page.split("<tbody>")[1].split("</tbody>")[0]
    short = table.count("badge is-warn")
    assert short
    assert table.count('class="badge') == short < 48
    assert f"{short} yarim soatda kam" in page
    Call.delete().execute()
    page = login_as("manager").get(f"/capacity?{DAYS}").text
    assert "har yarim soatda yetarli" in page
    assert 'class="badge' not in page.split("<tbody>")[1].split("</tbody>")[0]


def test_the_pages_count_with_the_plan_in_force(login_as, busy) -> None:
    """What the telephony page changes holds everywhere, whatever the settings file says."""
    browser = login_as("manager")

    def handling() -> int:
        page = browser.get(f"/capacity?{DAYS}").text
        label = translations("uz_Latn").gettext("Handling, average")
        minutes, seconds = page.partition(f"<dt>{label}</dt><dd>")[2].partition("<")[0].split(":")
        return int(minutes) * 60 + int(seconds)

    before = handling()
    line = routing.Trunk("second", address="192.0.2.7")
    routing.save(routing.Plan(trunks=(line,), queueing=routing.Queueing(wrap_up=90)), "rustam")
    assert handling() == before + 90
    assert "<option>second</option>" in browser.get("/minutes?month=2026-10").text


def test_the_balance_stands_on_the_page(login_as, busy) -> None:
    text = login_as("ministry").get(f"/analytics?{DAYS}").text
    arrived = calls.balance(busy.begin, busy.end).arrivals
    assert arrived == 400
    assert 'class="balance"' in text


FOOLISH = [
    "from=01.01.0002&to=30.12.9998&work=inside",
    "from=01.01.2000&to=31.12.2199",
    "from=01.01.0001",
    "to=01.01.0001",
    "to=31.12.9999",
    "from=31.12.9999",
    "from=01.10.2026&to=01.09.2026",
]


@pytest.mark.parametrize("asked", FOOLISH)
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/analytics", "Bunday kunlar yoʻq: joriy oy koʻrsatildi"),
        ("/capacity", "Bunday kunlar yoʻq: oxirgi toʻrt hafta koʻrsatildi"),
    ],
)
def test_days_of_no_hotline_are_not_worked_out(login_as, path, said, asked) -> None:
    answer = login_as("supervisor").get(f"{path}?{asked}")
    assert answer.status_code == 200
    assert said in answer.text


@pytest.mark.parametrize("asked", FOOLISH)
@pytest.mark.parametrize("path", ["/analytics/calls.csv", "/analytics/telephony.json"])
def test_nor_are_files_made_of_them(login_as, path, asked) -> None:
    assert login_as("supervisor").get(f"{path}?{asked}").status_code == 400


def test_one_person_works_out_few_reports_at_once(app, login_as) -> None:
    app.extensions["heavy"] = concurrency.Places(16, 0)
    assert login_as("manager").get("/analytics").status_code == 429
    app.extensions["heavy"] = concurrency.Places(16, 4)
    browser = login_as("manager")
    for path in ("/analytics", "/analytics?from=x", "/analytics/calls.csv?from=x", "/capacity"):
        statuses = {browser.get(path).status_code for _ in range(6)}  # each gives its place back
        assert statuses <= {200, 400}


def test_downloads_that_are_taken_slowly_hold_up_nobody_else(login_as) -> None:
    one, other = login_as("manager"), login_as("supervisor")

    def get(browser: Browser, path: str) -> TestResponse:
        return copy_context().run(browser.get, path)  # each request by itself, as a thread's

    contexts = [copy_context() for _ in range(4)]
    slow = [context.run(one.get, "/analytics/calls.csv") for context in contexts]
    assert get(one, "/analytics").status_code == 429
    assert get(other, "/analytics").status_code == 200
    for context, answer in zip(contexts, slow, strict=True):
        context.run(answer.close)
    assert get(one, "/analytics").status_code == 200


def test_operators_whose_line_is_bad_are_named(settings, login_as) -> None:
    for login, loss in (("nilufar", 5.0), ("sardor", 0.5)):
        line_quality.record(login, Heard("hotline-1.1", 600, loss, 10.0, None))
    today = clock.now().astimezone(settings.tz).strftime("%d.%m.%Y")
    page = login_as("ministry").get(f"/analytics?from={today}&to={today}&by=workload").text
    rows = re.findall(
        r'<tr><th scope="row">([^<]+)</th>\s*<td class="n">1</td>(.+?)</tr>', page, re.S
    )
    marked = ["is-bad" in row for _, row in rows]
    assert marked == [True, False]
    assert "Nilufar" in rows[0][0]
