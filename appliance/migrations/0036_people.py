"""Of a person: name in Cyrillic, topics served, when last seen, a password to be changed."""

from peewee import *

from appliance.core.tables import MomentField

COLUMNS = {
    "name_cyrl": CharField(default=""),
    "must_change": BooleanField(default=False),
    "topics": CharField(null=True),
    "seen_at": MomentField(null=True),
}


def up(migrator, db):
    for name, field in COLUMNS.items():
        migrator.migrate(migrator.add_column("user", name, field))


def down(migrator, db):
    for name in reversed(COLUMNS):
        migrator.migrate(migrator.drop_column("user", name))
