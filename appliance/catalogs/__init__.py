"""Editable lists: places, the values of the form's lists, the days that differ."""

from appliance.catalogs.columns import SHEETS
from appliance.catalogs.days import working_calendar
from appliance.catalogs.lists import CATALOGS, choices, code_of, find, label, labels
from appliance.catalogs.places import (
    exact_district,
    exact_mahalla,
    exact_region,
    find_districts,
    find_mahallas,
    find_regions,
    remember_mahalla,
)
from appliance.catalogs.sheets import SheetError, export_csv, import_csv, seed

__all__ = [
    "CATALOGS",
    "SHEETS",
    "SheetError",
    "choices",
    "code_of",
    "exact_district",
    "exact_mahalla",
    "exact_region",
    "export_csv",
    "find",
    "find_districts",
    "find_mahallas",
    "find_regions",
    "import_csv",
    "label",
    "labels",
    "remember_mahalla",
    "seed",
    "working_calendar",
]
