"""What the gist of an appeal may contain when it leaves the country, and what it may not."""

import datetime as dt
import random
from typing import Any

import pytest

from appliance.messaging.notices import alert_subjects, gist
from appliance.models import Appeal

LETTERS = "aoʻ'’`ЎЁяYoʻldosheva 0123456789.,-–/()+…«»\u200b\U0001f600İßﬁ"


def build_appeal(text: str, **values: Any) -> Appeal:
    details = {
        "surname": "Yoʻldosheva",
        "first_name": "Gulchehra",
        "entity_name": "",
        "born_on": dt.date(1990, 1, 2),
        "passport": "AB1234567",
        "pinfl": "40201902050010",
        "stir": "",
        "registered_at": dt.datetime(2026, 11, 22, 7, tzinfo=dt.UTC),
    }
    return Appeal(**(details | values), gist=text)


def masked_gist(text: str, *, phones: bool = False, **values: Any) -> str:
    return gist.redact_person(
        alert_subjects.subject_of_appeal(build_appeal(text, **values)), phones=phones
    )


@pytest.mark.parametrize(
    "number",
    [
        "90.123.45.67",
        "90 - 123 - 45 - 67",
        "+998 (90) 123-45-67",
        "90/123/45/67",
        "90–123–45–67",
        "90 — 123 — 45 — 67",
        "90,123,45,67",
        "90_123_45_67",
        "90\u00a0123\u200945\u201167",
        "901234567",
        "4 020190 205 001 0",
        "40201902050010",
        "AB1234567",
        "AB 1234567",
        "АВ № 1234567",
    ],
)
def test_no_number_is_sent_in_any_spelling(number) -> None:
    assert masked_gist(f"Tel: {number} ga") == "Tel: … ga"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90 123 45 67", "90 123 45 67"),
        ("90/123/45/67, 935550147", "90/123/45/67, 935550147"),
        ("AB1234567", "…"),
        ("AD7654321", "…"),  # of another person
        ("1234567 pasport", "… pasport"),
        ("40201902050010, 90 123 45 67", "…, 90 123 45 67"),
        ("50101017000011", "…"),
        ("901234567 STIR", "… STIR"),
        ("90 123 45 12", "…"),
    ],
)
def test_with_phones_allowed_everything_else_is_masked(text, expected) -> None:
    documents = {"stir": "901234567"} if "STIR" in text else {}
    documents |= {"passport": "AB9012345"} if text.endswith("45 12") else {}
    assert masked_gist(text, phones=True, **documents) == expected


@pytest.mark.parametrize(
    "born",
    [
        *("02.01.1990", "2.1.1990", "02/01/1990", "02-01-1990", "1990-01-02", "02 01 1990"),
        *("02011990", "02.01.90", "2 yanvar 1990", "2-yanvar, 1990", "1990-yil 2-yanvar"),
        *("1990 йил 2 январь", "2 января 1990", "1990 года 2 января", "2 ЯНВАРЯ 1990"),
    ],
)
@pytest.mark.parametrize("phones", [False, True])
def test_the_birth_date_is_masked(born, phones) -> None:
    assert masked_gist(f"Arizachi {born} kuni", phones=phones) == "Arizachi … kuni"


@pytest.mark.parametrize(
    "text",
    [
        *("Muddat 30.11.2026 gacha", "01.11.2026 dan beri", "15-dekabr 2026 yilgacha"),
        *("2026-yil 15-dekabr", "20.11.2026 18:00 da", "3 oydan beri, 12-uy", "2020 yilda 3 ta"),
        *("Mening qizim 5 yoshda", "aliment, oliy taʼlim, oʻlim, gulzor", "Oʻgʻlim kasal"),
    ],
)
def test_text_without_personal_data_is_unchanged(text) -> None:
    assert masked_gist(text) == text
    assert masked_gist(text, phones=True) == text


def test_a_recent_birth_date_of_the_applicant_is_masked() -> None:
    assert masked_gist("10.11.2026 tugʻilgan", born_on=dt.date(2026, 11, 10)) == "… tugʻilgan"


