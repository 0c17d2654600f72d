"""Whether a value is what was typed, so surely that a key may take it unseen."""

from appliance.casework.catalogs.keys import names_of
from appliance.casework.catalogs.places import names_of_district
from appliance.core import search
from appliance.models import CatalogItem, District, Mahalla, Region


def is_near(one: CatalogItem | Region | District | Mahalla, asked: search.Query) -> bool:
    """Whether every word typed stands in its names without an error, in any language."""
    names = names_of_district(one) if isinstance(one, District) else names_of(one)
    return search.is_near(asked, names)
