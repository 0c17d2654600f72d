"""What is asked of an operator's calls is found by indexes, however many calls lie behind him."""

from peewee import SQL

# table, name, columns, of which rows
_NEW = (
    ("call", "call_of_ours", ("by", "arrived_at"), '"by" IS NOT NULL'),
    ("call", "call_going_on", ("by", "ended_at", "arrived_at"), '"ended_at" IS NULL'),
    ("ring", "ring_going_on", ("operator", "ended_at"), '"ended_at" IS NULL'),
    ("talk", "talk_going_on", ("who", "ended_at"), '"ended_at" IS NULL'),
    ("talk", "talk_who_started_at", ("who", "started_at"), None),
    ("transfer", "transfer_going_on", ("by", "result"), '"result" IS NULL'),
    ("event_row", "event_row_first", ("begins", "at"), '"begins" IS NOT NULL'),
    ("event_row", "event_row_dialled", ("phone", "at"), '"phone" IS NOT NULL'),
)
_OLD = (
    ("call", "call_by", ("by",)),
    ("ring", "ring_operator", ("operator",)),
    ("talk", "talk_who", ("who",)),
    ("event_row", "event_row_begins_at", ("begins", "at")),
    ("event_row", "event_row_phone_at", ("phone", "at")),
)


def up(migrator, db):
    for table, name, columns, rows in _NEW:
        where = SQL(rows) if rows else None
        migrator.migrate(migrator.add_index(table, columns, name=name, where=where))
    for table, name, _columns in _OLD:
        migrator.migrate(migrator.drop_index(table, name))


def down(migrator, db):
    for table, name, columns in _OLD:
        migrator.migrate(migrator.add_index(table, columns, name=name))
    for table, name, _columns, _rows in _NEW:
        migrator.migrate(migrator.drop_index(table, name))
