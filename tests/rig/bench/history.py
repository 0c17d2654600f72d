"""A long history in little time: the demo's fourteen days, repeated for days before them.

The calls, appeals, forms and telephone numbers of a copy differ from those of the original.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping

from peewee import AutoField, Field, ForeignKeyField, fn

from appliance import demo
from appliance.core import db
from appliance.core.settings import Settings
from appliance.core.tables import MomentField, Table
from appliance.demo.world import load_site_profile
from appliance.models import (
    Appeal,
    Applicant,
    AsteriskWatch,
    Call,
    CallForm,
    EventRow,
    FollowUp,
    Presence,
    QueueVisit,
    Recording,
    Ring,
    Talk,
    Transfer,
)
from appliance.reports.periods import Period
from appliance.telephony import followups

PIECE_DAYS = 14  # days in a piece of history: whole weeks
_TABLES: tuple[type[Table], ...] = (
    *(Applicant, Call, QueueVisit, Ring, Talk, Transfer, Recording),
    *(EventRow, Appeal, CallForm, Presence, AsteriskWatch, FollowUp),
)
# columns that identify a row or its call: in a copy the value begins with the copy's number
_NAME_COLUMNS = {"file", "call_id", "hash", "linkedid", "uniqueid", "number", "appeal_number"}
_PHONE_COLUMNS = {"caller", "callee", "phone"}
_DAY_MICROSECONDS = 86_400 * 10**6  # microseconds


def fill_history(settings: Settings, calls: int, calls_per_day: int, last: dt.date) -> Period:
    """Add about `calls` calls, `calls_per_day` a day, up to the day `last`; returns the days.

    It takes seconds, not minutes. The site must have operators, and no calls.
    """
    days = min(PIECE_DAYS, max(1, calls // calls_per_day))
    first = last - dt.timedelta(days=days - 1)
    size = min(calls, days * calls_per_day)
    demo.load_history(load_site_profile(settings, first, last), size, 1)
    followups.rebuild_tasks()
    copies = round(calls / size) - 1
    last_ids = {table: _last_id(table) for table in _TABLES}
    with _fast_writes():
        for table in _TABLES if copies else ():
            _copy_rows(table, copies, days, last_ids)
    return Period(first - dt.timedelta(days=copies * days), last, settings.tz)


@contextlib.contextmanager
def _fast_writes() -> Iterator[None]:
    """Write without waiting for the disk, with a cache of a gigabyte."""
    for pragma in ("synchronous = off", "cache_size = -1000000", "foreign_keys = off"):
        db.database.execute_sql(f"PRAGMA {pragma}")
    yield
    db.database.close()
    db.database.connect()


def _copy_rows(
    table: type[Table], copies: int, days: int, last_ids: Mapping[type[Table], int]
) -> None:
    """Add copies of a table's rows, each `days` days before the one it follows."""
    name = table._meta.table_name
    columns = list(table._meta.sorted_fields)
    names = ", ".join(f'"{column.column_name}"' for column in columns)
    values = ", ".join(_copied_column(table, column, days, last_ids) for column in columns)
    with db.write_transaction():
        db.database.execute_sql(f'CREATE TEMP TABLE piece AS SELECT {names} FROM "{name}"')  # noqa: S608
        db.database.execute_sql(
            "WITH RECURSIVE copy(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM copy WHERE n < ?) "  # noqa: S608
            f'INSERT INTO "{name}" ({names}) SELECT {values} FROM copy CROSS JOIN piece',
            (copies,),
        )
        db.database.execute_sql("DROP TABLE piece")


def _copied_column(
    table: type[Table], column: Field, days: int, last_ids: Mapping[type[Table], int]
) -> str:
    """The SQL expression of a column in the copy `n`."""
    name = f'"{column.column_name}"'
    if isinstance(column, MomentField):
        return f"{name} - n * {days * _DAY_MICROSECONDS}"
    if isinstance(column, AutoField):
        return f"{name} + n * {last_ids[table]}"
    if isinstance(column, ForeignKeyField) and last_ids.get(column.rel_model):
        return f"{name} + n * {last_ids[column.rel_model]}"
    if column.column_name in _PHONE_COLUMNS or (table is FollowUp and column.name == "number"):
        shifted = f"(CAST(substr({name}, 7) AS INTEGER) + n * 271828) % 10000000"
        return f"substr({name}, 1, 6) || printf('%07d', {shifted})"
    if (
        column.column_name in _NAME_COLUMNS
        or column is Call.id
        or (isinstance(column, ForeignKeyField) and column.rel_model is Call)
    ):
        # as with Asterisk's ids: later calls also sort later by name
        return f"iif({name} = '', '', printf('%04d-', 9999 - n) || {name})"
    return name


def _last_id(table: type[Table]) -> int:
    """The greatest id of a table whose ids count its rows; 0 for any other table."""
    if not isinstance(table._meta.primary_key, AutoField):
        return 0
    return table.select(fn.MAX(table._meta.primary_key)).scalar() or 0
