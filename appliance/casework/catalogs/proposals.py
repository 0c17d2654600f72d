"""The proposed working calendar of a year, computed by the package `holidays`.

A person confirms it: decrees move days each year, and the days of Eid are estimates until the
ministry of religion announces them.
"""

import re

from appliance.models import CalendarDay

# The ministry's names of a holiday (Uzbek in Latin and in Cyrillic letters, Russian), by the Uzbek
# name that the package gives it.
_OFFICIAL_NAMES = {
    "Yangi yil": ("Yangi yil", "Янги йил", "Новый год"),
    "Xotin-qizlar kuni": (
        *("Xotin-qizlar kuni", "Хотин-қизлар куни"),
        "День женщин",
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
        "День учителей и наставников",
    ),
    "Oʻzbekiston Respublikasi Konstitutsiyasi kuni": (
        "Oʻzbekiston Respublikasi Konstitutsiyasi kuni",
        "Ўзбекистон Республикаси Конституцияси куни",
        "День Конституции Республики Узбекистан",
    ),
    "Prezidentining farmoni bilan qoʻshimcha dam olish kuni": (
        "Prezident farmoni bilan qoʻshimcha dam olish kuni",
        "Президент фармони билан қўшимча дам олиш куни",
        "Дополнительный выходной по указу Президента",
    ),
}
# The words in parentheses that the package adds to a name, each with the ministry's words for it,
# in the order of the names above.
_MOVED_MARKS = {"koʻchirilgan": ("koʻchirilgan", "кўчирилган", "перенос")}
_ESTIMATED_MARKS = {"taxminiy": ("taxminiy", "тахминий", "ориентировочно")}
_MARKS_BY_WORD = _MOVED_MARKS | _ESTIMATED_MARKS
# the package's name of a day off that was swapped with another day, with that day's date
_SWAPPED = re.compile(r"Dam olish kuni \((\d\d)/(\d\d) (\d{4}) dan koʻchirilgan\)")
WORKING_WEEKEND_NAMES = (
    "Ish kuni (koʻchirilgan)",
    "Иш куни (кўчирилган)",
    "Рабочий день (перенос)",
)


def propose_days(year: int) -> list[CalendarDay]:
    """Return the days of a year that differ from a Monday-Friday week, in order, unsaved."""
    # imported here, because the import takes a tenth of a second
    from holidays.countries.uzbekistan import Uzbekistan

    holidays_by_date = Uzbekistan(years=year, language="uz")
    days = [
        _proposed_day(date, holidays_by_date.get_list(date)[0]) for date in sorted(holidays_by_date)
    ]
    weekends = (date for date in holidays_by_date.weekend_workdays if date.year == year)
    days += [_calendar_day(date, "working_weekend", WORKING_WEEKEND_NAMES) for date in weekends]
    return sorted(days, key=lambda day: day.date)


def names_without_estimate(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a day's names without the word in parentheses that marks its date as an estimate.

    There is one name for each language and script, in the order of _ESTIMATED_MARKS.
    """
    marks = _ESTIMATED_MARKS["taxminiy"]
    return tuple(
        name.replace(f", {mark})", ")").replace(f" ({mark})", "")
        for name, mark in zip(names, marks, strict=True)
    )


def _proposed_day(date: object, package_name: str) -> CalendarDay:
    """Return the unsaved entry of a day off; its kind follows from its name in the package.

    Such a name may end with marks in parentheses: that the day was moved, or is an estimate.
    """
    if match := _SWAPPED.fullmatch(package_name):
        moved_from = ".".join(match.groups())
        return _calendar_day(
            date,
            "swapped_day_off",
            (
                f"Dam olish kuni ({moved_from} dan koʻchirilgan)",
                f"Дам олиш куни ({moved_from} дан кўчирилган)",
                f"Перенесённый выходной (с {moved_from})",
            ),
        )
    base, _, marks_text = package_name.rstrip(")").partition(" (")
    marks = [_MARKS_BY_WORD[mark] for mark in marks_text.split(", ") if mark in _MARKS_BY_WORD]
    names = tuple(
        f"{name} ({', '.join(mark[language] for mark in marks)})" if marks else name
        for language, name in enumerate(_OFFICIAL_NAMES.get(base, (base, base, base)))
    )
    if "farmoni" in base:
        return _calendar_day(date, "decree_day_off", names)
    kind = "observed" if _MOVED_MARKS["koʻchirilgan"] in marks else "holiday"
    return _calendar_day(
        date, f"{kind}_estimated" if _ESTIMATED_MARKS["taxminiy"] in marks else kind, names
    )


def _calendar_day(date: object, kind: str, names: tuple[str, ...]) -> CalendarDay:
    """Return an unsaved entry; `names` are Uzbek in Latin, in Cyrillic letters, and Russian."""
    latin, cyrillic, russian = names
    return CalendarDay(
        date=date,
        kind=kind,
        working=kind == "working_weekend",
        name_uz_latn=latin,
        name_uz_cyrl=cyrillic,
        name_ru=russian,
    )
