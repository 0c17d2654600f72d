"""The whole path: a citizen calls, the operator registers the appeal, the ministry reads it."""

import datetime as dt
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from appliance.core import sqlite
from provisioning.local import plans
from provisioning.local.phones import Handling
from provisioning.local.plans import Times
from tests.calls.hotline import Hotline
from tests.rig.chromium import WINDOW_SIZE
from tests.rig.waiting import wait_until

pytestmark = [pytest.mark.calls, pytest.mark.browser]
# The text typed in each language; the first letters of a list's entry, then Tab selects it.
TYPED_TEXTS = {
    "uz_Latn": ("Muroj", "Samarq", "Urgut", "Gʻuzar", "Ayol", "Vaqtin", "Subsid", "Lotincha"),
    "uz_Cyrl": ("Муро", "Самарқ", "Ургут", "Ғузар", "Аёл", "Вақтин", "Субсид", "Кириллча"),
    "ru": ("Обращ", "Самарк", "Ургут", "Гузар", "Женщ", "Времен", "субсид", "По-русски"),
}
# The subject of a consultation, as typed and as the Cyrillic paper prints it.
CONSULTATION_ISSUES = {
    "uz_Latn": ("Subsidiya soʻraldi", "Субсидия сўралди"),
    "uz_Cyrl": ("Субсидия ҳақида", "Субсидия ҳақида"),
    "ru": ("О субсидиях", "О субсидиях"),
}
EXPECTED_FIELDS = {
    "applicant_kind": "person",
    "appeal_type": "application",
    "call_type": "appeal",
    "group": "women",
    "employment": "temporarily_unemployed",
    "direction": "subsidies",
    "region_id": "1718",
    "district_id": "1718236",
    "first_name": "Gulchehra",
    "surname": "Yoʻldosheva",
    "address": "Navroʻz koʻchasi, 12-uy",
    "passport": "AB1234567",
    "pinfl": "40201902050010",
    "sex": "f",
    "born_on": "1990-01-02",
    "phone_at_hand": "+998935550147",
    "openness": "open",
    "consultation": 1,
}
LANGUAGE_TAGS = {"uz_Latn": "uz-Latn", "uz_Cyrl": "uz-Cyrl", "ru": "ru"}
type SignIn = Callable[[dict[str, str]], Page]
WEEKDAY_NAMES = ("Душанба", "Сешанба", "Чоршанба", "Пайшанба", "Жума", "Шанба", "Якшанба")


@pytest.fixture
def sign_in(chromium: Browser, hotline: Hotline) -> Iterator[SignIn]:
    """Signs in with an account in a new browser window; returns the page to which it leads."""
    windows: list[BrowserContext] = []

    def open_page(account: dict[str, str]) -> Page:
        windows.append(
            chromium.new_context(
                base_url=hotline.description["web"], ignore_https_errors=True, viewport=WINDOW_SIZE
            )
        )
        page = windows[-1].new_page()
        _submit_login(page, account)
        return page

    yield open_page
    for window in windows:
        window.close()


def _submit_login(page: Page, account: dict[str, str]) -> None:
    page.goto("/login")
    page.locator("[name=login]").fill(account["login"])
    page.locator("[name=password]").fill(account["password"])
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def choose_option(page: Page, name: str, value: str) -> None:
    page.locator(f"label:has([name={name}][value={value}])").click()


def pick_from_list(page: Page, name: str, letters: str) -> None:
    """Type the first letters and press Tab at once, as fast operators do."""
    box = page.locator(f"#f-{name}")
    box.click()
    box.press_sequentially(letters)
    box.press("Tab")
    expect(page.locator(f"[type=hidden][name={name}]")).not_to_have_value("")


