"""Templates of the short messages that people write by hand."""

from peewee import *


def up(migrator, db):
    class SmsTemplate(Model):
        name = CharField()
        uz = TextField()
        ru = TextField()
        position = IntegerField(default=0)
        active = BooleanField(default=True)

        class Meta:
            database = db
            table_name = "sms_template"

    db.create_tables([SmsTemplate])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("sms_template"))
