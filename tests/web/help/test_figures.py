"""The page that explains the figures, and the links to it."""

import datetime as dt
import io
import re

import pypdf
import pytest

from appliance import demo
from appliance.core import i18n
from appliance.core.i18n import LOCALES
from appliance.demo.world import load_site_profile
from appliance.reports import files
from appliance.reports.telephony.labels import FIGURES
from appliance.telephony.calls.outcomes import INBOUND_OUTCOMES
from appliance.web.help import figures

DAYS_QUERY = "from=01.10.2026&to=07.10.2026"
FIGURE_LINK = re.compile(r'href="/help/figures#([\w-]+)"')


@pytest.fixture
def history(settings):
    """A week of synthetic calls."""
    demo.load_history(
        load_site_profile(settings, dt.date(2026, 10, 1), dt.date(2026, 10, 7)), 200, seed=3
    )


def help_anchors() -> set[str]:
    return set(re.findall(r'<a id="([\w-]+)">', figures.figures_html("uz_Latn")))


def visible_text(locale: str) -> str:
    """Return the text that a reader sees, without the codes."""
    return re.sub(r"<code>\w+</code>|<[^>]+>", " ", figures.figures_html(locale))


@pytest.mark.parametrize("locale", LOCALES)
def test_the_page_is_in_the_readers_language_and_links_to_each_figure(locale, login_as) -> None:
    browser = login_as("supervisor")
    browser.send("/account/language", language=locale)
    page = browser.get("/help/figures").text
    assert figures.figures_html(locale) in page
    assert set(re.findall(r'<a href="#(\w+)">', page)) <= help_anchors()
    assert page.count("<h1>") == 1
    assert "<table>" in page
    assert "&lt;a id" not in page


@pytest.mark.parametrize("locale", LOCALES)
def test_figures_and_outcomes_have_the_names_shown_on_pages(locale) -> None:
    name = i18n.locale_translations(locale).gettext
    headings = dict(re.findall(r'<h3><a id="(\w+)"></a>(.+?)</h3>', figures.figures_html(locale)))
    for code, message in FIGURES.items():
        assert headings[code].removesuffix(" (ASA)") == name(message)
    rows = re.findall(r"<td><code>(\w+)</code> – (.+?)</td>", figures.figures_html(locale))
    assert rows == [(outcome.code, name(outcome.name)) for outcome in INBOUND_OUTCOMES]


@pytest.mark.parametrize("locale", LOCALES)
def test_no_english_word_remains(locale) -> None:
    assert not re.search(
        r"\b(the|of|and|is|are|call|calls|not)\b", visible_text(locale), re.IGNORECASE
    )


@pytest.mark.parametrize("locale", ["uz_Cyrl", "ru"])
def test_a_cyrillic_page_has_cyrillic_words(locale) -> None:
    assert set(re.findall(r"[A-Za-zʻʼ]+", visible_text(locale))) == {
        "AHT",
        "API",
        "ASA",
        "Asia",
        "Tashkent",
    }


def test_html_in_the_source_text_is_escaped(tmp_path, monkeypatch) -> None:
    (tmp_path / "figures.ru.md").write_text(
        '# Title\n\n### <a id="talk"></a>Talk\n\n'
        "<script>alert(1)</script>\n\nx <img src=x onerror=alert(1)> [y](javascript:alert(1))\n"
    )
    monkeypatch.setattr(figures, "TEXTS_FOLDER", tmp_path)
    body = figures.figures_html.__wrapped__("ru")
    assert '<h3><a id="talk"></a>Talk</h3>' in body
    assert "<script" not in body
    assert "<img" not in body
    assert 'href="javascript' not in body


@pytest.mark.parametrize("by", ["topic", "queue", "wait", "workload", "states"])
def test_headings_of_the_telephony_report_link_to_their_figures(by, login_as, history) -> None:
    page = login_as("supervisor").get(f"/analytics?{DAYS_QUERY}&by={by}").text
    linked_figures = FIGURE_LINK.findall(page)
    assert {"incoming", "accepted", "missed", "answer_speed", "service_level", "rating"} <= set(
        linked_figures
    )
    assert set(linked_figures) <= help_anchors()


def test_headings_of_the_floor_link_to_their_figures(login_as) -> None:
    linked_figures = FIGURE_LINK.findall(login_as("supervisor").get("/floor").text)
    assert linked_figures == ["answer_speed", "service_level", "accepted", "missed"]


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("monthly", {"missed", "answer_speed", "service_level", "abandon_rate", "marks"}),
        ("telephony", {"missed", "answer_speed", "talk_total", "share", "occupancy"}),
    ],
)
def test_a_printed_report_links_to_the_figures(name, some, settings, history) -> None:
    period = files.FORMS[name].parse_period("2026-10", settings.tz, None)
    report = files.build_report(name, settings, period, "ru")
    paper = pypdf.PdfReader(io.BytesIO(files.render_file(name, report, "pdf")))
    links = [
        note.get_object()["/A"]["/URI"]
        for page in paper.pages
        for note in page.get("/Annots", [])
        if "/A" in note.get_object()
    ]
    start = f"{settings.web.url}/help/figures#"
    linked_figures = {link.removeprefix(start) for link in links if link.startswith(start)}
    assert some <= linked_figures <= help_anchors()
