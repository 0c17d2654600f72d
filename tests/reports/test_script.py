"""Typed Uzbek in the script of the report; text that is not Uzbek stays as typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core import script
from appliance.core.settings import Settings
from appliance.reports import monthly, periods
from tests.reports.ledger_world import TZ, World


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Subsidiya olish tartibi soʻralgan", "Субсидия олиш тартиби сўралган"),
        ("Gʻulomov O'tkir, Bandlik boʻlimi", "Ғуломов Ўткир, Бандлик бўлими"),
        ("Is'hoqov As’ad, sanʼat", "Исъҳоқов Асъад, санъат"),
        ("Yelena Yusupova, elektr, poyezd", "Елена Юсупова, электр, поезд"),
        ("JSHSHIR va PINFL, CHORTOQ", "ЖШШИР ва ПИНФЛ, ЧОРТОҚ"),
        ("Qoʻngʻiroq qildi, qo'ng'iroq, QOʻNGʻIROQ", "Қўнғироқ қилди, қўнғироқ, ҚЎНҒИРОҚ"),
        ("Mehnat inspeksiyasi, aksiya", "Меҳнат инспекцияси, акция"),
        ("KONSULTATSIYA, obyektlar", "КОНСУЛЬТАЦИЯ, объектлар"),
        ("Stansiyada, STANSIYA", "Станцияда, СТАНЦИЯ"),
        ("Hujjatsiz, MUDDATSIZ: aytsa, ketsak", "Ҳужжатсиз, МУДДАТСИЗ: айтса, кетсак"),
        ("Aytsin, aytsinlar; konstitutsiya", "Айтсин, айтсинлар; конституция"),
        ("Litsenziya, sotsial, skeptitsizm", "Лицензия, социал, скептицизм"),
        ("II chorak, sentabr, Sentabrda", "II чорак, сентябрь, Сентябрда"),
        ("2-guruh nogironi, 5-mavze", "2-гуруҳ ногирони, 5-мавзе"),
        ("AA1234567 raqamli hujjat", "AA1234567 рақамли ҳужжат"),
        ("HTTPS://mehnat.uz saytida", "HTTPS://mehnat.uz сайтида"),
        ("info@mehnat.uz ga yozilgan", "info@mehnat.uz га ёзилган"),
        ("«Marvarid Textile» korxonasi", "«Marvarid Textile» корхонаси"),
        ("Windows oʻrnatilgan kompyuter yoʻq", "Windows ўрнатилган компьютер йўқ"),
        ("Ssenariy, kvitansiya, filtr, modul", "Сценарий, квитанция, фильтр, модуль"),
        ("Kalendarda, kabeli, avtomobillar", "Календарда, кабели, автомобиллар"),
        ("Intervyu, sement, sentner, rayoni", "Интервью, цемент, центнер, райони"),
        ("Rol oʻynadi, rolik; sirk, sirka", "Роль ўйнади, ролик; цирк, сирка"),
        ("Umid MChJ, YaTT Aliyev", "Умид МЧЖ, ЯТТ Алиев"),
        ("F.I.Sh., I bosqich", "Ф.И.Ш., I босқич"),
        ("MAʼLUMOT, TAʼLIM, Maʼlumot", "МАЪЛУМОТ, ТАЪЛИМ, Маълумот"),
        ("Ishchi, ISHCHILAR, boshchilik", "Ишчи, ИШЧИЛАР, бошчилик"),
        ("sher.legal saytida", "sher.legal сайтида"),
        ("Call back the customer please", "Call back the customer please"),
        ("Не выплачена зарплата за 2 месяца", "Не выплачена зарплата за 2 месяца"),
        ("Ўқиш қачон бошланади?", "Ўқиш қачон бошланади?"),
        ("-2+3+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0"),
        ("", ""),
    ],
)
def test_typed_text_is_transliterated_for_cyrillic_reports(typed: str, expected: str) -> None:
    assert script.transliterate_for_locale(typed, "uz_Cyrl") == expected
    assert script.transliterate_for_locale(typed, "ru") == expected
    assert script.transliterate_for_locale(typed, "uz_Latn") == typed


def test_quoted_speech_is_transliterated_and_quoted_names_are_not() -> None:
    typed = "«Nega soʻraysiz?» desa, “Windows” emas"
    assert (
        script.transliterate_for_locale(typed, "uz_Cyrl", include_quotes=True)
        == "«Нега сўрайсиз?» деса, “Windows” эмас"
    )


@given(st.text())
def test_any_text_can_be_transliterated(text: str) -> None:
    transliterated = script.transliterate_for_locale(text, "uz_Cyrl")
    assert script.transliterate_for_locale(text, "uz_Latn") == text
    assert bool(transliterated.strip()) == bool(text.strip())


@given(st.text(st.sampled_from("абвгдеёжзийклмнопрстуфхцчшъьэюяўқғҳ ,.-«»№0123456789")))
def test_cyrillic_text_is_not_changed(text: str) -> None:
    assert script.transliterate_for_locale(text, "uz_Cyrl") == text


def test_table_5_is_in_the_script_of_the_report(
    site: Settings, world: World, new_year: None
) -> None:
    issue, contact = "Subsidiya olish tartibi", "Rahimov Sherzod, «Baraka Group»"
    texts = {"consultation_issue": issue, "consultation_contact": contact}
    world.add_appeal("7 10:00:00", "1710", "other", consultation=True, **texts)
    december = periods.parse_month("2026-12", TZ)
    cyrillic, latin = (
        monthly.build_monthly_report(site, december, name) for name in ("uz_Cyrl", "uz_Latn")
    )
    assert "<td>Субсидия олиш тартиби</td><td>Раҳимов Шерзод, «Baraka Group»</td>" in (
        monthly.as_page(cyrillic)
    )
    assert f"<td>{issue}</td><td>{contact}</td>" in monthly.as_page(latin)
    row = monthly.as_workbook(cyrillic).sheets[4].tables[0].rows[0]
    assert row[2:] == ("Субсидия олиш тартиби", "Раҳимов Шерзод, «Baraka Group»")
    json_row = monthly.as_json(cyrillic)["consultations"][0]  # for programs, as typed
    assert (json_row["issue"], json_row["contacted"]) == (issue, contact)


@pytest.mark.parametrize(
    ("typed", "latin"),
    [
        ("Ўзбекистон фуқаролари, ҒАЛАБА", "Oʻzbekiston fuqarolari, GʻALABA"),
        ("Маъно, исҳоқ, меҳнат, кўчиш", "Maʼno, isʼhoq, mehnat, koʻchish"),
        ("Акция, СТАНЦИЯ, конституция", "Aksiya, STANSIYA, konstitutsiya"),
        ("ОБЪЕКТИ, паролни, сентябрда, Январь", "OBYEKTI, parolni, sentabrda, Yanvar"),
        ("ЎРҚ-445-сон, PDF файл, 15 кун", "OʻRQ-445-son, PDF fayl, 15 kun"),
        ("Lotin matni oʻzgarmaydi", "Lotin matni oʻzgarmaydi"),
    ],
)
def test_cyrillic_uzbek_is_transliterated_to_latin(typed: str, latin: str) -> None:
    assert script.transliterate_to_latin(typed) == latin
