"""Every figure of forms №1 and №2 opens a list of as many calls or appeals as it shows."""

import datetime as dt
import re
from html import unescape
from pathlib import Path

import pytest

from appliance import demo
from appliance.casework import catalogs
from appliance.casework.appeals.handling import start_missing_handling
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.demo.world import load_site_profile
from appliance.models import Appeal, CalendarDay, Call, FollowUp, Handling, IssuedReport, User
from appliance.people import staff_records
from appliance.reports import tariffs
from appliance.telephony import followups, recordings
from appliance.web.reports.telephony import TABS
from tests.rig.browser import Browser
from tests.rig.once import fill_once
from tests.web.reports import page_figures

FIRST_DAY, LAST_DAY = dt.date(2026, 10, 3), dt.date(2026, 10, 17)
COUNT_PATTERN = r"([\d\u00a0]+)"


@pytest.fixture(scope="module")
def database_file(tmp_path_factory) -> Path:
    """The file in which the database of `busy` is stored."""
    return tmp_path_factory.mktemp("busy") / "site.db"


@pytest.fixture
def busy(settings, sherzod, database_file) -> None:
    """Two weeks of calls with a holiday and a swapped Sunday, three shifts, odd appeals."""
    fill_once(database_file, lambda: fill_database(settings, sherzod))


def fill_database(settings: Settings, sherzod: User) -> None:
    demo.load_history(load_site_profile(settings, FIRST_DAY, LAST_DAY), 900, seed=21)
    for day, working in ((7, False), (11, True)):
        CalendarDay.create(
            date=dt.date(2026, 10, day),
            kind="moved",
            working=working,
            name_uz_latn="Koʻchirilgan kun",
            name_uz_cyrl="Кўчирилган кун",
        )
    for opens, closes in (("08:00", "14:00"), ("14:00", "20:00")):
        staff_records.add_shift(opens, closes, FIRST_DAY, sherzod.login)
    start_missing_handling(catalogs.working_calendar(settings))
    some_ids = [appeal.id for appeal in Appeal.select(Appeal.id).limit(9)]
    Appeal.update(region=None, direction="").where(Appeal.id << some_ids).execute()
    for days, state in ((3, "answered"), (40, "answered"), (None, "closed")):
        handling = Handling.get(Handling.state == "registered")
        Handling.update(
            state=state, is_open=False,
            answered_on=days and handling.registered_on + dt.timedelta(days=days),
        ).where(Handling.appeal == handling.appeal_id).execute()  # fmt: skip
    tariffs.add_tariff("inbound", "minute", 12_050, dt.date(2026, 1, 1), by="x")
    for day, last_day in ((8, 9), (14, None)):  # before and between: the tariff for all trunks
        until = last_day and dt.date(2026, 10, last_day)
        holds = {"trunk": "e1", "valid_to": until}
        tariffs.add_tariff(
            "inbound", "second", 9_000 + day, dt.date(2026, 10, day), by="x", **holds
        )
    tariffs.add_tariff("outbound", "call", 30_000, dt.date(2026, 10, 6), by="x")
    followups.rebuild_tasks()
    missed = FollowUp.select().where(FollowUp.closed_at.is_null()).first()
    called_back_at = missed.missed_at + dt.timedelta(hours=1)
    Call.create(
        id="in-vain", direction="outbound", arrived_at=called_back_at, ended_at=called_back_at,
        stage="ended",
        callee=missed.number, outcome="no_answer", trunk="e1",
    )  # fmt: skip
    followups.rebuild_tasks()


def linked_figures(page: str) -> list[tuple[str, int]]:
    """Return each linked figure: the address of its link, and its value."""
    matches = re.findall(
        rf'href="(/(?:analytics/calls|appeals|call-forms)\?[^"]+)">{COUNT_PATTERN}</a>', page
    )
    return [(unescape(address), parse_number(text)) for address, text in matches]


def parse_number(text: str) -> int:
    return int(text.replace("\u00a0", ""))


