"""Workbooks for office programs: real numbers, totals as formulas, sheets that print."""

from appliance.reports.xlsx.book import (
    SUM,
    Book,
    Cell,
    Formula,
    Plain,
    Seconds,
    Sheet,
    Table,
    Value,
)
from appliance.reports.xlsx.writing import write

__all__ = ["SUM", "Book", "Cell", "Formula", "Plain", "Seconds", "Sheet", "Table", "Value", "write"]
