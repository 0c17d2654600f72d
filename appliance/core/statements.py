"""Statements worded once for many rows and many times: what writes and asks most goes by them."""

import functools
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

from peewee import (
    SQL,
    CharField,
    Expression,
    Field,
    ForeignKeyField,
    IntegerField,
    Model,
    ModelSelect,
    TextField,
    __exception_wrapper__,
)

from appliance.core.db import database

_encode = json.JSONEncoder(ensure_ascii=False).encode


def insert(
    table: Any,  # a Table; peewee's types know no fields of it
    rows: Sequence[Mapping[str, object]],
    *,
    ignore: bool = False,
    update: tuple[str, ...] = (),
) -> None:
    """Write rows, which all hold the same fields, by one prepared statement.

    `ignore`: those that are there stay as they are; `update`: of those that are there by their
    primary key, these fields are changed. Call it inside a write transaction.
    """
    if not rows:
        return
    names = tuple(rows[0])
    sql, values = _statement(table, names, ignore, update)
    _execute_many(
        sql, [[kept(row[name]) if kept else row[name] for name, kept in values] for row in rows]
    )


def insert_kept(table: Any, names: tuple[str, ...], rows: Sequence[Sequence[object]]) -> None:
    """Write rows of values as the columns of these fields keep them; those there are stay."""
    sql, _how = _statement(table, names, True, ())
    _execute_many(sql, rows)


def _execute_many(sql: str, rows: Sequence[Sequence[object]]) -> None:
    with __exception_wrapper__:
        database.cursor().executemany(sql, rows)


@functools.cache
def _statement(
    table: Any, names: tuple[str, ...], ignore: bool, update: tuple[str, ...]
) -> tuple[str, list[tuple[str, Callable[[Any], Any] | None]]]:
    """An INSERT, and how a field's value becomes what its column keeps, where they differ."""
    meta = table._meta
    fields = [meta.combined[name] for name in names]
    columns = ", ".join(f'"{field.column_name}"' for field in fields)
    marks = ", ".join("?" * len(fields))
    how = "INSERT OR IGNORE" if ignore else "INSERT"
    sql = f'{how} INTO "{meta.table_name}" ({columns}) VALUES ({marks})'
    if update:
        key = meta.primary_key.column_name
        changed = (meta.combined[name].column_name for name in update)
        told = ", ".join(f'"{column}" = excluded."{column}"' for column in changed)
        sql += f' ON CONFLICT ("{key}") DO UPDATE SET {told}'
    as_it_is = (Field.db_value, ForeignKeyField.db_value)
    return sql, [
        (name, None if type(field).db_value in as_it_is else field.db_value)
        for name, field in zip(names, fields, strict=True)
    ]


def among(field: Field, texts: Collection[str]) -> Expression:
    """Whether a field holds one of these texts: a condition of one parameter, for however many."""
    return _among(field, _listed(texts))


def new_row[T: Model](table: type[T], **held: object) -> T:
    """A new row, as `table.create(**held)` makes it, by a prepared statement."""
    made = table(**held)
    values: dict[str, Any] = made.__data__
    sql, kept = _statement(cast(Any, table), tuple(values), False, ())
    cursor = database.execute_sql(sql, [how(values[n]) if how else values[n] for n, how in kept])
    if made._pk is None:
        made._pk = cursor.lastrowid
    made._dirty.clear()
    return made


class Given(str):
    """The name of a value that a `Question` is asked with."""


class Question:
    """What is asked very often: worded once, then asked with other values.

    `word` makes the query; in it stand `some(field, "name")` for one of the texts of that name, and
    `value("name")` for one text or number as the column keeps it.
    """

    def __init__(self, word: Callable[[], ModelSelect]) -> None:
        self._word = word
        self._fields: list[tuple[str, Callable[[Any], Any] | None]] | None = None

    @functools.cached_property
    def _worded(self) -> tuple[str, list[Any], Any]:
        query = self._word()
        sql, parameters = query.sql()
        return sql, list(parameters), query.model

    def ask(self, **values: Collection[str] | str | int) -> list[tuple[Any, ...]]:
        """Rows as the columns keep them."""
        sql, parameters, _table = self._worded
        filled = _filled_in(parameters, values)
        rows: list[tuple[Any, ...]] = database.execute_sql(sql, filled).fetchall()
        return rows

    def rows(self, **values: Collection[str] | str | int) -> list[Any]:
        """Rows as objects of the table that is asked, all of whose columns are its own."""
        sql, parameters, table = self._worded
        cursor = database.execute_sql(sql, _filled_in(parameters, values))
        if self._fields is None:
            read = [table._meta.columns[name] for name, *_ in cursor.description]
            self._fields = [
                (field.name, None if _is_plain(field) else field.python_value) for field in read
            ]
        return [_made(table, self._fields, row) for row in cursor.fetchall()]

    def first(self, **values: Collection[str] | str | int) -> Any:
        """The first row as such an object, or None; the query itself says that it wants one."""
        return next(iter(self.rows(**values)), None)


def row_with[T: Model](table: type[T], **held: str | int) -> T | None:
    """The row whose fields hold these texts or numbers as the columns keep them; None: no such."""
    found: T | None = _found_by(cast(Any, table), tuple(held)).first(**held)
    return found


@functools.cache
def _found_by(table: Any, names: tuple[str, ...]) -> Question:
    """What `row_with` asks of a table by fields of these names."""
    same = [getattr(table, name) == value(name) for name in names]
    return Question(lambda: table.select().where(*same).limit(1))


def _is_plain(field: Field) -> bool:
    """Whether what its column keeps is what an object holds."""
    if isinstance(field, ForeignKeyField):
        return _is_plain(field.rel_field)
    kept = isinstance(field, (IntegerField, CharField, TextField))
    return kept and type(field).python_value is Field.python_value


def _made(
    table: Any, fields: Sequence[tuple[str, Callable[[Any], Any] | None]], row: Sequence[Any]
) -> Any:
    """An object of a table as peewee makes it of a row that was read."""
    made = table(__no_default__=True)
    held = made.__data__
    for (name, read), told in zip(fields, row, strict=True):
        held[name] = read(told) if read else told
    return made


def _filled_in(
    parameters: list[Any], values: Mapping[str, Collection[str] | str | int]
) -> list[Any]:
    known = {
        name: value if isinstance(value, (int, str)) else _listed(value)
        for name, value in values.items()
    }
    return [known[p] if isinstance(p, Given) else p for p in parameters]


def some(field: Field, name: str) -> Expression:
    """In the words of a `Question`: the field holds one of the texts that are given then."""
    return _among(field, Given(name))


def value(name: str) -> SQL:
    """In the words of a `Question`: a text or a number that is given then."""
    return SQL("?", [Given(name)])


def _among(field: Field, listed: str) -> Expression:
    return field.in_(SQL("(SELECT value FROM json_each(?))", [listed]))


def _listed(texts: Collection[str]) -> str:
    return _encode(list(texts))