def listed_count(browser: Browser, address: str) -> int:
    """Return how many rows the list at an address has."""
    page = browser.get(address).text
    if address.startswith("/analytics"):
        return parse_number(re.search(rf'<span class="count">{COUNT_PATTERN}</span>', page)[1])
    if address.startswith("/call-forms"):
        return parse_number(
            re.search(rf'</h1><span class="muted num">{COUNT_PATTERN}</span>', page)[1]
        )
    rows = len(re.findall('<(?:tr|li) id="row-', page))
    several = re.search(rf"1 / \d+ · {COUNT_PATTERN}</span>", page)
    return parse_number(several[1]) if several else rows


@pytest.mark.parametrize(
    ("report", "least"),
    [
        ("/reports?month=2026-10", 40),
        ("/reports/quarterly?quarter=2026-Q4", 11),
        ("/minutes?month=2026-10", 6),
    ],
)
@pytest.mark.parametrize("who", ["ministry", "manager"])
def test_every_figure_opens_as_many_rows_as_it_shows(busy, login_as, report, least, who) -> None:
    browser = login_as(who)
    linked = linked_figures(browser.get(report).text)
    assert len(linked) >= least
    assert {address: listed_count(browser, address) for address, _ in linked} == dict(linked)


def test_the_list_describes_its_filter(busy, login_as) -> None:
    browser = login_as("manager")
    days = "from=01.10.2026&to=31.10.2026"
    page = browser.get(f"/appeals?all=1&{days}&weekday=1&work=outside").text
    assert "01.10.2026–31.10.2026, Dushanba, ish vaqtidan tashqari" in page
    page = browser.get(f"/analytics/calls?{days}&time=!08:00-14:00,14:00-20:00").text
    assert "08:00–14:00, 14:00–20:00 dan tashqari" in page


def test_outgoing_calls_are_not_in_the_telephony_report(busy, login_as) -> None:
    browser = login_as("manager")
    days = "from=01.10.2026&to=31.10.2026"
    assert browser.get(f"/analytics/calls?{days}&direction=inbound").status_code == 200
    default_counts, outbound_counts = (
        re.findall(rf">{COUNT_PATTERN}</a>", browser.get(f"/analytics?{days}{more}").text)
        for more in ("", "&direction=outbound")
    )
    assert default_counts == outbound_counts


