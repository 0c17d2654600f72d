"""SQL statements compiled once and reused, for the most frequent writes and queries."""

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


def insert_rows(
    table: Any,  # a Table; peewee's types do not declare its fields
    rows: Sequence[Mapping[str, object]],
    *,
    ignore: bool = False,
    update: tuple[str, ...] = (),
) -> None:
    """Insert rows of a table by one prepared statement, which is faster than `table.create`.

    Each row maps the same field names to values. Of a row that exists already (one with the same
    unique key), `ignore` leaves all fields unchanged, and `update` names the fields that are
    updated (the new row must have its primary key). Without either, IntegrityError is raised for
    such a row. Call it inside a write transaction.
    """
    if not rows:
        return
    field_names = tuple(rows[0])
    sql, encoders = _insert_statement(table, field_names, ignore=ignore, update=update)
    _execute_many(
        sql,
        [[encode(row[name]) if encode else row[name] for name, encode in encoders] for row in rows],
    )


def insert_encoded_rows(
    table: Any, field_names: tuple[str, ...], rows: Sequence[Sequence[object]]
) -> None:
    """Insert rows fast: each is a sequence of values, already as the columns store them.

    The values are in the order of `field_names`. Rows that exist already (with the same unique key)
    stay unchanged.
    """
    sql, _encoders = _insert_statement(table, field_names, ignore=True, update=())
    _execute_many(sql, rows)


def _execute_many(sql: str, rows: Sequence[Sequence[object]]) -> None:
    """Execute a statement once for each row of values. Raises peewee's errors, not the driver's."""
    with __exception_wrapper__:
        database.cursor().executemany(sql, rows)


@functools.cache
def _insert_statement(
    table: Any, field_names: tuple[str, ...], *, ignore: bool, update: tuple[str, ...]
) -> tuple[str, list[tuple[str, Callable[[Any], Any] | None]]]:
    """Return an INSERT statement, and for each field its name and encoder.

    An encoder converts a value to the form that the column stores; it is None if the value needs no
    conversion. For `ignore` and `update` see `insert_rows`.
    """
    meta = table._meta
    fields = [meta.combined[name] for name in field_names]
    columns = ", ".join(f'"{field.column_name}"' for field in fields)
    placeholders = ", ".join("?" * len(fields))
    verb = "INSERT OR IGNORE" if ignore else "INSERT"
    sql = f'{verb} INTO "{meta.table_name}" ({columns}) VALUES ({placeholders})'
    if update:
        key = meta.primary_key.column_name
        updated_columns = (meta.combined[name].column_name for name in update)
        assignments = ", ".join(f'"{column}" = excluded."{column}"' for column in updated_columns)
        sql += f' ON CONFLICT ("{key}") DO UPDATE SET {assignments}'
    # These would only convert a value to the column's type; callers pass this type already.
    plain_encoders = (Field.db_value, ForeignKeyField.db_value)
    return sql, [
        (name, None if type(field).db_value in plain_encoders else field.db_value)
        for name, field in zip(field_names, fields, strict=True)
    ]


def is_one_of(field: Field, texts: Collection[str]) -> Expression:
    """Return the condition that a field equals one of `texts`.

    They are passed as one SQL parameter, so that their number is not limited.
    """
    return _is_in_json_list(field, _encode_texts(texts))


def create_row[T: Model](table: type[T], **field_values: object) -> T:
    """Insert and return a row as `table.create(**field_values)` does, but faster.

    The statement is prepared once and reused.
    """
    instance: T = table(**field_values)
    values: dict[str, Any] = instance.__data__
    sql, encoders = _insert_statement(cast(Any, table), tuple(values), ignore=False, update=())
    cursor = database.execute_sql(
        sql, [encode(values[n]) if encode else values[n] for n, encode in encoders]
    )
    # The id that the database assigned, and no changed fields: as `table.create` leaves it.
    if instance._pk is None:
        instance._pk = cursor.lastrowid
    instance._dirty.clear()
    return instance


class ParameterName(str):
    """Represents, in the SQL of a `PreparedQuery`, a value that is passed when it is executed.

    It is the name under which the value is passed.
    """


