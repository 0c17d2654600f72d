"""Decides whether a value matches the typed text so well that a key press may choose it unseen."""

from appliance.casework.catalogs.keys import item_search_names
from appliance.casework.catalogs.places import district_search_names
from appliance.core import search
from appliance.models import CatalogItem, District, Mahalla, Region


def is_close_match(
    item: CatalogItem | Region | District | Mahalla, query: search.SearchQuery
) -> bool:
    """Return True if every word of the query is in the value's names, without spelling errors.

    The names in all languages are compared; a word may be unfinished.
    """
    names = district_search_names(item) if isinstance(item, District) else item_search_names(item)
    return search.matches_without_errors(query, names)
