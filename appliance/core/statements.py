"""Statements worded once for many rows and many times: what writes and asks most goes by them."""

import functools
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from peewee import (
    SQL,
    Expression,
    Field,
    ForeignKeyField,
    ModelSelect,
    __exception_wrapper__,
)

from appliance.core.db import database


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
    with __exception_wrapper__:
        database.cursor().executemany(
            sql, [[kept(row[name]) if kept else row[name] for name, kept in values] for row in rows]
        )


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


class Given(str):
    """The name of a value that a `Question` is asked with."""


class Question:
    """What is asked very often: worded once, then asked with other values.

    `word` makes the query; in it stand `some(field, "name")` for one of the texts of that name, and
    `value("name")` for a number.
    """

    def __init__(self, word: Callable[[], ModelSelect]) -> None:
        self._word = word

    @functools.cached_property
    def _worded(self) -> tuple[str, list[Any]]:
        sql, parameters = self._word().sql()
        return sql, list(parameters)

    def ask(self, **values: Collection[str] | int) -> list[tuple[Any, ...]]:
        """Rows as the columns keep them."""
        sql, parameters = self._worded
        known = {
            name: value if isinstance(value, int) else _listed(value)
            for name, value in values.items()
        }
        told = [known[p] if isinstance(p, Given) else p for p in parameters]
        rows: list[tuple[Any, ...]] = database.execute_sql(sql, told).fetchall()
        return rows


def some(field: Field, name: str) -> Expression:
    """In the words of a `Question`: the field holds one of the texts that are given then."""
    return _among(field, Given(name))


def value(name: str) -> SQL:
    """In the words of a `Question`: a number that is given then."""
    return SQL("?", [Given(name)])


def _among(field: Field, listed: str) -> Expression:
    return field.in_(SQL("(SELECT value FROM json_each(?))", [listed]))


def _listed(texts: Collection[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)
