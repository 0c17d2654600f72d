"""The columns of the ledger's tables, from which the stored facts and the export derive."""

import functools
from operator import attrgetter
from typing import Any

from peewee import AutoField, ForeignKeyField


@functools.cache
def value_columns(table: Any) -> tuple[str, ...]:  # a Table, which mypy cannot hash
    """Return the columns that describe the call, in the table's order.

    The columns that only link a row to its call are left out: its id, its parent and its position.
    """
    return tuple(
        field.name
        for field in table._meta.sorted_fields
        if not isinstance(field, (AutoField, ForeignKeyField)) and field.name != "position"
    )


def column_values(record: object, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of these columns, by name, from the attributes of a row or of facts."""
    return dict(zip(names, _attribute_getter(names)(record), strict=True))


@functools.cache
def _attribute_getter(names: tuple[str, ...]) -> Any:
    return attrgetter(*names)
