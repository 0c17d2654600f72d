"""Puts messages on hold for review after a restore if they were pending when data were saved.

They may have been sent since. Messages queued after the restore are sent as usual.
"""

import datetime as dt
from pathlib import Path

import peewee
from peewee import SqliteDatabase

from appliance.box.snapshots.numbers import open_read_only
from appliance.core import clock
from appliance.core.outbox import HeldMessage, Message

_PENDING_STATES = ("pending", "claimed")
_KEYS_PER_QUERY = 500  # that one query may contain


def hold_pending_messages(restored: Path, replaced: Path) -> int:
    """Put the pending messages of a restored database on hold; returns their number.

    `replaced`: the site's former database; if it can be read, it shows their later states.
    """
    connection = SqliteDatabase(str(restored), pragmas={"foreign_keys": 1})
    is_pending = (Message.state.in_(_PENDING_STATES), Message.channel != "none")
    with connection.connection_context(), connection.atomic("immediate"):
        rows = Message.select(Message.id, Message.key).where(*is_pending).bind(connection)
        keys = dict(rows.tuples())
        former = _former_states(replaced, list(keys.values()))
        now: dt.datetime = clock.now()
        for id, key in keys.items():
            row = {"message": id, "held_at": now, "former": former.get(key, "")}
            HeldMessage.insert(row).on_conflict_ignore().bind(connection).execute()
        update = Message.update(state="held", claimed_until=None).where(*is_pending)
        update.bind(connection).execute()
    return len(keys)


def _former_states(replaced: Path, keys: list[str]) -> dict[str, str]:
    """Map keys of messages to their states in the replaced database, unless pending there."""
    connection = open_read_only(replaced)
    states: dict[str, str] = {}
    try:
        with connection.connection_context():
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                is_in_batch = Message.key.in_(keys[start : start + _KEYS_PER_QUERY])
                rows = (
                    Message.select(Message.key, Message.state).where(is_in_batch).bind(connection)
                )
                states |= {
                    key: state for key, state in rows.tuples() if state not in _PENDING_STATES
                }
    except peewee.PeeweeException:  # the database is missing, of another schema, or damaged
        return {}
    return states
