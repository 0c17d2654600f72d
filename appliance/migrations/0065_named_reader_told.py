"""Whether who is named to read a personal appeal has opened it since."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    migrator.migrate(migrator.add_column("appeal_reader", "opened_at", MomentField(null=True)))
    # Who was named before this was noted is not told anew.
    db.execute_sql('UPDATE "appeal_reader" SET "opened_at" = "at"')


def down(migrator, db):
    migrator.migrate(migrator.drop_column("appeal_reader", "opened_at"))