class PreparedQuery:
    """A frequent query: compiled to SQL once, then executed with varying values.

    `build_query` returns the query. In it, `query_parameter("name")` is the place of a text or
    number, and `is_one_of_parameter(field, "name")` is the condition that the field equals one of
    several texts. The values are passed, under these names, when the query is executed.
    """

    def __init__(self, build_query: Callable[[], ModelSelect]) -> None:
        """Prepare nothing yet: `build_query` is called once, when the query is first executed."""
        self._build_query = build_query
        # The selected fields, in the form that `_build_object` takes; None until the first fetch.
        self._decoders: list[tuple[str, Callable[[Any], Any] | None]] | None = None

    @functools.cached_property
    def _compiled_query(self) -> tuple[str, list[Any], Any]:
        """The query as SQL, its parameters (`ParameterName` for those passed later), its table."""
        query = self._build_query()
        sql, parameters = query.sql()
        return sql, list(parameters), query.model

    def fetch_tuples(self, **values: Collection[str] | str | int) -> list[tuple[Any, ...]]:
        """Execute the query; returns the rows as the columns store them.

        `values` are the values of the query's parameters, by name: several texts for one of
        `is_one_of_parameter`.
        """
        sql, parameters, _table = self._compiled_query
        bound_parameters = _bind_parameters(parameters, values)
        rows: list[tuple[Any, ...]] = database.execute_sql(sql, bound_parameters).fetchall()
        return rows

    def fetch_objects(self, **values: Collection[str] | str | int) -> list[Any]:
        """Execute the query; returns instances of its table's model, one for each row.

        Every selected column must belong to that table. `values` are the values of the
        query's parameters, by name: several texts for one of `is_one_of_parameter`.
        """
        sql, parameters, table = self._compiled_query
        cursor = database.execute_sql(sql, _bind_parameters(parameters, values))
        if self._decoders is None:
            fields = [table._meta.columns[name] for name, *_ in cursor.description]
            self._decoders = [
                (field.name, None if _is_plain_field(field) else field.python_value)
                for field in fields
            ]
        return [_build_object(table, self._decoders, row) for row in cursor.fetchall()]

    def fetch_first(self, **values: Collection[str] | str | int) -> Any:
        """Return the first row as `fetch_objects` does; None if there is no row.

        The query should select one row only, because all are read.
        """
        return next(iter(self.fetch_objects(**values)), None)


def find_row[T: Model](table: type[T], **field_values: str | int) -> T | None:
    """Return the row whose fields equal `field_values`, or None; faster than peewee's own query.

    The values are given as the columns store them.
    """
    row: T | None = _row_query(cast(Any, table), tuple(field_values)).fetch_first(**field_values)
    return row


@functools.cache
def _row_query(table: Any, names: tuple[str, ...]) -> PreparedQuery:
    """Return the prepared query that `find_row` executes for these fields of a table."""
    conditions = [getattr(table, name) == query_parameter(name) for name in names]
    return PreparedQuery(lambda: table.select().where(*conditions).limit(1))


def _is_plain_field(field: Field) -> bool:
    """Return True if a field's value in Python equals that in the column, without decoding."""
    if isinstance(field, ForeignKeyField):
        return _is_plain_field(field.rel_field)
    is_plain_type = isinstance(field, (IntegerField, CharField, TextField))
    return is_plain_type and type(field).python_value is Field.python_value


def _build_object(
    table: Any, fields: Sequence[tuple[str, Callable[[Any], Any] | None]], row: Sequence[Any]
) -> Any:
    """Build the object of a table for a fetched row, as peewee does.

    `fields` are, for each selected field, its name and the function that decodes its column (None
    if the column's value is the field's value).
    """
    instance = table(__no_default__=True)  # peewee's keyword: leave out the defaults of fields
    data = instance.__data__
    for (name, decode), column_value in zip(fields, row, strict=True):
        data[name] = decode(column_value) if decode else column_value
    return instance


def _bind_parameters(
    parameters: list[Any], values: Mapping[str, Collection[str] | str | int]
) -> list[Any]:
    """Return the SQL parameters of a query, with each `ParameterName` replaced by its value.

    `values` are the values by name.
    """
    bound_values = {
        name: value if isinstance(value, (int, str)) else _encode_texts(value)
        for name, value in values.items()
    }
    return [bound_values[p] if isinstance(p, ParameterName) else p for p in parameters]


def is_one_of_parameter(field: Field, name: str) -> Expression:
    """Return a condition for a `PreparedQuery`: a field equals one of several texts.

    The texts are passed as the argument `name` when the query is executed.
    """
    return _is_in_json_list(field, ParameterName(name))


def query_parameter(name: str) -> SQL:
    """Return a placeholder for a text or number in a `PreparedQuery`.

    It is passed as the argument `name` when the query is executed.
    """
    return SQL("?", [ParameterName(name)])


def _is_in_json_list(field: Field, json_texts: str) -> Expression:
    """Return the condition that a field equals one of the texts in a JSON list.

    `json_texts` is the list as JSON, or the ParameterName of one that is passed later.
    """
    return field.in_(SQL("(SELECT value FROM json_each(?))", [json_texts]))


def _encode_texts(texts: Collection[str]) -> str:
    """Return texts as a JSON list, in the form that `_is_in_json_list` takes."""
    return _encode(list(texts))
