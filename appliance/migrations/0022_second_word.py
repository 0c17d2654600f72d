"""Keys to appeals need a second person's word: those of before wait for it, too."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("access_key", "confirmed_at", MomentField(null=True)),
        migrator.add_column("access_key", "confirmed_by", CharField(default="")),
    )
    db.execute_sql("UPDATE access_key SET confirmed_at = made_at WHERE scopes = 'reports:read'")


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("access_key", "confirmed_by"),
        migrator.drop_column("access_key", "confirmed_at"),
    )
