"""Which sounds say a number, a date, a wait or an appeal's number, with each language's grammar.

Pure. The names are those of Asterisk's own Say, so that its announcements use the same sounds.
"""

import datetime as dt


def number(value: int, language: str, gender: str = "") -> list[str]:
    """The sounds of a whole number up to 999 999 999; `gender` "f" or "n" matters in Russian."""
    if value < 0:
        return ["digits/minus", *number(-value, language, gender)]
    return _russian(value, gender) if language == "ru" else _uzbek(value)


def ordinal(value: int, language: str) -> list[str]:
    """The sounds of a day or a year: "oltinchi", "шестого"; the last word alone is ordinal."""
    if language != "ru":
        *before, last = _uzbek(value, split=True)
        return [*before, last.replace("digits/", "digits/h-")]
    tail = next(
        part
        for part in (value % 100 if value % 100 <= 20 else value % 10, value % 100, value % 1000)
        + (value,)
        if part
    )
    before = _russian(value - tail) if value > tail else []
    return [*before, f"digits/h-{tail}"]


def date(day: dt.date, language: str) -> list[str]:
    """The sounds of a date: "2026-yil 16-noyabr", "16 ноября 2026 года"."""
    year = [*ordinal(day.year, language), "digits/year"]
    month = f"digits/mon-{day.month - 1}"
    if language == "ru":
        return [*ordinal(day.day, language), month, *year]
    return [*year, *ordinal(day.day, language), month]


def minutes(value: int, language: str) -> list[str]:
    """The sounds of a wait in minutes: "21 daqiqa", "двадцать одна минута"."""
    if language != "ru":
        return [*number(value, language), "digits/minute"]
    word = _counted(value, "digits/minute", "digits/minutes-i", "digits/minutes")
    return [*number(value, language, "f"), word]


def appeal(text: str, language: str) -> list[str]:
    """The sounds of an appeal's number: 2026-000123 as 2026 and 123."""
    year, _, rest = text.partition("-")
    return [*number(int(year), language), *number(int(rest), language)]


def _uzbek(value: int, split: bool = False) -> list[str]:
    """`split`: eleven as ten and one, as an ordinal needs it."""
    if value < 20 and not (split and value > 10):
        return [f"digits/{value}"]
    for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if value >= size:
            many, rest = divmod(value, size)
            return [*_uzbek(many), f"digits/{name}", *(_uzbek(rest, split) if rest else [])]
    tens, ones = value - value % 10, value % 10
    return [f"digits/{tens}", *([f"digits/{ones}"] if ones else [])]


def _russian(value: int, gender: str = "") -> list[str]:
    for size, words, counts in (
        (10**6, ("million", "million-a", "millions"), ""),
        (1000, ("thousand", "thousands-i", "thousands"), "f"),
    ):
        if value >= size:
            many, rest = divmod(value, size)
            word = f"digits/{_counted(many, *words)}"
            return [*_russian(many, counts), word, *(_russian(rest, gender) if rest else [])]
    if value < 20:
        return [f"digits/{value}{gender if value in (1, 2) else ''}"]
    part = 100 if value >= 100 else 10
    rest = value % part
    return [f"digits/{value - rest}", *(_russian(rest, gender) if rest else [])]


def _counted(value: int, one: str, few: str, many: str) -> str:
    """The form of the counted word: 1 and 21 one, 2-4 and 22 few, 5-20 and 11-14 many."""
    if value % 100 // 10 == 1:
        return many
    return {1: one, 2: few, 3: few, 4: few}.get(value % 10, many)
