"""Whether a value is what was typed, so surely that a key may take it unseen."""

from appliance.casework.catalogs.lists import names_of
from appliance.casework.catalogs.places import names_of_place
from appliance.core import search
from appliance.models import CatalogItem, District, Mahalla, Region


def is_near(one: CatalogItem | Region | District | Mahalla, typed: str) -> bool:
    """Whether every word typed stands in its names without an error, in any language."""
    names = names_of(one) if isinstance(one, CatalogItem) else names_of_place(one)
    return search.is_near(typed, names)
