"""The texts of the reports: complete in every language, and literally those of the ministry."""

import dataclasses
import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.core.i18n import LOCALES
from appliance.reports import report_texts
from appliance.telephony import calls
from appliance.telephony.calls import INBOUND_CODES, outcomes

CYRILLIC_LETTERS, LATIN_LETTERS = "[\u0400-\u04ff]", "[A-Za-z]"


def texts_by_place(value: Any) -> Iterator[tuple[str, str]]:
    """Yield every text with its place."""

    def walk_values(place: str, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from walk_values(f"{place}.{key}", inner)
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                yield from walk_values(f"{place}.{number}", inner)

    yield from walk_values("", dataclasses.asdict(value))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_an_outcome_without_a_report_text_has_the_name_used_on_pages(monkeypatch) -> None:
    new = outcomes.Outcome("new", "Missed")
    monkeypatch.setattr(calls, "INBOUND_OUTCOMES", (*calls.INBOUND_OUTCOMES, new))
    report_texts.load_texts.cache_clear()
    try:
        assert report_texts.load_texts("ru").balance.outcomes["new"] == "{count} «Пропущено»"
    finally:
        report_texts.load_texts.cache_clear()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_exists_with_the_same_placeholders(locale: str) -> None:
    locale_texts, model = (
        dict(texts_by_place(report_texts.load_texts(locale))),
        dict(texts_by_place(report_texts.load_texts("uz_Cyrl"))),
    )
    assert locale_texts.keys() == model.keys()
    for place, text in locale_texts.items():
        assert text.strip(), place
        if "heading" not in place:
            assert placeholders(text) == placeholders(model[place]), place
    assert set(report_texts.load_texts(locale).balance.outcomes) == {*INBOUND_CODES, "open"}
    assert (
        len(report_texts.load_texts(locale).weekdays),
        len(report_texts.load_texts(locale).months),
    ) == (7, 12)


@pytest.mark.parametrize(
    ("locale", "foreign"),
    [("uz_Cyrl", LATIN_LETTERS), ("ru", LATIN_LETTERS), ("uz_Latn", CYRILLIC_LETTERS)],
)
def test_no_text_is_in_another_script(locale: str, foreign: str) -> None:
    for place, text in texts_by_place(report_texts.load_texts(locale)):
        if place != ".language":
            assert not re.search(foreign, re.sub(r"\{\w+\}|Telegram Bot", "", text)), place


def test_uzbek_latin_has_no_typewriter_apostrophe() -> None:
    assert not [
        text
        for _, text in texts_by_place(report_texts.load_texts("uz_Latn"))
        if re.search("['‘’`]", text)
    ]


def test_the_form_has_the_wording_of_the_ministry() -> None:
    form = report_texts.load_texts("uz_Cyrl").monthly
    title, kind = (" ".join(part.split()) for part in form.heading)
    assert title.format(year=2026, month="октябрь", day=20) == (
        "Камбағалликни қисқартириш ва бандлик вазирлигининг ишонч рақамларига 2026 йил октябрь "
        "ойининг 20-санасига қадар келиб тушган мурожаатлар тўғрисида"
    )
    assert kind == "МАЪЛУМОТ"
    assert [
        " ".join(text.split())
        for text in (
            form.appeals_by_weekday,
            form.calls_by_weekday,
            form.by_region,
            form.by_direction,
            form.consultations,
        )
    ] == [
        "Мурожаатларнинг иш вақти ва иш вақтидан ташқари келиб тушганлик ҳолати",
        "Қўнғироқларнинг иш вақти ва иш вақтидан ташқари келиб тушганлик ҳолати",
        "Мурожаатларнинг ҳудудлар кесимида таҳлили",
        "Келиб тушган мурожаатларнинг йўналишлари кесимида статистикаси",
        "Мутахассис томонидан консультация сўраб қилинган мурожаатлар рўйхати",
    ]
