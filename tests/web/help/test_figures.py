"""The page that explains the figures, and the links that lead to it."""

import datetime as dt
import io
import re

import pypdf
import pytest

from appliance import demo
from appliance.core import i18n
from appliance.core.i18n import LOCALES
from appliance.demo.world import of_site
from appliance.reports import files
from appliance.reports.telephony.words import FIGURES
from appliance.telephony.calls.outcomes import INBOUND
from appliance.web.help import figures

DAYS = "from=01.10.2026&to=07.10.2026"
LINK = re.compile(r'href="/help/figures#([\w-]+)"')


@pytest.fixture
def history(settings):
    """A week of calls, as the demonstration makes it."""
    demo.load(of_site(settings, dt.date(2026, 10, 1), dt.date(2026, 10, 7)), 200, seed=3)


def anchors() -> set[str]:
    return set(re.findall(r'<a id="([\w-]+)">', figures.body("uz_Latn")))


def words(locale: str) -> str:
    """What a reader sees, but for the codes."""
    return re.sub(r"<code>\w+</code>|<[^>]+>", " ", figures.body(locale))


@pytest.mark.parametrize("locale", LOCALES)
def test_the_page_is_in_the_readers_language_and_leads_to_each_figure(locale, login_as) -> None:
    browser = login_as("supervisor")
    browser.send("/account/language", language=locale)
    page = browser.get("/help/figures").text
    assert figures.body(locale) in page
    assert set(re.findall(r'<a href="#(\w+)">', page)) <= anchors()
    assert page.count("<h1>") == 1
    assert "<table>" in page
    assert "&lt;a id" not in page


@pytest.mark.parametrize("locale", LOCALES)
def test_figures_and_outcomes_are_named_as_on_pages(locale) -> None:
    name = i18n.translations(locale).gettext
    headings = dict(re.findall(r'<h3><a id="(\w+)"></a>(.+?)</h3>', figures.body(locale)))
    for code, message in FIGURES.items():
        assert headings[code].removesuffix(" (ASA)") == name(message)
    rows = re.findall(r"<td><code>(\w+)</code> – (.+?)</td>", figures.body(locale))
    assert rows == [(outcome.code, name(outcome.name)) for outcome in INBOUND]


@pytest.mark.parametrize("locale", LOCALES)
def test_no_english_is_left(locale) -> None:
    assert not re.search(r"\b(the|of|and|is|are|call|calls|not)\b", words(locale), re.IGNORECASE)


@pytest.mark.parametrize("locale", ["uz_Cyrl", "ru"])
def test_a_cyrillic_page_has_cyrillic_words(locale) -> None:
    assert set(re.findall(r"[A-Za-zʻʼ]+", words(locale))) == {
        "AHT",
        "API",
        "ASA",
        "Asia",
        "Tashkent",
    }


def test_html_of_the_text_is_shown_as_text(tmp_path, monkeypatch) -> None:
    (tmp_path / "figures.ru.md").write_text(
        '# Title\n\n### <a id="talk"></a>Talk\n\n'
        "<script>alert(1)</script>\n\nx <img src=x onerror=alert(1)> [y](javascript:alert(1))\n"
    )
    monkeypatch.setattr(figures, "TEXTS", tmp_path)
    made = figures.body.__wrapped__("ru")
    assert '<h3><a id="talk"></a>Talk</h3>' in made
    assert "<script" not in made
    assert "<img" not in made
    assert 'href="javascript' not in made


@pytest.mark.parametrize("by", ["topic", "queue", "wait", "workload", "states"])
def test_headings_of_the_telephony_report_lead_to_their_figures(by, login_as, history) -> None:
    page = login_as("supervisor").get(f"/analytics?{DAYS}&by={by}").text
    led = LINK.findall(page)
    assert {"incoming", "accepted", "missed", "answer_speed", "service_level", "rating"} <= set(led)
    assert set(led) <= anchors()


def test_headings_of_the_floor_lead_to_their_figures(login_as) -> None:
    led = LINK.findall(login_as("supervisor").get("/floor").text)
    assert led == ["answer_speed", "service_level", "accepted", "missed"]


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("monthly", {"missed", "answer_speed", "service_level", "abandon_rate", "marks"}),
        ("telephony", {"missed", "answer_speed", "talk_total", "share", "occupancy"}),
    ],
)
def test_a_paper_leads_to_the_figures(name, some, settings, history) -> None:
    period = files.FORMS[name].period("2026-10", settings.tz, None)
    made = files.build(name, settings, period, "ru")
    paper = pypdf.PdfReader(io.BytesIO(files.render(name, made, "pdf")))
    links = [
        note.get_object()["/A"]["/URI"]
        for page in paper.pages
        for note in page.get("/Annots", [])
        if "/A" in note.get_object()
    ]
    start = f"{settings.web.url}/help/figures#"
    led = {link.removeprefix(start) for link in links if link.startswith(start)}
    assert some <= led <= anchors()
