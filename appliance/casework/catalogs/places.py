"""Regions, districts and mahallas (neighbourhoods): found as one types, in either script."""

import functools
from collections.abc import Iterable
from typing import Any

from peewee import JOIN, Expression, ModelSelect

from appliance.casework.catalogs.keys import has_exact_name, item_search_names, mahalla_search_key
from appliance.core import search
from appliance.core.i18n import fold_text, normalize_apostrophes
from appliance.core.statements import create_row, find_row
from appliance.models import Appeal, District, Mahalla, Region

_TABLES: dict[str, Any] = {"region": Region, "district": District, "mahalla": Mahalla}
PLACES = tuple(_TABLES)
_MAHALLA_WORDS = "mahalla махалля"  # people type these words, too
_TOWN_WORD = fold_text("город")  # Russian puts it before the name


def find_place(kind: str, code: str | None) -> Region | District | Mahalla | None:
    """Return the place with this code (of a mahalla: its id), if any; `kind` is one of PLACES."""
    table = _TABLES[kind]
    return find_row(table, **{table._meta.primary_key.name: code}) if code else None


def place_counts() -> dict[str, int]:
    """Return the number of regions, districts and mahallas, by the names of their lists in SHEETS.

    Mahallas that operators typed are not counted.
    """
    return {
        "regions": Region.select().count(),
        "districts": District.select().count(),
        "mahallas": Mahalla.select().where(~Mahalla.typed).count(),
    }


def districts_of(region: str | None) -> list[District]:
    """Return every district of a region, including former ones; empty without a region."""
    return list(District.select().where(District.region == region)) if region else []


def match_regions(text: str) -> list[Region]:
    """Return the regions that match a text, best first.

    For an empty text, return all regions by `position`: in the order of the ministry's reports.
    """
    return search.best_matches(Region.select().order_by(Region.position), text, item_search_names)


def match_districts(text: str, region: str | None = None, limit: int = 20) -> list[District]:
    """Return the districts, including former ones, that match a text, best first, then by name.

    For an empty text, return the first ones in order of region and name. With the code of a
    `region`, only its districts are searched. At most `limit` are returned.
    """
    query = District.select(District, Region).join(Region)
    if region:
        query = query.where(District.region == region)
    by_name = (
        (District.name_uz_latn,) if fold_text(text) else (Region.position, District.name_uz_latn)
    )
    return search.best_matches(query.order_by(*by_name), text, district_search_names)[:limit]


def match_mahallas(
    text: str, district: str | None = None, region: str | None = None, limit: int = 20
) -> list[Mahalla]:
    """Return the mahallas that match a text, best first; for an empty text, all by name.

    Only mahallas of the district with the code `district` are searched; without it, those of the
    `region`; without either, those of all districts. At most `limit` are returned.
    """
    query = Mahalla.select(Mahalla, District, Region).join(District).join(Region)
    parsed_query = search.parse_query(text)
    if not parsed_query.words:
        query = query.where(*_area_conditions(district, region))
        return list(query.order_by(Mahalla.name_uz_latn, Mahalla.id).limit(limit))
    ids_inside = (
        Mahalla.select(Mahalla.id).join(District).where(*_area_conditions(district, region))
    )
    matches = search.find_entries(parsed_query, "mahalla", limit, lambda row: row.in_(ids_inside))
    likely = [match for match in matches if search.is_likely_match(match.cost, matches[0].cost)]
    rows = {
        match.id: match for match in query.where(Mahalla.id.in_([match.row for match in likely]))
    }
    mahallas = [rows[match.row] for match in likely]
    no_match_cost = search.NO_MATCH_COST * len(parsed_query.words)
    # without mahallas that match only by the names of their district or region
    return [
        match
        for match in mahallas
        if search.match_cost(parsed_query, item_search_names(match)) < no_match_cost
    ]


def _area_conditions(district: str | None, region: str | None) -> list[Expression]:
    """Return a list with the condition that a mahalla is in the district, or else in the region.

    `district` and `region` are codes. Without both, the mahalla must be in some district: those
    that operators typed without one are left out.
    """
    if district:
        return [Mahalla.district == district]
    return [District.region == region] if region else [Mahalla.district.is_null(False)]


def district_search_names(district: District) -> str:
    """Return a district's names, including former ones, separated by bars, for the search."""
    return names_in_key(district.search_key)