def fill_form(page: Page, locale: str) -> None:
    """Fill in every field of form №1, as an operator would."""
    call_type, region, district, mahalla, group, employment, direction, gist = TYPED_TEXTS[locale]
    choose_option(page, "applicant_kind", "person")
    choose_option(page, "appeal_type", "application")
    page.locator("#f-first_name").fill("Gulchehra")
    page.locator("#f-surname").fill("Yoʻldosheva")
    pick_from_list(page, "call_type", call_type)
    pick_from_list(page, "region", region)
    pick_from_list(page, "district", district)
    page.locator("#f-mahalla").fill(mahalla)
    page.locator("#f-address").fill("Navroʻz koʻchasi, 12-uy")
    page.locator("#f-passport").fill("AB 1234567")
    page.locator("#f-pinfl").fill("40201902050010")
    choose_option(page, "sex", "f")
    page.locator("#f-born").fill("02.01.1990")
    pick_from_list(page, "group", group)
    page.locator("#f-phone_at_hand").fill("93 555 01 47")
    pick_from_list(page, "employment", employment)
    choose_option(page, "openness", "open")
    pick_from_list(page, "direction", direction)
    page.locator("#f-gist").fill(gist)
    page.locator("[name=consultation]").check()
    page.locator("[name=consultation_issue]").fill(CONSULTATION_ISSUES[locale][0])
    page.locator("[name=consultation_contact]").fill("Bandlik boshqarmasi, Sh. Qoʻchqorova")


# Other tests of the same site register calls on form №2 alone, which the report counts as well.
REQUESTS_QUERY = """SELECT region_id, direction FROM appeal UNION ALL
SELECT region_id, direction FROM call_form
WHERE call_type NOT IN ('silent', 'wrong_number', 'prank') AND NOT EXISTS
(SELECT 1 FROM appeal WHERE appeal.call_id = call_form.call_id)"""


def stored_appeals(hotline: Hotline) -> list[dict[str, object]]:
    """Return the rows of the table of appeals, oldest first."""
    return _select_rows(hotline, "SELECT * FROM appeal ORDER BY number")


def registered_requests(hotline: Hotline) -> list[dict[str, object]]:
    """Return region and direction of every request that report form №2 counts."""
    return _select_rows(hotline, REQUESTS_QUERY)


def _select_rows(hotline: Hotline, query: str) -> list[dict[str, object]]:
    with sqlite.connect(f"file:{hotline.description['database']}?mode=ro", uri=True) as database:
        database.row_factory = sqlite.Row
        rows = database.execute(query).fetchall()
    database.close()
    return [dict(row) for row in rows]


def test_a_call_is_registered_and_appears_in_the_ministrys_report(
    hotline: Hotline,
    sign_in: SignIn,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    operator, *other_operators = hotline.description["operators"]
    hotline.appliance(
        "operator", "off", *(other_operator["login"] for other_operator in other_operators)
    )
    hotline.appliance("operator", "pause", operator["login"])
    page = sign_in(operator)
    page.keyboard.press("F10")
    wait_until(lambda: f"{operator['login']} " in _ready_operators(hotline))
    earlier_rows = stored_appeals(hotline)  # of a first attempt
    # A second attempt calls from other numbers: the form of a known caller is filled in already.
    first_position = 5000 + 100 * getattr(request.node, "execution_count", 0)
    delays = {}
    numbers = []
    for position, locale in enumerate(TYPED_TEXTS):
        page.locator(f".lang [lang={LANGUAGE_TAGS[locale]}]").click()
        expect(page.locator("html")).to_have_attribute("lang", LANGUAGE_TAGS[locale])
        delays[locale], number = _register_call(
            hotline, page, locale, plans.caller_number(first_position + position)
        )
        numbers.append(number)
    with capsys.disabled():
        print("\nfrom ringing to the card:", {k: f"{v * 1000:.0f} ms" for k, v in delays.items()})
    assert len(set(numbers)) == 3
    rows = stored_appeals(hotline)[len(earlier_rows) :]
    assert [row["number"] for row in rows] == numbers
    for locale, row in zip(TYPED_TEXTS, rows, strict=True):
        assert EXPECTED_FIELDS.items() <= row.items()
        assert row["gist"] == TYPED_TEXTS[locale][-1]
        assert row["mahalla_id"]
    text = _report_text(sign_in(hotline.description["users"]["ministry"]), tmp_path)
    today = dt.datetime.now(dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=5)))
    requests = registered_requests(hotline)
    for name, column, code in (
        ("Самарқанд вилояти", "region_id", "1718"),
        ("Субсидиялар олиш бўйича", "direction", "subsidies"),
    ):
        count = sum(row[column] == code for row in requests)
        assert count >= 3
        assert re.search(rf"{name} +{count} +\d", text)
    weekday = WEEKDAY_NAMES[today.weekday()]
    inside, outside = re.findall(rf"{weekday} +(\d+) +\S+ +(\d+) +\S+", text)[0]
    assert int(inside) + int(outside) == len(requests)
    assert re.search(r"Хоразм вилояти +0 +0,0", text)
    for _, printed in CONSULTATION_ISSUES.values():
        assert re.search(rf"{today:%d.%m.%Y} +{printed}", text)
    assert re.search(r"фарқ 0(?!\d)", " ".join(_pdf_text(tmp_path / "report.pdf").split()))
    hotline.appliance("operator", "ready", *(o["login"] for o in hotline.description["operators"]))


