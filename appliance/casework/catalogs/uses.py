"""Where lists are used: by which fields of a form, and how often."""

from peewee import fn

from appliance.casework.catalogs.lists import CATALOGS
from appliance.models import Appeal


def fields_of(catalog: str) -> tuple[str, ...]:
    """The fields of form №1 that choose from a list: of each of CATALOGS the one of its name."""
    return (catalog,) if catalog in CATALOGS else ()


def uses(catalog: str) -> dict[str, int]:
    """Code → how many appeals have it."""
    found: dict[str, int] = {}
    for name in fields_of(catalog):
        column = getattr(Appeal, name)
        query = Appeal.select(column, fn.COUNT(Appeal.id)).group_by(column)
        for code, count in query.tuples():
            found[code] = found.get(code, 0) + count
    return found