@pytest.mark.parametrize(
    "name",
    [
        *("Yoʻldosheva Gulchehra", "gulchehra YO'LDOSHEVA", "Yo‘ldosheva", "Yo`ldosheva"),
        *("Yoldosheva", "Йўлдошева Гулчеҳра", "Юлдашева Гулчехра", "Юлдашевой Гулчехре"),
        *("Yoʻldoshevaning", "Йўлдошевадан", "Yoʻldosheva Gulchehra Anvarovna"),
        *("Yoʻldosheva Gulchehra Anvar qizi", "Гулчеҳра Анвар қизи", "Анваровна"),
    ],
)
def test_the_names_of_the_applicant_are_masked(name) -> None:
    assert masked_gist(f"Fuqaro {name}, nafaqa") == "Fuqaro …, nafaqa"


@pytest.mark.parametrize(
    ("surname", "first_name", "text", "expected"),
    [
        ("Ли", "Анна", "Анне Ли отказали", "… отказали"),
        ("Aliyev", "Ali", "Aliga aliment, Алиевдан", "… aliment, …"),
        ("Olimov", "Olim Karim oʻgʻli", "Karim oʻgʻli, oʻgʻlim", "… oʻgʻli, oʻgʻlim"),
        ("Abdu-Karimov", "J.", "Abdu-Karimov J., suv", "…-… J., suv"),
        ("Семёнов", "Пётр", "Семенову Петру", "…"),
        ("", "", "Suv yoʻq", "Suv yoʻq"),
        ("*.+(", "[", "Suv (yoʻq)", "Suv (yoʻq)"),
    ],
)
def test_short_unusual_and_missing_names_are_handled(surname, first_name, text, expected) -> None:
    assert masked_gist(text, surname=surname, first_name=first_name) == expected


@pytest.mark.parametrize(
    ("firm", "text", "expected"),
    [
        ('"Baraka Savdo" MChJ', "«Барака савдо»да savdo yoʻq", "«…»да savdo yoʻq"),
        ("Baraka Savdo", "Baraka Savdoning solig‘i", "… solig‘i"),
        ("YaTT Karimov Ali", "Ali Karimov solig‘i", "… solig‘i"),
        ("MChJ", "MChJ solig‘i", "MChJ solig‘i"),
    ],
)
def test_the_name_of_a_company_is_masked(firm, text, expected) -> None:
    assert masked_gist(text, entity_name=firm, surname="", first_name="") == expected


def test_masking_accepts_any_text() -> None:
    """Registering an appeal must not fail here, whatever its texts are."""
    dice = random.Random(3)  # noqa: S311
    for _ in range(300):
        typed = ["".join(dice.choices(LETTERS, k=dice.randrange(40))) for _ in range(4)]
        names = dict(zip(("surname", "first_name", "entity_name"), typed[1:], strict=True))
        for phones in (False, True):
            assert "Yoʻldosheva" not in masked_gist(f"{typed[0]} Yoʻldosheva", phones=phones)
            masked_gist(typed[0], phones=phones, **names, passport=typed[1], pinfl="", born_on=None)


@pytest.mark.parametrize(
    ("surname", "first_name", "text"),
    [
        ("Rakhimov", "Khasan", "Рахимов Хасан"),
        ("Dzhuraev", "Bakhtiyor", "Жўраев Бахтиёр"),
        ("Yuldashev", "Olim", "Yo'ldashov Olimjon"),
        ("Aliyev", "Vali", "Валижон"),
        ("Цой", "Виктор", "Цоя"),
        ("Karimov", "Андрей", "Андрея, Андрею, Андреем"),
        ("Karimov", "Николай", "Николаю Николаем"),
    ],
)
def test_transliterated_and_inflected_names_are_masked(surname, first_name, text) -> None:
    masked = masked_gist(text, surname=surname, first_name=first_name)
    assert set(masked) <= set("…, ")


def test_abbreviated_months_are_masked() -> None:
    assert masked_gist("2 yan. 1990 da") == "… da"


def test_masking_a_long_text_is_fast() -> None:
    text = "2000г" * 8_000  # a text for which a backtracking pattern would need minutes
    assert len(masked_gist(text)) < len(text)
