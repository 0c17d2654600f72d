"""What the working calendar of a year will be, as the package `holidays` reckons it.

A person confirms it: decrees move days each year, and the days of Eid are estimated until the
ministry of religion names them.
"""

import re

from appliance.models import CalendarDay

# the package's Uzbek name → the ministry's in Uzbek, Latin and Cyrillic, and in Russian
_NAMES = {
    "Yangi yil": ("Yangi yil", "Янги йил", "Новый год"),
    "Xotin-qizlar kuni": (
        *("Xotin-qizlar kuni", "Хотин-қизлар куни"),
        "Международный женский день",
    ),
    "Navroʻz bayrami": ("Navroʻz bayrami", "Наврўз байрами", "Навруз"),
    "Roʻza hayit": ("Roʻza hayit", "Рўза ҳайит", "Руза хайит (Ийд аль-Фитр)"),
    "Qurbon hayit": ("Qurbon hayit", "Қурбон ҳайит", "Курбан хайит (Ийд аль-Адха)"),
    "Xotira va qadrlash kuni": (
        *("Xotira va qadrlash kuni", "Хотира ва қадрлаш куни"),
        "День памяти и почестей",
    ),
    "Mustaqillik kuni": ("Mustaqillik kuni", "Мустақиллик куни", "День независимости"),
    "Oʻqituvchi va murabbiylar kuni": (
        *("Oʻqituvchi va murabbiylar kuni", "Ўқитувчи ва мураббийлар куни"),
        "День учителя и наставника",
    ),
    "Oʻzbekiston Respublikasi Konstitutsiyasi kuni": (
        "Oʻzbekiston Respublikasi Konstitutsiyasi kuni",
        "Ўзбекистон Республикаси Конституцияси куни",
        "День Конституции Республики Узбекистан",
    ),
    "Prezidentining farmoni bilan qoʻshimcha dam olish kuni": (
        "Prezident farmoni bilan qoʻshimcha dam olish kuni",
        "Президент фармони билан қўшимча дам олиш куни",
        "Дополнительный выходной по решению Президента",
    ),
}
_MOVED = {"koʻchirilgan": ("koʻchirilgan", "кўчирилган", "перенос")}
_ESTIMATED = {"taxminiy": ("taxminiy", "тахминий", "ориентировочно")}
_MARKS = _MOVED | _ESTIMATED
_SWAPPED = re.compile(r"Dam olish kuni \((\d\d/\d\d \d{4}) dan koʻchirilgan\)")
WORKED = ("Ish kuni (koʻchirilgan)", "Иш куни (кўчирилган)", "Рабочий день (перенос)")


def propose(year: int) -> list[CalendarDay]:
    """The days of a year that differ from Mon-Fri, in order; nothing is kept."""
    from holidays.countries import Uzbekistan  # a tenth of a second: only who proposes waits

    known = Uzbekistan(years=year, language="uz")
    found = [_day(date, known.get_list(date)[0]) for date in sorted(known)]
    weekends = (date for date in known.weekend_workdays if date.year == year)
    found += [_made(date, "working_weekend", WORKED) for date in weekends]
    return sorted(found, key=lambda day: day.date)


def settled(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a day without the mark that it is estimated."""
    words = _ESTIMATED["taxminiy"]
    return tuple(
        name.replace(f", {word})", ")").replace(f" ({word})", "")
        for name, word in zip(names, words, strict=True)
    )


def _day(date: object, told: str) -> CalendarDay:
    if swapped := _SWAPPED.fullmatch(told):
        return _made(
            date,
            "swapped_day_off",
            (
                told,
                f"Дам олиш куни ({swapped[1]} дан кўчирилган)",
                f"Перенесённый выходной (с {swapped[1]})",
            ),
        )
    base, _, marked = told.rstrip(")").partition(" (")
    marks = [_MARKS[mark] for mark in marked.split(", ") if mark in _MARKS]
    names = tuple(
        f"{name} ({', '.join(mark[n] for mark in marks)})" if marks else name
        for n, name in enumerate(_NAMES.get(base, (base, base, base)))
    )
    if "farmoni" in base:
        return _made(date, "decree_day_off", names)
    kind = "observed" if _MOVED["koʻchirilgan"] in marks else "holiday"
    return _made(date, f"{kind}_estimated" if _ESTIMATED["taxminiy"] in marks else kind, names)


def _made(date: object, kind: str, names: tuple[str, ...]) -> CalendarDay:
    latin, cyrillic, russian = names
    return CalendarDay(
        date=date,
        kind=kind,
        working=kind == "working_weekend",
        name_uz_latn=latin,
        name_uz_cyrl=cyrillic,
        name_ru=russian,
    )
