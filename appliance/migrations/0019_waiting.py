"""When a message was first to go: a later attempt does not make its wait any shorter."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    migrator.migrate(migrator.add_column("message", "wanted_at", MomentField(null=True)))
    db.execute_sql("UPDATE message SET wanted_at = max(created_at, min(due_at, tried_at))")
    db.execute_sql("UPDATE message SET wanted_at = due_at WHERE wanted_at IS NULL")
    migrator.migrate(migrator.add_not_null("message", "wanted_at"))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("message", "wanted_at"))
