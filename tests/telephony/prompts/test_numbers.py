"""Numbers, dates and waits as each language speaks them: the sounds, read back as words."""

import datetime as dt
import re

import pytest

from appliance.telephony import prompts
from appliance.telephony.prompts import numbers

NUMBER_TABLE = """
0         | nol                                          | ноль
1         | bir                                          | один
2         | ikki                                         | два
5         | besh                                         | пять
11        | oʻn bir                                      | одиннадцать
20        | yigirma                                      | двадцать
21        | yigirma bir                                  | двадцать один
22        | yigirma ikki                                 | двадцать два
99        | toʻqson toʻqqiz                              | девяносто девять
100       | bir yuz                                      | сто
101       | bir yuz bir                                  | сто один
112       | bir yuz oʻn ikki                             | сто двенадцать
340       | uch yuz qirq                                 | триста сорок
1000      | bir ming                                     | одна тысяча
1001      | bir ming bir                                 | одна тысяча один
2000      | ikki ming                                    | две тысячи
2026      | ikki ming yigirma olti                       | две тысячи двадцать шесть
5000      | besh ming                                    | пять тысяч
11000     | oʻn bir ming                                 | одиннадцать тысяч
21000     | yigirma bir ming                             | двадцать одна тысяча
104022    | bir yuz toʻrt ming yigirma ikki              | сто четыре тысячи двадцать два
1000000   | bir million                                  | один миллион
3000500   | uch million besh yuz                         | три миллиона пятьсот
-7        | minus yetti                                  | минус семь
"""
DATE_TABLE = """
2026-11-16 | ikki ming yigirma oltinchi yil oʻn oltinchi noyabr
           | шестнадцатого ноября две тысячи двадцать шестого года
2026-01-01 | ikki ming yigirma oltinchi yil birinchi yanvar
           | первого января две тысячи двадцать шестого года
2030-12-31 | ikki ming oʻttizinchi yil oʻttiz birinchi dekabr
           | тридцать первого декабря две тысячи тридцатого года
2000-02-20 | ikki minginchi yil yigirmanchi fevral
           | двадцатого февраля двухтысячного года
2011-03-22 | ikki ming oʻn birinchi yil yigirma ikkinchi mart
           | двадцать второго марта две тысячи одиннадцатого года
1999-05-03 | bir ming toʻqqiz yuz toʻqson toʻqqizinchi yil uchinchi may
           | третьего мая одна тысяча девятьсот девяносто девятого года
"""
WAIT_TABLE = """
1   | bir daqiqa             | одна минута
2   | ikki daqiqa            | две минуты
5   | besh daqiqa            | пять минут
11  | oʻn bir daqiqa         | одиннадцать минут
21  | yigirma bir daqiqa     | двадцать одна минута
22  | yigirma ikki daqiqa    | двадцать две минуты
101 | bir yuz bir daqiqa     | сто одна минута
112 | bir yuz oʻn ikki daqiqa | сто двенадцать минут
"""


def cases_of_table(table: str) -> list:
    """Return rows of value, Uzbek and Russian; a line that begins with a bar continues its row."""
    lines = re.sub(r"\n +\|", " |", table).strip().splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [
        pytest.param(row[0], language, row[column], id=f"{language}-{row[0]}")
        for row in rows
        for column, language in ((1, "uz"), (2, "ru"))
    ]


def spoken_text(names: list[str], language: str) -> str:
    """Return the text of the sounds; raises KeyError for a sound that does not exist."""
    return " ".join(prompts.default_texts(language)[name] for name in names)


@pytest.mark.parametrize(("value", "language", "expected"), cases_of_table(NUMBER_TABLE))
def test_numbers_are_spoken_in_each_language(value: str, language: str, expected: str) -> None:
    assert spoken_text(numbers.number_sounds(int(value), language), language) == expected


@pytest.mark.parametrize(("value", "language", "expected"), cases_of_table(DATE_TABLE))
def test_dates_are_spoken_in_each_language(value: str, language: str, expected: str) -> None:
    assert (
        spoken_text(numbers.date_sounds(dt.date.fromisoformat(value), language), language)
        == expected
    )


@pytest.mark.parametrize(("value", "language", "expected"), cases_of_table(WAIT_TABLE))
def test_waits_are_spoken_in_each_language(value: str, language: str, expected: str) -> None:
    assert spoken_text(numbers.minutes_sounds(int(value), language), language) == expected


def test_the_number_of_an_appeal_is_spoken_without_its_zeros() -> None:
    assert spoken_text(numbers.appeal_sounds("2026-000123", "uz"), "uz") == (
        "ikki ming yigirma olti bir yuz yigirma uch"
    )
    assert (
        spoken_text(numbers.appeal_sounds("2026-000001", "ru"), "ru")
        == "две тысячи двадцать шесть один"
    )


@pytest.mark.parametrize("language", prompts.LANGUAGES)
def test_all_days_and_small_numbers_have_their_sounds(language: str) -> None:
    sounds: set[str] = set()
    for value in range(10_000):
        sounds.update(numbers.number_sounds(value, language))
        sounds.update(numbers.number_sounds(value, language, "f"))
        sounds.update(numbers.minutes_sounds(value, language))
    for number in range(366 * 60):
        day = dt.date(1990, 1, 1) + dt.timedelta(number)
        sounds.update(numbers.date_sounds(day, language))
    assert sounds - set(prompts.default_texts(language)) == set()
