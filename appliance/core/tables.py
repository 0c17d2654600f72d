"""What every table shares: the database, and fields that store datetimes and JSON documents."""

import datetime as dt
import json
from typing import Any

from peewee import BigIntegerField, Model, TextField

from appliance.core.clock import datetime_from_microseconds, microseconds_since_epoch
from appliance.core.db import database

# With sorted keys, equal values have equal texts.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


class MomentField(BigIntegerField):  # type: ignore[misc]  # peewee has no types
    """A point in time: an aware datetime in Python, microseconds since 1970 UTC in the table.

    Integers sort and compare in every SQL dialect and keep every microsecond of Asterisk's log. An
    integer that is assigned or compared is taken as microseconds already.
    """

    def db_value(self, value: dt.datetime | int | None) -> int | None:
        """Return an aware datetime in microseconds since 1970 UTC; an integer or None unchanged."""
        if value is None or isinstance(value, int):
            return value
        return microseconds_since_epoch(value)

    def python_value(self, value: int | None) -> dt.datetime | None:
        """Return the UTC datetime of stored microseconds; None (NULL) stays None."""
        return None if value is None else datetime_from_microseconds(value)


class DocumentField(TextField):  # type: ignore[misc]  # peewee has no types
    """A field for a small JSON value (a dict, list, text, number …), stored as JSON text."""

    def db_value(self, value: Any) -> str | None:
        """Encode a value as JSON; None becomes NULL."""
        return None if value is None else _encode(value)

    def python_value(self, value: str | None) -> Any:
        """Decode a value from JSON; NULL becomes None."""
        return None if value is None else json.loads(value)


class Table(Model):  # type: ignore[misc]  # peewee has no types
    """The base class of the models of all tables: it connects them to the appliance's database."""

    class Meta:
        database = database
        legacy_table_names = False
