"""The telephony pages: figures open their calls, no whole table is read, roles see theirs."""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from appliance import calls, db, demo, tariffs
from appliance.demo.world import of_site
from appliance.models import AuditEntry, Call, Tariff
from appliance.reports import cuts
from appliance.reports.periods import Period
from appliance.reports.telephony import calls as behind
from appliance.web.analytics import TABS
from web.browser import Browser

DAYS = "from=01.10.2026&to=07.10.2026"
FIRST, LAST = dt.date(2026, 10, 1), dt.date(2026, 10, 7)
BIG = ("call", "event_row", "queue_visit", "ring", "talk", "transfer", "recording", "appeal")


@pytest.fixture
def busy(settings) -> Period:
    """A week of calls; its days."""
    demo.load(of_site(settings, FIRST, LAST), 400, seed=8)
    return Period(FIRST, LAST, settings.tz)


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
    *(f"/analytics?{DAYS}&by={tab}" for tab in TABS),
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
    for tab in TABS:
        for more in ("", "&language=uz"):
            found = links(browser.get(f"/analytics?{DAYS}&by={tab}{more}").text)
            assert len(found) > 60
            for asked, figure in found:
                if (key := str(asked)) in tried:
                    continue
                tried.add(key)
                texts = (asked.pop(name) for name in ("from", "to"))
                days = [dt.datetime.strptime(text, "%d.%m.%Y").date() for text in texts]  # noqa: DTZ007
                count = behind.count(cuts.asked_of(Period(*days, busy.tz), asked.items()))
                # A call may visit a queue, be handed on, or ring in vain more than once.
                repeats = {"queue", "transfer", "unanswered"} & set(asked)
                assert count == figure or (repeats and 0 < count <= figure), asked
    assert len(tried) > 500


def test_the_list_says_how_many_and_leads_to_cards(busy, login_as) -> None:
    browser = login_as("supervisor")
    page = browser.get(f"/analytics/calls?{DAYS}&outcome=answered").text
    expected = behind.count(cuts.Cut(busy, {"outcome": "answered"}))
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
    everything = cuts.Cut(busy)
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
    assert f'<span class="count">{behind.count(cuts.Cut(busy))}</span>' in asked.text


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
    assert refused.status_code == 422
    assert browser.send("/minutes/tariffs", **form, price="120,50").status_code == 302
    made = Tariff.get()
    assert (made.price, made.made_by, made.valid_to) == (12_050, "sherzod", None)
    assert browser.send("/minutes/tariffs", **form, price="1").status_code == 422
    act = browser.get("/minutes/act.json?month=2026-10").json
    accepted = behind.count(cuts.Cut(busy, {"outcome": "answered"}))
    assert act["lines"][0]["amount_tiyin"] == act["lines"][0]["billed_seconds"] // 60 * 12_050
    incoming = [line["calls"] for line in act["lines"] if line["direction"] == "inbound"]
    assert sum(incoming) == accepted
    assert browser.send(f"/minutes/tariffs/{made.id}/close").status_code == 302
    assert Tariff.get().valid_to is not None
    assert tariffs.every()[0].valid_to is not None


def test_the_balance_stands_on_the_page(login_as, busy) -> None:
    text = login_as("ministry").get(f"/analytics?{DAYS}").text
    arrived = calls.balance(busy.begin, busy.end).arrivals
    assert arrived == 400
    assert 'class="balance"' in text
