"""The words of the papers: complete in every language, and the ministry's own to the letter."""

import dataclasses
import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.core.i18n import LOCALES
from appliance.reports import words
from appliance.telephony.calls import OUTCOMES, outcomes

CYRILLIC, LATIN = "[\u0400-\u04ff]", "[A-Za-z]"


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text with its place."""

    def walk(place: str, thing: Any) -> Iterator[tuple[str, str]]:
        if isinstance(thing, str):
            yield place, thing
        elif isinstance(thing, dict):
            for key, inner in thing.items():
                yield from walk(f"{place}.{key}", inner)
        elif isinstance(thing, list):
            for number, inner in enumerate(thing):
                yield from walk(f"{place}.{number}", inner)

    yield from walk("", dataclasses.asdict(value))


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_an_outcome_that_has_no_words_yet_is_called_as_on_pages(monkeypatch) -> None:
    new = outcomes.Outcome("new", "Missed")
    monkeypatch.setattr(outcomes, "INBOUND", (*outcomes.INBOUND, new))
    words.load.cache_clear()
    try:
        assert words.load("ru").balance.outcomes["new"] == "{count} «Пропущено»"
    finally:
        words.load.cache_clear()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_there_with_the_same_gaps(locale: str) -> None:
    ours, model = dict(texts(words.load(locale))), dict(texts(words.load("uz_Cyrl")))
    assert ours.keys() == model.keys()
    for place, text in ours.items():
        assert text.strip(), place
        if "heading" not in place:
            assert gaps(text) == gaps(model[place]), place
    assert set(words.load(locale).balance.outcomes) == {*OUTCOMES, "open"}
    assert (len(words.load(locale).weekdays), len(words.load(locale).months)) == (7, 12)


@pytest.mark.parametrize(
    ("locale", "foreign"), [("uz_Cyrl", LATIN), ("ru", LATIN), ("uz_Latn", CYRILLIC)]
)
def test_no_text_is_in_another_script(locale: str, foreign: str) -> None:
    for place, text in texts(words.load(locale)):
        if place != ".language":
            assert not re.search(foreign, re.sub(r"\{\w+\}|Telegram Bot", "", text)), place


def test_uzbek_latin_has_no_typewriter_apostrophe() -> None:
    assert not [text for _, text in texts(words.load("uz_Latn")) if re.search("['‘’`]", text)]


def test_the_form_is_the_ministrys() -> None:
    form = words.load("uz_Cyrl").monthly
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