@functools.cache
def names_in_key(search_key: str) -> str:
    """Return the names in a district's search key, separated by bars.

    A Russian name that begins with the word for town is also returned without it, because people
    type it so.
    """
    names = search_key.strip("|")
    return (
        f"{names}|{names.replace(f'|{_TOWN_WORD} ', '|')}" if f"|{_TOWN_WORD} " in names else names
    )


def index_mahallas(mahallas: Iterable[Mahalla]) -> None:
    """Add mahallas to the search index; call it inside a transaction.

    They are found by their names and those of their districts and regions.
    """
    for mahalla in mahallas:
        search.index_item(mahalla_entry(mahalla))


def mahalla_entry(mahalla: Mahalla) -> search.SearchItem:
    """Return the index entry of a mahalla."""
    names = (mahalla.name_uz_cyrl, mahalla.name_ru)
    areas = [mahalla.district, mahalla.district.region] if mahalla.district else []
    context = " ".join(f"{place.name_uz_latn} {place.name_ru}" for place in areas)
    return search.SearchItem(
        "mahalla",
        str(mahalla.id),
        mahalla.name_uz_latn,
        names=names,
        about=f"{context} {_MAHALLA_WORDS}",
        row=mahalla.id,
    )


def mahallas_with_areas() -> ModelSelect:
    """Return the query of all mahallas with their district and region; some have no district."""
    query = Mahalla.select(Mahalla, District, Region)
    return query.join(District, JOIN.LEFT_OUTER).join(Region, JOIN.LEFT_OUTER)


def exact_region(text: str) -> Region | None:
    """Return the region with exactly this name, in any script, if there is one."""
    if not (key := fold_text(text)):
        return None
    return next(
        (region for region in Region.select() if key in item_search_names(region).split("|")), None
    )


def exact_district(text: str, region: str | None = None) -> District | None:
    """Return the district with exactly this name, in any script, if exactly one matches.

    With the code of a `region`, only its districts are searched.
    """
    if not fold_text(text):
        return None
    query = District.select().where(has_exact_name(District.search_key, text))
    districts = list((query.where(District.region == region) if region else query).limit(2))
    return districts[0] if len(districts) == 1 else None


def exact_mahalla(text: str, district: str | None = None) -> Mahalla | None:
    """Return the mahalla with exactly this name, in any script, if exactly one matches.

    With the code of a `district`, only its mahallas are searched. If no district is given, the
    mahallas of all districts are searched, but not the mahallas that operators typed without a
    district.
    """
    if not fold_text(text):
        return None
    query = Mahalla.select().where(has_exact_name(Mahalla.search_key, text))
    query = query.where(
        Mahalla.district == district if district else Mahalla.district.is_null(False)
    )
    mahallas = list(query.limit(2))
    return mahallas[0] if len(mahallas) == 1 else None


def get_or_create_mahalla(text: str, district: str | None) -> Mahalla:
    """Return the mahalla of this name in the district with this code.

    If there is no such mahalla, it is stored and marked as typed by an operator. Without a
    district, return the mahalla of this name that was typed without one.
    """
    text = normalize_apostrophes(text)
    of_district = Mahalla.district == district if district else Mahalla.district.is_null()
    has_name = has_exact_name(Mahalla.search_key, text)
    mahalla: Mahalla | None = Mahalla.get_or_none(of_district, has_name)
    if mahalla:
        return mahalla
    mahalla = create_row(
        Mahalla,
        name_uz_latn=text,
        name_uz_cyrl=text,
        name_ru=text,
        district=district,
        search_key=mahalla_search_key(text),
        typed=True,
    )
    index_mahallas([mahalla])
    return mahalla


def delete_typed_mahalla(mahalla_id: int) -> None:
    """Delete a mahalla that an operator typed, from the table and the search index.

    An imported mahalla, or one that an appeal refers to, is kept. Call it in a write transaction.
    """
    mahalla = Mahalla.get_or_none(Mahalla.id == mahalla_id, Mahalla.typed, Mahalla.code.is_null())
    if mahalla is None or Appeal.select().where(Appeal.mahalla == mahalla_id).exists():
        return
    names = (mahalla.name_uz_latn, mahalla.name_uz_cyrl, mahalla.name_ru)
    # the index has the names also as single words; see search.index_item()
    joined = (name.replace(" ", "") for name in names)
    search.drop_entry("mahalla", str(mahalla.id))
    search.forget_words("mahalla", *names, *joined)
    mahalla.delete_instance()
