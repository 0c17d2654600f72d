"""A long history in little time: the demo's fourteen days, told again of days before them.

The calls, appeals, forms and telephone numbers of a copy are others than those it is of.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping

from peewee import AutoField, Field, ForeignKeyField, fn

from appliance import demo
from appliance.core import db
from appliance.core.settings import Settings
from appliance.core.tables import MomentField, Table
from appliance.demo.world import of_site
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

DAYS = 14  # of a piece of history: whole weeks
_TABLES: tuple[type[Table], ...] = (
    *(Applicant, Call, QueueVisit, Ring, Talk, Transfer, Recording),
    *(EventRow, Appeal, CallForm, Presence, AsteriskWatch, FollowUp),
)
# what names a row, or the call that it is of: in a copy it begins with the copy's number
_NAMES = {"file", "call_id", "hash", "linkedid", "uniqueid", "number", "appeal_number"}
_PHONES = {"caller", "callee", "phone"}
_DAY = 86_400 * 10**6  # microseconds


def fill(settings: Settings, calls: int, a_day: int, last: dt.date) -> Period:
    """About so many calls, so many a day, up to a day; returns the days. Seconds, not minutes.

    The site has operators, and no calls.
    """
    days = min(DAYS, max(1, calls // a_day))
    first = last - dt.timedelta(days=days - 1)
    size = min(calls, days * a_day)
    demo.load(of_site(settings, first, last), size, 1)
    followups.rebuild()
    copies = round(calls / size) - 1
    lasts = {table: _last(table) for table in _TABLES}
    with _hasty():
        for table in _TABLES if copies else ():
            _tell_again(table, copies, days, lasts)
    return Period(first - dt.timedelta(days=copies * days), last, settings.tz)


@contextlib.contextmanager
def _hasty() -> Iterator[None]:
    """A while in which nothing need be on the disk, and a gigabyte is at hand."""
    for pragma in ("synchronous = off", "cache_size = -1000000", "foreign_keys = off"):
        db.database.execute_sql(f"PRAGMA {pragma}")
    yield
    db.database.close()
    db.database.connect()


def _tell_again(
    table: type[Table], copies: int, days: int, lasts: Mapping[type[Table], int]
) -> None:
    """Add copies of a table's rows, each so many days before the one it follows."""
    name = table._meta.table_name
    columns = list(table._meta.sorted_fields)
    names = ", ".join(f'"{column.column_name}"' for column in columns)
    values = ", ".join(_of_copy(table, column, days, lasts) for column in columns)
    with db.writing():
        db.database.execute_sql(f'CREATE TEMP TABLE piece AS SELECT {names} FROM "{name}"')  # noqa: S608
        db.database.execute_sql(
            "WITH RECURSIVE copy(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM copy WHERE n < ?) "  # noqa: S608
            f'INSERT INTO "{name}" ({names}) SELECT {values} FROM copy CROSS JOIN piece',
            (copies,),
        )
        db.database.execute_sql("DROP TABLE piece")


def _of_copy(table: type[Table], column: Field, days: int, lasts: Mapping[type[Table], int]) -> str:
    """A column of a row of the copy `n`."""
    name = f'"{column.column_name}"'
    if isinstance(column, MomentField):
        return f"{name} - n * {days * _DAY}"
    if isinstance(column, AutoField):
        return f"{name} + n * {lasts[table]}"
    if isinstance(column, ForeignKeyField) and lasts.get(column.rel_model):
        return f"{name} + n * {lasts[column.rel_model]}"
    if column.column_name in _PHONES or (table is FollowUp and column.name == "number"):
        moved = f"(CAST(substr({name}, 7) AS INTEGER) + n * 271828) % 10000000"
        return f"substr({name}, 1, 6) || printf('%07d', {moved})"
    if (
        column.column_name in _NAMES
        or column is Call.id
        or (isinstance(column, ForeignKeyField) and column.rel_model is Call)
    ):
        # as Asterisk's: what is later comes later in the order of names, too
        return f"iif({name} = '', '', printf('%04d-', 9999 - n) || {name})"
    return name


def _last(table: type[Table]) -> int:
    """The greatest of the ids that count the rows of a table; 0 where none do."""
    if not isinstance(table._meta.primary_key, AutoField):
        return 0
    return table.select(fn.MAX(table._meta.primary_key)).scalar() or 0
