"""Every figure of forms №1 and №2 opens a list of as many calls or appeals as it says."""

import datetime as dt
import re
from html import unescape
from pathlib import Path

import pytest

from appliance import demo
from appliance.casework import appeals, catalogs
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.demo.world import of_site
from appliance.models import Appeal, CalendarDay, Call, FollowUp, Handling, IssuedReport, User
from appliance.people import staff_records
from appliance.reports import tariffs
from appliance.telephony import followups, recordings
from appliance.web.reports.telephony import TABS
from tests.rig.browser import Browser
from tests.rig.once import filled_once
from tests.web.reports import pieces

FIRST, LAST = dt.date(2026, 10, 3), dt.date(2026, 10, 17)
COUNT = r"([\d\u00a0]+)"


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """Where the database is kept that is busy."""
    return tmp_path_factory.mktemp("busy") / "site.db"


@pytest.fixture
def busy(settings, sherzod, kept) -> None:
    """Two weeks of calls with a holiday and a swapped Sunday, three shifts, odd appeals."""
    filled_once(kept, lambda: fill(settings, sherzod))


def fill(settings: Settings, sherzod: User) -> None:
    demo.load(of_site(settings, FIRST, LAST), 900, seed=21)
    for day, working in ((7, False), (11, True)):
        CalendarDay.create(
            date=dt.date(2026, 10, day),
            kind="moved",
            working=working,
            name_uz_latn="Koʻchirilgan kun",
            name_uz_cyrl="Кўчирилган кун",
        )
    for opens, closes in (("08:00", "14:00"), ("14:00", "20:00")):
        staff_records.add_shift(opens, closes, FIRST, sherzod.login)
    appeals.begin_missing(catalogs.working_calendar(settings))
    some = [appeal.id for appeal in Appeal.select(Appeal.id).limit(9)]
    Appeal.update(region=None, direction="").where(Appeal.id << some).execute()
    for days, state in ((3, "answered"), (40, "answered"), (None, "closed")):
        one = Handling.get(Handling.state == "registered")
        Handling.update(
            state=state, is_open=False,
            answered_on=days and one.registered_on + dt.timedelta(days=days),
        ).where(Handling.appeal == one.appeal_id).execute()  # fmt: skip
    tariffs.add("inbound", "minute", 12_050, dt.date(2026, 1, 1), by="x")
    for day, last in ((8, 9), (14, None)):  # the one for all holds before, between
        until = last and dt.date(2026, 10, last)
        holds = {"trunk": "e1", "valid_to": until}
        tariffs.add("inbound", "second", 9_000 + day, dt.date(2026, 10, day), by="x", **holds)
    tariffs.add("outbound", "call", 30_000, dt.date(2026, 10, 6), by="x")
    followups.rebuild()
    missed = FollowUp.select().where(FollowUp.closed_at.is_null()).first()
    tried = missed.missed_at + dt.timedelta(hours=1)
    Call.create(
        id="in-vain", direction="outbound", arrived_at=tried, ended_at=tried, stage="ended",
        callee=missed.number, outcome="no_answer", trunk="e1",
    )  # fmt: skip
    followups.rebuild()


def figures(page: str) -> list[tuple[str, int]]:
    """Where each figure leads, and the figure."""
    found = re.findall(rf'href="(/(?:analytics/calls|appeals)\?[^"]+)">{COUNT}</a>', page)
    return [(unescape(address), number(text)) for address, text in found]


def number(text: str) -> int:
    return int(text.replace("\u00a0", ""))


def listed(browser: Browser, address: str) -> int:
    """How many the list at an address has."""
    page = browser.get(address).text
    if address.startswith("/analytics"):
        return number(re.search(rf'<span class="count">{COUNT}</span>', page)[1])
    rows = len(re.findall('<(?:tr|li) id="row-', page))
    several = re.search(rf"1 / \d+ · {COUNT}</span>", page)
    return number(several[1]) if several else rows


@pytest.mark.parametrize(
    ("report", "least"),
    [
        ("/reports?month=2026-10", 40),
        ("/reports/quarterly?quarter=2026-Q4", 11),
        ("/minutes?month=2026-10", 6),
    ],
)
@pytest.mark.parametrize("who", ["ministry", "manager"])
def test_every_figure_opens_what_it_counts(busy, login_as, report, least, who) -> None:
    browser = login_as(who)
    found = figures(browser.get(report).text)
    assert len(found) >= least
    assert {address: listed(browser, address) for address, _ in found} == dict(found)


def test_the_list_says_which_calls_it_shows(busy, login_as) -> None:
    browser = login_as("manager")
    days = "from=01.10.2026&to=31.10.2026"
    page = browser.get(f"/appeals?all=1&{days}&weekday=1&work=outside").text
    assert "01.10.2026–31.10.2026, Dushanba, ish vaqtidan tashqari" in page
    page = browser.get(f"/analytics/calls?{days}&time=!08:00-14:00,14:00-20:00").text
    assert "08:00–14:00, 14:00–20:00 dan tashqari" in page


def test_outgoing_calls_are_a_list_and_no_part_of_the_telephony_report(busy, login_as) -> None:
    browser = login_as("manager")
    days = "from=01.10.2026&to=31.10.2026"
    assert browser.get(f"/analytics/calls?{days}&direction=inbound").status_code == 200
    plain, asked = (
        re.findall(rf">{COUNT}</a>", browser.get(f"/analytics?{days}{more}").text)
        for more in ("", "&direction=outbound")
    )
    assert plain == asked


