"""The sounds that announce a number, a date, a wait or an appeal's number, by language.

Pure functions with the grammar of each language. The sounds have the names that Asterisk's own Say
applications use, so that its announcements play the same files.
"""

import datetime as dt


def number_sounds(value: int, language: str, gender: str = "") -> list[str]:
    """Return the sounds of a whole number up to 999 999 999.

    `gender` is that of the counted noun: "f", "n" or "" (masculine); it matters in Russian only.
    """
    if value < 0:
        return ["digits/minus", *number_sounds(-value, language, gender)]
    return _russian_number(value, gender) if language == "ru" else _uzbek_number(value)


def ordinal_sounds(value: int, language: str) -> list[str]:
    """The sounds of a day or a year: "oltinchi", "шестого"; only the last word is an ordinal."""
    if language != "ru":
        *preceding, unit = _uzbek_number(value, split=True)
        return [*preceding, unit.replace("digits/", "digits/h-")]
    tail = next(
        value_of_tail
        for value_of_tail in (
            value % 100 if value % 100 <= 20 else value % 10,
            value % 100,
            value % 1000,
        )
        + (value,)
        if value_of_tail
    )
    preceding = _russian_number(value - tail) if value > tail else []
    return [*preceding, f"digits/h-{tail}"]


def date_sounds(day: dt.date, language: str) -> list[str]:
    """The sounds of a date: "2026-yil 16-noyabr", "16 ноября 2026 года"."""
    year = [*ordinal_sounds(day.year, language), "digits/year"]
    month = f"digits/mon-{day.month - 1}"
    if language == "ru":
        return [*ordinal_sounds(day.day, language), month, *year]
    return [*year, *ordinal_sounds(day.day, language), month]


def minutes_sounds(value: int, language: str) -> list[str]:
    """The sounds of a wait in minutes: "21 daqiqa", "двадцать одна минута"."""
    if language != "ru":
        return [*number_sounds(value, language), "digits/minute"]
    word = _plural_form(value, "digits/minute", "digits/minutes-i", "digits/minutes")
    return [*number_sounds(value, language, "f"), word]


def appeal_sounds(text: str, language: str) -> list[str]:
    """The sounds of an appeal's number: 2026-000123 as 2026 and 123."""
    year, _, rest = text.partition("-")
    return [*number_sounds(int(year), language), *number_sounds(int(rest), language)]


def _uzbek_number(value: int, split: bool = False) -> list[str]:
    """Return the sounds of a number in Uzbek.

    `split`: 11 to 19 are two sounds (ten and one), as an ordinal needs; otherwise they are one.
    """
    if value < 20 and not (split and value > 10):
        return [f"digits/{value}"]
    for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if value >= size:
            count, rest = divmod(value, size)
            return [
                *_uzbek_number(count),
                f"digits/{name}",
                *(_uzbek_number(rest, split) if rest else []),
            ]
    tens, units = value - value % 10, value % 10
    return [f"digits/{tens}", *([f"digits/{units}"] if units else [])]


def _russian_number(value: int, gender: str = "") -> list[str]:
    """The sounds of a number in Russian."""
    for size, forms, count_gender in (
        (10**6, ("million", "million-a", "millions"), ""),
        (1000, ("thousand", "thousands-i", "thousands"), "f"),
    ):
        if value >= size:
            count, rest = divmod(value, size)
            word = f"digits/{_plural_form(count, *forms)}"
            return [
                *_russian_number(count, count_gender),
                word,
                *(_russian_number(rest, gender) if rest else []),
            ]
    if value < 20:
        return [f"digits/{value}{gender if value in (1, 2) else ''}"]
    size_of_part = 100 if value >= 100 else 10
    rest = value % size_of_part
    return [f"digits/{value - rest}", *(_russian_number(rest, gender) if rest else [])]


def _plural_form(value: int, singular: str, few: str, many: str) -> str:
    """Return the Russian form of a noun counted by `value`.

    1 and 21 take `singular`, 2 to 4 and 22 take `few`, 5 to 20 (also 11 to 14) take `many`.
    """
    if value % 100 // 10 == 1:
        return many
    return {1: singular, 2: few, 3: few, 4: few}.get(value % 10, many)
