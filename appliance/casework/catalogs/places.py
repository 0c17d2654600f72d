"""Regions, districts and mahallas: found from the first letter, in either script."""

import functools
from collections.abc import Iterable
from typing import Any

from peewee import JOIN, Expression, ModelSelect

from appliance.casework.catalogs.keys import mahalla_key, named_exactly, names_of
from appliance.core import search
from appliance.core.i18n import fold, spelt
from appliance.core.statements import row_with
from appliance.models import Appeal, District, Mahalla, Region

_TABLES: dict[str, Any] = {"region": Region, "district": District, "mahalla": Mahalla}
PLACES = tuple(_TABLES)
_KIND = "mahalla махалля"  # people say so, too
_TOWN = fold("город")  # Russian says it before the name


def place(kind: str, code: str | None) -> Region | District | Mahalla | None:
    """The place of a kind of PLACES that this code of a form names; None when there is none."""
    table = _TABLES[kind]
    return row_with(table, **{table._meta.primary_key.name: code}) if code else None


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
    """Regions that are meant by a text, the nearest first; all, as in report form №2, for none."""
    return search.best(Region.select().order_by(Region.position), text, names_of)


def find_districts(text: str, region: str | None = None, limit: int = 20) -> list[District]:
    """Districts that are meant by a text, former ones too, the nearest first, then by name."""
    query = District.select(District, Region).join(Region)
    if region:
        query = query.where(District.region == region)
    by_name = (District.name_uz_latn,) if fold(text) else (Region.position, District.name_uz_latn)
    return search.best(query.order_by(*by_name), text, names_of_district)[:limit]


def find_mahallas(
    text: str, district: str | None = None, region: str | None = None, limit: int = 20
) -> list[Mahalla]:
    """Mahallas that are meant by a text, of the district or else the region when one is given.

    The nearest first, then by name.
    """
    query = Mahalla.select(Mahalla, District, Region).join(District).join(Region)
    asked = search.query(text)
    if not asked.words:
        query = query.where(*_narrowed(district, region))
        return list(query.order_by(Mahalla.name_uz_latn, Mahalla.id).limit(limit))
    inside = Mahalla.select(Mahalla.id).join(District).where(*_narrowed(district, region))
    found = search.find(asked, "mahalla", limit, lambda row: row.in_(inside))
    sure = [one for one in found if search.is_meant(one.cost, found[0].cost)]
    rows = {one.id: one for one in query.where(Mahalla.id.in_([one.row for one in sure]))}
    told = [rows[one.row] for one in sure]
    nowhere = search.NOWHERE * len(asked.words)
    return [one for one in told if search.cost(asked, names_of(one)) < nowhere]


def _narrowed(district: str | None, region: str | None) -> list[Expression]:
    if district:
        return [Mahalla.district == district]
    return [District.region == region] if region else [Mahalla.district.is_null(False)]


def names_of_district(district: District) -> str:
    """The names of a district, former ones too, as the search reads them."""
    return names_in(district.search_key)


@functools.cache
def names_in(search_key: str) -> str:
    """The names in a district's key; those of towns also without the word that Russian adds."""
    names = search_key.strip("|")
    return f"{names}|{names.replace(f'|{_TOWN} ', '|')}" if f"|{_TOWN} " in names else names


def remember(mahallas: Iterable[Mahalla]) -> None:
    """Let mahallas be found by their names, with their districts and regions."""
    for one in mahallas:
        search.put(entry_of(one))


def entry_of(one: Mahalla) -> search.Entry:
    """What a mahalla is found by."""
    names = (one.name_uz_cyrl, one.name_ru)
    wider = [one.district, one.district.region] if one.district else []
    about = " ".join(f"{place.name_uz_latn} {place.name_ru}" for place in wider)
    return search.Entry(
        "mahalla", str(one.id), one.name_uz_latn, names=names, about=f"{about} {_KIND}", row=one.id
    )


def whole_mahallas() -> ModelSelect:
    """Every mahalla with its district and region."""
    query = Mahalla.select(Mahalla, District, Region)
    return query.join(District, JOIN.LEFT_OUTER).join(Region, JOIN.LEFT_OUTER)


def exact_region(text: str) -> Region | None:
    """The region of exactly this name, in any script."""
    if not (key := fold(text)):
        return None
    return next((r for r in Region.select() if key in names_of(r).split("|")), None)


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
    if known:
        return known
    made = Mahalla.create(
        name_uz_latn=text,
        name_uz_cyrl=text,
        name_ru=text,
        district=district,
        search_key=mahalla_key(text),
        typed=True,
    )
    remember([made])
    return made


def forget_mahalla(id: int) -> None:
    """Remove a typed mahalla that no appeal has, also from the search; in a write transaction.

    One that was imported, or that an appeal has, stays.
    """
    typed = Mahalla.get_or_none(Mahalla.id == id, Mahalla.typed, Mahalla.code.is_null())
    if typed is None or Appeal.select().where(Appeal.mahalla == id).exists():
        return
    names = (typed.name_uz_latn, typed.name_uz_cyrl, typed.name_ru)
    joined = (name.replace(" ", "") for name in names)
    search.drop("mahalla", str(typed.id))
    search.forget("mahalla", *names, *joined)
    typed.delete_instance()
