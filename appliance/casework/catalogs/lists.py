"""The form's lists: kinds of appeal, groups, employment, directions."""

from appliance.casework.catalogs.keys import key_of
from appliance.core.i18n import fold, named
from appliance.models import CatalogItem

CATALOGS = ("appeal_type", "call_type", "call_direction", "group", "employment", "direction")


def choices(catalog: str, locale: str) -> list[tuple[str, str]]:
    """(code, name in the locale) of the values in use, in the list's order."""
    return [(item.code, named(item, locale)) for item in _items(catalog) if item.active]


def find(catalog: str, text: str, locale: str) -> list[tuple[str, str]]:
    """The choices with the text in a name, in any language; those that begin with it first."""
    found = [
        (item, key_of(item.name_uz_latn, item.name_uz_cyrl, item.name_ru))
        for item in _items(catalog)
        if item.active
    ]
    key = fold(text)
    begins = [item for item, names in found if f"|{key}" in names]
    holds = [item for item, names in found if key in names and item not in begins]
    return [(item.code, named(item, locale)) for item in (*begins, *holds)]


def label(catalog: str, value: str, locale: str) -> str:
    """How a kept value reads: the name of its code, or the text typed in place of a code."""
    item = CatalogItem.get_or_none(CatalogItem.catalog == catalog, CatalogItem.code == value)
    return named(item, locale) if item else value


def labels(catalog: str, locale: str) -> dict[str, str]:
    """Code → name in the locale, of every value, those out of use too."""
    return {item.code: named(item, locale) for item in _items(catalog)}


def code_of(catalog: str, text: str) -> str | None:
    """The code of the value in use that has this code or, in any language, this name."""
    key = fold(text)
    for item in _items(catalog) if key else []:
        names = (item.name_uz_latn, item.name_uz_cyrl, item.name_ru)
        if item.active and (item.code == text or key in map(fold, names)):
            return item.code
    return None


def _items(catalog: str) -> list[CatalogItem]:
    return list(
        CatalogItem.select()
        .where(CatalogItem.catalog == catalog)
        .order_by(CatalogItem.position, CatalogItem.code)
    )
