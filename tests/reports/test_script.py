"""Typed Uzbek in the paper's script; what has no Uzbek spelling stays as typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core import script
from appliance.core.settings import Settings
from appliance.reports import monthly, periods
from tests.reports.ledger_world import TZ, World


@pytest.mark.parametrize(
    ("typed", "written"),
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
        ("Call back the customer please", "Call back the customer please"),
        ("Не выплачена зарплата за 2 месяца", "Не выплачена зарплата за 2 месяца"),
        ("Ўқиш қачон бошланади?", "Ўқиш қачон бошланади?"),
        ("-2+3+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0"),
        ("", ""),
    ],
)
def test_what_was_typed(typed: str, written: str) -> None:
    assert script.written(typed, "uz_Cyrl") == written
    assert script.written(typed, "ru") == written
    assert script.written(typed, "uz_Latn") == typed


def test_what_is_said_in_quotes_is_rewritten_where_it_is_no_name() -> None:
    said = "«Nega soʻraysiz?» desa, “Windows” emas"
    assert script.written(said, "uz_Cyrl", quotes=True) == "«Нега сўрайсиз?» деса, “Windows” эмас"


@given(st.text())
def test_nothing_typed_is_too_odd_and_cyrillic_stays(text: str) -> None:
    once = script.written(text, "uz_Cyrl")
    assert script.written(text, "uz_Latn") == text
    assert bool(once.strip()) == bool(text.strip())


@given(st.text(st.sampled_from("абвгдеёжзийклмнопрстуфхцчшъьэюяўқғҳ ,.-«»№0123456789")))
def test_cyrillic_is_left_alone(text: str) -> None:
    assert script.written(text, "uz_Cyrl") == text


def test_table_5_is_in_the_papers_script(site: Settings, world: World, new_year: None) -> None:
    issue, contact = "Subsidiya olish tartibi", "Rahimov Sherzod, «Baraka Group»"
    known = {"consultation_issue": issue, "consultation_contact": contact}
    world.appeal("7 10:00:00", "1710", "other", consultation=True, **known)
    december = periods.month("2026-12", TZ)
    cyrillic, latin = (monthly.build(site, december, name) for name in ("uz_Cyrl", "uz_Latn"))
    assert "<td>Субсидия олиш тартиби</td><td>Раҳимов Шерзод, «Baraka Group»</td>" in (
        monthly.as_page(cyrillic)
    )
    assert f"<td>{issue}</td><td>{contact}</td>" in monthly.as_page(latin)
    row = monthly.as_book(cyrillic).sheets[4].tables[0].rows[0]
    assert row[2:] == ("Субсидия олиш тартиби", "Раҳимов Шерзод, «Baraka Group»")
    told = monthly.as_json(cyrillic)["consultations"][0]  # for machines, as typed
    assert (told["issue"], told["contacted"]) == (issue, contact)


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
def test_uzbek_in_cyrillic_becomes_latin(typed: str, latin: str) -> None:
    assert script.latin(typed) == latin
