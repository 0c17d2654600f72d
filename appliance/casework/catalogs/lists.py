"""The lists that forms choose from: their values, and which are in use on a given day."""

import datetime as dt

from appliance.casework.catalogs.keys import item_search_names
from appliance.core import clock, search
from appliance.core.i18n import N_, fold_text, locale_translations, localized_name
from appliance.core.statements import PreparedQuery, find_row, query_parameter
from appliance.models import Catalog, CatalogItem

PAUSES = "pause_reason"  # the reasons of operators' pauses
# in counts and masked records: replaces a text that was typed instead of a code of the list
UNLISTED = "*"
NOT_LISTED = N_("not on the list")
# the product's built-in lists
CATALOGS = (
    *("appeal_type", "call_type", "call_direction", "group", "employment", "direction"),
    PAUSES,
    "article_section",
)


_ITEMS_OF_LIST = PreparedQuery(
    lambda: (
        CatalogItem.select()
        .where(CatalogItem.catalog == query_parameter("catalog"))
        .order_by(CatalogItem.position, CatalogItem.code)
    )
)


def all_lists() -> list[Catalog]:
    """Return every list, the product's built-in ones first."""
    return list(Catalog.select().order_by(Catalog.own, Catalog.position, Catalog.code))


def find_catalog(code: str) -> Catalog | None:
    """Return the list with this code, if any."""
    return find_row(Catalog, code=code)


def list_items(catalog: str) -> list[CatalogItem]:
    """Return every value of the list with the code `catalog`, in its order, including retired ones.

    Return [] if there is no such list.
    """
    return _ITEMS_OF_LIST.fetch_objects(catalog=catalog)


def is_in_use(item: CatalogItem, day: dt.date | None = None) -> bool:
    """Return True if a list's value can be chosen on `day`, a date at the site.

    By default, `day` is today in the machine's time zone.
    """
    day = day or clock.now().astimezone().date()
    first_day, last_day = item.active_from or dt.date.min, item.active_until or dt.date.max
    return item.active and first_day <= day <= last_day


def item_choices(catalog: str, locale: str, day: dt.date | None = None) -> list[tuple[str, str]]:
    """Return (code, name in the locale) of each value in use on a day, in the list's order.

    `catalog` is the list's code; the day is today by default.
    """
    return [
        (item.code, localized_name(item, locale))
        for item in list_items(catalog)
        if is_in_use(item, day)
    ]


def find_items(catalog: str, text: str, day: dt.date | None = None) -> list[CatalogItem]:
    """Return the values in use on a day that match a text in any language, the best first.

    `catalog` is the list's code; the day is today by default. For an empty text, return all values
    in use.
    """
    return search.best_matches(
        [item for item in list_items(catalog) if is_in_use(item, day)], text, item_search_names
    )


def searchable_values() -> list[tuple[str, str, str]]:
    """Return ("list/code", search names, Uzbek name) of all lists' values in use today.

    "list/code" are the code of the list and that of the value. The search names are the names in
    all languages, folded and separated by bars.
    """
    day, item = clock.now().astimezone().date(), CatalogItem
    rows = item.select(item.catalog, item.code, item.name_uz_latn, item.name_uz_cyrl, item.name_ru)
    rows = rows.where(
        item.active,
        item.active_from.is_null() | (item.active_from <= day),
        item.active_until.is_null() | (item.active_until >= day),
    )
    return [
        (f"{catalog}/{code}", search.fold_names(*names), names[0])
        # runs at each keystroke: no model objects are built
        for catalog, code, *names in rows.tuples()
    ]


def value_label(catalog: str, text: str, locale: str) -> str:
    """Return the text to show for a stored value, which is a code or a text typed instead of one.

    It is the name of a code of the list `catalog` in the locale, "not on the list" for UNLISTED,
    else the typed text.
    """
    if text == UNLISTED:
        return locale_translations(locale).gettext(NOT_LISTED)
    item = find_row(CatalogItem, catalog=catalog, code=text)
    return localized_name(item, locale) if item else text


def is_code(catalog: str, text: str) -> bool:
    """Return True if a stored value is a code of the list, not a text typed instead of one."""
    return find_row(CatalogItem, catalog=catalog, code=text) is not None


def labels_by_code(catalog: str, locale: str) -> dict[str, str]:
    """Return the name in the locale of every value of the list `catalog`, by the value's code.

    Retired values are included, because records have them.
    """
    return {item.code: localized_name(item, locale) for item in list_items(catalog)}


def labels_with_unlisted(catalog: str, locale: str) -> dict[str, str]:
    """Return labels_by_code() with a label for UNLISTED, which masked records and counts have."""
    return labels_by_code(catalog, locale) | {UNLISTED: value_label(catalog, UNLISTED, locale)}


def code_by_name(catalog: str, text: str, day: dt.date | None = None) -> str | None:
    """Return the code of the value in use, if any, whose code or name, in any language, is `text`.

    `catalog` is the list's code; the value is in use on `day`, by default today.
    """
    key = fold_text(text)
    for item in list_items(catalog) if key else []:
        names = (item.name_uz_latn, item.name_uz_cyrl, item.name_ru)
        if is_in_use(item, day) and (item.code == text or key in map(fold_text, names)):
            return str(item.code)
    return None