OCTOBER = "from=01.10.2026&to=31.10.2026"
WEEK = "from=05.10.2026&to=11.10.2026&weekday=1"
STATISTICS = "/appeals/statistics?since=01.10.2026&until=31.12.2030"
PAGES = [
    "/reports?month=2026-10",
    "/reports/quarterly?quarter=2026-Q4",
    "/minutes?month=2026-10",
    *(f"/analytics?{OCTOBER}&by={tab}" for tab in TABS),
    f"/capacity?{WEEK}",
    "/followups",
    "/followups?show=closed",
    "/reports/issued",
    STATISTICS,
]
# what leads nowhere: means, rates and lengths whose counts stand beside them, and what is no call
NO_CALLS = {
    "/analytics": {
        *("Javob vaqti, s", "Oʻrtacha suhbat", "Xizmat darajasi 80/20"),  # beside the tiles' counts
        "Xizmat darajasi, %",  # at several thresholds: the counts are in the table of waits
        "Raqamlar",  # numbers that called so often; their calls stand beside
        *("Tanaffuslar", "Tushlik", "Dam olish", "Jami tanaffus"),  # pauses of an operator
        *("Tayyor", "shundan suhbatda"),  # his time in other states
    },
    "/capacity": {  # what Erlang's formulas make of the calls, lengths, people
        *("Bir vaqtdagi eng koʻp qoʻngʻiroq", "Eng koʻp kerakli operatorlar", "Kerakli kanallar"),
        *(
            "Kuniga 1\u00a0250 qoʻngʻiroqda",
            "Oʻrtacha xizmat vaqti",
            "Kutishga chidash vaqti",
        ),
        *("Javob vaqti uchun operatorlar", "Xizmat darajasi uchun operatorlar", "Smenada"),
        "Kuniga 1250 qoʻngʻiroqda operatorlar",
    },
    "/minutes": {"Narxi, soʻm"},  # of the tariffs
    "/reports": {"№"},
    "/reports/quarterly": {"Idoraviy aloqa markazlari operatorlari soni"},  # people
}


def test_a_figure_without_its_list_has_a_reason(busy, login_as) -> None:
    browser = login_as("manager")
    found: dict[str, set[str]] = {}
    for page in PAGES:
        path = page.partition("?")[0]
        for figure in pieces.figures(browser.get(page).text):
            if not figure.address and (figure.is_count or not figure.neighbours):
                found.setdefault(path, set()).add(figure.name)
    assert found == NO_CALLS


@pytest.mark.parametrize(
    "page",
    [
        "/reports?month=2026-10",
        "/reports/quarterly?quarter=2026-Q4",
        "/analytics?from=03.10.2026&to=17.10.2026",
        "/minutes?month=2026-10",
    ],
)
def test_what_the_balance_sums_opens_its_calls(busy, login_as, page) -> None:
    some = [call.id for call in Call.select(Call.id).where(Call.direction == "inbound").limit(4)]
    Call.update(synthetic=True).where(Call.id << some).execute()
    browser = login_as("manager")
    line = browser.get(page).text.split('<p class="balance">')[1].split("</p>")[0]
    sums = [
        (unescape(address), number(re.search(r"\d[\d\u00a0]*", told)[0]))
        for address, told in re.findall(r'href="([^"]+)">([^<]+)</a>', line)
    ]
    assert len(sums) > 4
    assert sums[0][1] == sum(count for _, count in sums[1:])
    assert {address: listed(browser, address) for address, _ in sums} == dict(sums)


@pytest.mark.parametrize("page", ["/followups", STATISTICS])
def test_the_lists_behind_other_pages(busy, login_as, page) -> None:
    browser = login_as("manager")
    counts = [one for one in pieces.figures(browser.get(page).text) if one.is_count]
    found = {figure.address: number(figure.text) for figure in counts[:12]}
    assert len(found) > 1
    assert {address: listed(browser, address) for address in found} == found


def test_a_half_hour_opens_its_calls(busy, login_as) -> None:
    browser = login_as("manager")
    halves = [f for f in pieces.figures(browser.get(f"/capacity?{WEEK}").text) if f.address]
    assert len(halves) > 9
    for half in halves[:9]:  # of a week: the mean of one Monday
        assert half.text == f"{listed(browser, half.address)},0"


def test_an_issued_report_leads_to_its_figures(settings, login_as) -> None:
    browser = login_as("ministry")
    for name, last, leads in (
        ("monthly", 31, "/reports?month=2026-10&upto=31.10.2026"),
        ("quarterly", 31, "/reports/quarterly?quarter=2026-Q4&upto=31.10.2026"),
        ("daily", 1, "/analytics?from=01.10.2026&to=01.10.2026"),
    ):
        made = IssuedReport.create(
            name=name, first=dt.date(2026, 10, 1), last=dt.date(2026, 10, last), edition=1,
            issued_at=clock.now(), by="jobs", formulas="1", cells={},
        )  # fmt: skip
        page = unescape(browser.get(f"/reports/issued/{made.id}").text)
        assert f'href="{leads}"' in page
        assert browser.get(leads).status_code == 200


def test_the_ministry_is_led_to_no_card_that_it_may_not_open(busy, login_as, bahodir) -> None:
    browser = login_as("ministry")
    address = f"/analytics/calls?{OCTOBER}&outcome=answered"
    assert 'href="/calls/' not in browser.get(address).text
    recordings.allow(bahodir, True, "x")
    cards = re.findall(r'href="(/calls/[^"]+)"', browser.get(address).text)
    assert 0 < len(cards) < 50
    assert {browser.get(card).status_code for card in cards} == {200}
