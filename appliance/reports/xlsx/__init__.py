"""Workbooks for spreadsheet programs, with real numbers, sums as formulas and a print layout."""

from appliance.reports.xlsx.book import (
    SUM,
    Cell,
    CellValue,
    Formula,
    PlainValue,
    Seconds,
    Sheet,
    Table,
    Workbook,
)
from appliance.reports.xlsx.long_table import LongTable, LongTableValue, write_long_table
from appliance.reports.xlsx.writing import write_workbook

__all__ = [
    "SUM",
    "Workbook",
    "Cell",
    "Formula",
    "PlainValue",
    "Seconds",
    "Sheet",
    "Table",
    "CellValue",
    "LongTable",
    "LongTableValue",
    "write_long_table",
    "write_workbook",
]
