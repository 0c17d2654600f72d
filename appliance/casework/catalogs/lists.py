"""The lists that forms choose from: what stands on each, and what is in use on a day."""

import datetime as dt

from appliance.casework.catalogs.keys import names_of
from appliance.core import clock, search
from appliance.core.i18n import N_, fold, named, translations
from appliance.core.statements import Question, row_with, value
from appliance.models import Catalog, CatalogItem

PAUSES = "pause_reason"  # what operators take a pause for
UNLISTED = "*"  # in place of a text that is no code: where it is counted, or was masked
NOT_LISTED = N_("not on the list")
# those that come with the product
CATALOGS = (
    *("appeal_type", "call_type", "call_direction", "group", "employment", "direction"),
    PAUSES,
    "article_section",
)


_ITEMS = Question(
    lambda: (
        CatalogItem.select()
        .where(CatalogItem.catalog == value("catalog"))
        .order_by(CatalogItem.position, CatalogItem.code)
    )
)


def lists() -> list[Catalog]:
    """Every list, those that come with the product first."""
    return list(Catalog.select().order_by(Catalog.own, Catalog.position, Catalog.code))


def catalog(code: str) -> Catalog | None:
    """The list of this code; None when there is none."""
    return Catalog.get_or_none(Catalog.code == code)


def items(catalog: str) -> list[CatalogItem]:
    """Every value of a list in its order, those out of use too."""
    return _ITEMS.rows(catalog=catalog)


def in_use(item: CatalogItem, day: dt.date | None = None) -> bool:
    """Whether a value may be chosen on a day (the site's date; None: the machine's, today)."""
    day = day or clock.now().astimezone().date()
    begins, ends = item.active_from or dt.date.min, item.active_until or dt.date.max
    return item.active and begins <= day <= ends


def choices(catalog: str, locale: str, day: dt.date | None = None) -> list[tuple[str, str]]:
    """(code, name in the locale) of the values in use on a day, in the list's order."""
    return [(item.code, named(item, locale)) for item in items(catalog) if in_use(item, day)]


def find(catalog: str, text: str, day: dt.date | None = None) -> list[CatalogItem]:
    """The values that are meant by a text, in any language, the nearest first."""
    return search.best([item for item in items(catalog) if in_use(item, day)], text, names_of)


def named_values() -> list[tuple[str, str, str]]:
    """(list/code, names as the search reads them, name in Uzbek) of all values in use today."""
    day, item = clock.now().astimezone().date(), CatalogItem
    rows = item.select(item.catalog, item.code, item.name_uz_latn, item.name_uz_cyrl, item.name_ru)
    rows = rows.where(
        item.active,
        item.active_from.is_null() | (item.active_from <= day),
        item.active_until.is_null() | (item.active_until >= day),
    )
    return [
        (f"{catalog}/{code}", search.key(*names), names[0])
        for catalog, code, *names in rows.tuples()  # asked at each letter: no objects are made
    ]


def label(catalog: str, text: str, locale: str) -> str:
    """How a kept value reads: the name of its code, or the text typed in place of a code."""
    if text == UNLISTED:
        return translations(locale).gettext(NOT_LISTED)
    item = row_with(CatalogItem, catalog=catalog, code=text)
    return named(item, locale) if item else text


def is_code(catalog: str, text: str) -> bool:
    """Whether a kept value is a code of a list, and no text that was typed in place of one."""
    return row_with(CatalogItem, catalog=catalog, code=text) is not None


def labels(catalog: str, locale: str) -> dict[str, str]:
    """Code → name in the locale, of every value, those out of use too."""
    return {item.code: named(item, locale) for item in items(catalog)}


def shown_labels(catalog: str, locale: str) -> dict[str, str]:
    """The same with the words for UNLISTED, to show what records hold."""
    return labels(catalog, locale) | {UNLISTED: label(catalog, UNLISTED, locale)}


def code_of(catalog: str, text: str, day: dt.date | None = None) -> str | None:
    """The code of the value in use that has this code or, in any language, this name."""
    key = fold(text)
    for item in items(catalog) if key else []:
        names = (item.name_uz_latn, item.name_uz_cyrl, item.name_ru)
        if in_use(item, day) and (item.code == text or key in map(fold, names)):
            return item.code
    return None
