"""Regions, districts and mahallas: search from the first letter in either script."""

from typing import Any

from appliance.casework.catalogs.keys import best_first, key_of, mahalla_key, named_exactly, within
from appliance.core.i18n import fold, spelt
from appliance.models import District, Mahalla, Region

_TABLES: dict[str, Any] = {"region": Region, "district": District, "mahalla": Mahalla}
PLACES = tuple(_TABLES)


def place(kind: str, code: str | None) -> Region | District | Mahalla | None:
    """The place of a kind of PLACES that this code of a form names; None when there is none."""
    table = _TABLES[kind]
    return table.get_or_none(table._meta.primary_key == code) if code else None


def counts() -> dict[str, int]:
    """Sheet → how many places it has; of mahallas only the listed ones."""
    return {
        "regions": Region.select().count(),
        "districts": District.select().count(),
        "mahallas": Mahalla.select().where(~Mahalla.typed).count(),
    }


def districts_of(region: str | None) -> list[District]:
    """Every district of a region, former ones too; none without a region."""
    return list(District.select().where(District.region == region)) if region else []


def find_regions(text: str) -> list[Region]:
    """Regions with the text in a name, in the order of report form №2; all for an empty text."""
    key = fold(text)
    return [
        region
        for region in Region.select().order_by(Region.position)
        if not key or key in key_of(region.name_uz_latn, region.name_uz_cyrl, region.name_ru)
    ]


def find_districts(text: str, region: str | None = None, limit: int = 20) -> list[District]:
    """Districts with the text in a name, former ones too; best matches first, then by name."""
    query = District.select(District, Region).join(Region)
    if region:
        query = query.where(District.region == region)
    if fold(text):
        query = query.where(within(District.search_key, text)).order_by(
            best_first(District.search_key, text), District.name_uz_latn
        )
    else:
        query = query.order_by(Region.position, District.name_uz_latn)
    return list(query.limit(limit))


def find_mahallas(
    text: str, district: str | None = None, region: str | None = None, limit: int = 20
) -> list[Mahalla]:
    """Mahallas with the text in a name, of the district or else the region when one is given.

    Names that begin with the text come first, then those with a word that does, then the rest.
    """
    query = Mahalla.select(Mahalla, District, Region).join(District).join(Region)
    if district:
        query = query.where(Mahalla.district == district)
    elif region:
        query = query.where(District.region == region)
    if fold(text):
        query = query.where(within(Mahalla.search_key, text)).order_by(
            best_first(Mahalla.search_key, text), Mahalla.name_uz_latn, Mahalla.id
        )
    else:
        query = query.order_by(Mahalla.name_uz_latn, Mahalla.id)
    return list(query.limit(limit))


def exact_region(text: str) -> Region | None:
    """The region of exactly this name, in any script."""
    key = f"|{fold(text)}|"
    return next((r for r in find_regions(text) if key in _names(r)), None)


def exact_district(text: str, region: str | None = None) -> District | None:
    """The district of exactly this name, in any script; None when several could be meant."""
    if not fold(text):
        return None
    query = District.select().where(named_exactly(District.search_key, text))
    found = list((query.where(District.region == region) if region else query).limit(2))
    return found[0] if len(found) == 1 else None


def exact_mahalla(text: str, district: str | None = None) -> Mahalla | None:
    """The mahalla of exactly this name, in any script; None when several could be meant.

    Without a district only listed mahallas are meant, not those typed without one.
    """
    if not fold(text):
        return None
    query = Mahalla.select().where(named_exactly(Mahalla.search_key, text))
    query = query.where(
        Mahalla.district == district if district else Mahalla.district.is_null(False)
    )
    found = list(query.limit(2))
    return found[0] if len(found) == 1 else None


def remember_mahalla(text: str, district: str | None) -> Mahalla:
    """The mahalla of this name in the district; kept as a typed one when it is not yet there."""
    text = spelt(text)
    of_district = Mahalla.district == district if district else Mahalla.district.is_null()
    known = Mahalla.get_or_none(of_district, named_exactly(Mahalla.search_key, text))
    return known or Mahalla.create(
        name_uz_latn=text,
        name_uz_cyrl=text,
        name_ru=text,
        district=district,
        search_key=mahalla_key(text),
        typed=True,
    )


def _names(region: Region) -> str:
    return key_of(region.name_uz_latn, region.name_uz_cyrl, region.name_ru)