OCTOBER_QUERY = "from=01.10.2026&to=31.10.2026"
WEEK_QUERY = "from=05.10.2026&to=11.10.2026&weekday=1"
STATISTICS_PATH = "/appeals/statistics?since=01.10.2026&until=31.12.2030"
PAGE_PATHS = [
    "/reports?month=2026-10",
    "/reports/quarterly?quarter=2026-Q4",
    "/minutes?month=2026-10",
    *(f"/analytics?{OCTOBER_QUERY}&by={tab}" for tab in TABS),
    f"/capacity?{WEEK_QUERY}",
    "/followups",
    "/followups?show=closed",
    "/reports/issued",
    STATISTICS_PATH,
]
# figures without a link: means, rates and durations whose counts are next to them, and non-calls
UNLINKED_FIGURES = {
    "/analytics": {
        *("Javob vaqti, s", "Oʻrtacha suhbat", "Xizmat darajasi 80/20"),  # next to tiles' counts
        "Xizmat darajasi, %",  # at several thresholds: the counts are in the table of waits
        "Raqamlar",  # numbers that called that often; their calls are in the next column
        *("Tanaffuslar", "Tushlik", "Dam olish", "Jami tanaffus"),  # pauses of an operator
        *("Tayyor", "shundan suhbatda"),  # an operator's time in other states
    },
    "/capacity": {  # results of Erlang's formulas: calls, durations, people
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
    "/reports": {
        "№",
        # sums of the two columns next to them, whose totals and most rows are linked
        *(
            "Ish vaqtida kelib tushgan murojaatlar",
            "Ish vaqtidan tashqari kelib tushgan murojaatlar",
        ),
        *("Soni", "faqat №2 shakl"),
    },
    "/reports/quarterly": {"Idoraviy aloqa markazlari operatorlari soni"},  # people
}


def test_every_figure_without_a_list_has_a_reason(busy, login_as) -> None:
    browser = login_as("manager")
    unlinked: dict[str, set[str]] = {}
    for page in PAGE_PATHS:
        path = page.partition("?")[0]
        for figure in page_figures.extract_figures(browser.get(page).text):
            if not figure.address and (figure.is_count or not figure.neighbours):
                unlinked.setdefault(path, set()).add(figure.name)
    assert unlinked == UNLINKED_FIGURES


@pytest.mark.parametrize(
    "page",
    [
        "/reports?month=2026-10",
        "/reports/quarterly?quarter=2026-Q4",
        "/analytics?from=03.10.2026&to=17.10.2026",
        "/minutes?month=2026-10",
    ],
)
def test_each_term_of_the_balance_opens_its_calls(busy, login_as, page) -> None:
    synthetic_ids = [
        call.id for call in Call.select(Call.id).where(Call.direction == "inbound").limit(4)
    ]
    Call.update(synthetic=True).where(Call.id << synthetic_ids).execute()
    browser = login_as("manager")
    line = browser.get(page).text.split('<p class="balance">')[1].split("</p>")[0]
    sums = [
        (unescape(address), parse_number(re.search(r"\d[\d\u00a0]*", text)[0]))
        for address, text in re.findall(r'href="([^"]+)">([^<]+)</a>', line)
    ]
    assert len(sums) > 4
    assert sums[0][1] == sum(count for _, count in sums[1:])
    assert {address: listed_count(browser, address) for address, _ in sums} == dict(sums)


@pytest.mark.parametrize("page", ["/followups", STATISTICS_PATH])
def test_figures_of_other_pages_open_their_lists(busy, login_as, page) -> None:
    browser = login_as("manager")
    count_figures = [
        page_figure
        for page_figure in page_figures.extract_figures(browser.get(page).text)
        if page_figure.is_count
    ]
    count_of_address = {figure.address: parse_number(figure.text) for figure in count_figures[:12]}
    assert len(count_of_address) > 1
    assert {
        address: listed_count(browser, address) for address in count_of_address
    } == count_of_address


def test_a_half_hour_opens_its_calls(busy, login_as) -> None:
    browser = login_as("manager")
    halves = [
        f
        for f in page_figures.extract_figures(browser.get(f"/capacity?{WEEK_QUERY}").text)
        if f.address
    ]
    assert len(halves) > 9
    for half in halves[:9]:  # of a single week: the mean over one Monday
        assert half.text == f"{listed_count(browser, half.address)},0"


def test_an_issued_report_links_to_its_figures(settings, login_as) -> None:
    browser = login_as("ministry")
    for name, last, leads in (
        ("monthly", 31, "/reports?month=2026-10&upto=31.10.2026"),
        ("quarterly", 31, "/reports/quarterly?quarter=2026-Q4&upto=31.10.2026"),
        ("daily", 1, "/analytics?from=01.10.2026&to=01.10.2026"),
    ):
        report = IssuedReport.create(
            name=name, first=dt.date(2026, 10, 1), last=dt.date(2026, 10, last), edition=1,
            issued_at=clock.now(), by="jobs", formulas="1", cells={},
        )  # fmt: skip
        page = unescape(browser.get(f"/reports/issued/{report.id}").text)
        assert f'href="{leads}"' in page
        assert browser.get(leads).status_code == 200


def test_the_ministry_sees_links_only_to_cards_it_may_open(busy, login_as, bahodir) -> None:
    browser = login_as("ministry")
    address = f"/analytics/calls?{OCTOBER_QUERY}&outcome=answered"
    assert 'href="/calls/' not in browser.get(address).text
    recordings.set_personal_right(bahodir, True, "x")
    cards = re.findall(r'href="(/calls/[^"]+)"', browser.get(address).text)
    assert 0 < len(cards) < 50
    assert {browser.get(card).status_code for card in cards} == {200}
