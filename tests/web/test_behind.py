"""Every figure of forms №1 and №2 opens a list of as many calls or appeals as it says."""

import datetime as dt
import re
from html import unescape

import pytest

from appliance import appeals, catalogs, demo, staff_records
from appliance.demo.world import of_site
from appliance.models import Appeal, CalendarDay
from web.browser import Browser

FIRST, LAST = dt.date(2026, 10, 3), dt.date(2026, 10, 17)
COUNT = r"([\d\u00a0]+)"


@pytest.fixture
def busy(settings, sherzod) -> None:
    """Two weeks of calls with a holiday and a swapped Sunday, three shifts, odd appeals."""
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
    rows = page.count('<tr id="row-')
    several = re.search(rf"1 / \d+ · {COUNT}</span>", page)
    return number(several[1]) if several else rows


@pytest.mark.parametrize(
    ("report", "least"),
    [("/reports?month=2026-10", 40), ("/reports/quarterly?quarter=2026-Q4", 11)],
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
