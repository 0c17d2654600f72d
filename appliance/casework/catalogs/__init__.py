"""Editable lists: places, the values of the form's lists, the days that differ."""

from appliance.casework.catalogs.columns import SHEETS
from appliance.casework.catalogs.days import calendar_ends, working_calendar
from appliance.casework.catalogs.lists import (
    CATALOGS,
    PAUSES,
    catalog,
    choices,
    code_of,
    find,
    in_use,
    items,
    label,
    labels,
    lists,
    named_values,
)
from appliance.casework.catalogs.nearness import is_near
from appliance.casework.catalogs.places import (
    PLACES,
    districts_of,
    exact_district,
    exact_mahalla,
    exact_region,
    find_districts,
    find_mahallas,
    find_regions,
    place,
    remember_mahalla,
)
from appliance.casework.catalogs.sheets import SheetError, export_csv, import_csv, seed

__all__ = [
    "CATALOGS",
    "PAUSES",
    "PLACES",
    "SHEETS",
    "SheetError",
    "calendar_ends",
    "catalog",
    "choices",
    "code_of",
    "districts_of",
    "exact_district",
    "exact_mahalla",
    "exact_region",
    "export_csv",
    "find",
    "find_districts",
    "find_mahallas",
    "find_regions",
    "import_csv",
    "in_use",
    "is_near",
    "items",
    "label",
    "labels",
    "lists",
    "named_values",
    "place",
    "remember_mahalla",
    "seed",
    "working_calendar",
]