def _ready_operators(hotline: Hotline) -> str:
    lines = hotline.appliance("operator", "list").splitlines()
    return "\n".join(line for line in lines if line.endswith("ready"))


def _register_call(hotline: Hotline, page: Page, locale: str, number: str) -> tuple[float, str]:
    """Register one real call; return (seconds from ringing to the card, appeal number)."""
    # The caller gives a rating, so the call is over as soon as the operator has hung up.
    caller = plans.rated(number, Times(stays=150.0))
    calls = hotline.place_calls([replace(caller, handling=Handling(ring=3.0, talk=None))])
    try:
        [ring] = wait_until(lambda: calls.current_reports()[0].rings)
        with hotline.phones.freeze_phones():  # the call rings until the page shows it
            page.wait_for_selector(".callbar[data-stage=ringing]", timeout=30_000)
        shown_at = time.time()
        page.wait_for_selector(".callbar[data-stage=talk]", timeout=10_000)
        expect(page.locator("#card-title")).to_contain_text(re.compile(r"90\s100\s5\d\s0\d"))
        expect(page.locator("#form[data-form='2'][data-ready]")).to_be_visible()
        page.locator("#f-operator_answer").fill("Yozib olindi")
        page.keyboard.press("F6")
        expect(page.locator("#form[data-form='1'][data-ready]")).to_be_visible()
        expect(page.locator("#f-phone")).to_have_value(re.compile(r"90 100 5\d 0\d|90 1005\d0\d"))
        fill_form(page, locale)
        page.keyboard.press("Control+Enter")
        shown_number = page.locator(".bignumber")  # of this appeal: toasts report others, too
        expect(shown_number).to_be_visible()
        appeal_number = re.fullmatch(r"\d{4}-\d{6}", shown_number.inner_text())
        assert appeal_number
        page.locator("#hang-up").click()
        reports = calls.wait_for_end(60)
    finally:
        calls.stop()
    row = hotline.settled_rows(reports)[number]
    assert row["registration"] == appeal_number[0]
    assert [registration["form"] for registration in row["registrations"]] == ["1", "2"]
    assert row["ended_by"] == "operator"
    return shown_at - ring.rang_at, appeal_number[0]


def _report_text(page: Page, folder: Path) -> str:
    """Return the text of the monthly report as the ministry's user downloads it."""
    page.goto("/reports")
    with page.expect_download() as download:
        page.get_by_role("button", name="PDF").click()
    paper = folder / "report.pdf"
    download.value.save_as(paper)
    return _pdf_text(paper, "-layout")


def _pdf_text(paper: Path, *options: str) -> str:
    command = ["pdftotext", *options, str(paper), "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
