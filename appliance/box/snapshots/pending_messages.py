"""Messages that waited when the data were saved: after a restore they are on hold for review.

They may have been sent since. Messages put after the restore are sent as usual.
"""

import datetime as dt
from pathlib import Path

import peewee
from peewee import SqliteDatabase

from appliance.box.snapshots.numbers import read_only
from appliance.core import clock
from appliance.core.outbox.tables import HeldMessage, Message

_WAITED = ("pending", "claimed")
_PIECE = 500  # keys asked for at once


def hold(restored: Path, replaced: Path) -> int:
    """Put on hold what waits in a restored database; returns how many messages.

    `replaced`: the site's database before; where it can be read, it shows their later states.
    """
    here = SqliteDatabase(str(restored), pragmas={"foreign_keys": 1})
    waiting = (Message.state.in_(_WAITED), Message.channel != "none")
    with here.connection_context(), here.atomic("immediate"):
        rows = Message.select(Message.id, Message.key).where(*waiting).bind(here)
        keys = dict(rows.tuples())
        former = _former_states(replaced, list(keys.values()))
        now: dt.datetime = clock.now()
        for id, key in keys.items():
            row = {"message": id, "held_at": now, "former": former.get(key, "")}
            HeldMessage.insert(row).on_conflict_ignore().bind(here).execute()
        update = Message.update(state="held", claimed_until=None).where(*waiting)
        update.bind(here).execute()
    return len(keys)


def _former_states(replaced: Path, keys: list[str]) -> dict[str, str]:
    """Key → state in the replaced database, of those that do not wait there any more."""
    there = read_only(replaced)
    states: dict[str, str] = {}
    try:
        with there.connection_context():
            for start in range(0, len(keys), _PIECE):
                piece = Message.key.in_(keys[start : start + _PIECE])
                rows = Message.select(Message.key, Message.state).where(piece).bind(there)
                states |= {key: state for key, state in rows.tuples() if state not in _WAITED}
    except peewee.PeeweeException:  # it is not there, of another schema, or damaged
        return {}
    return states
