# Generated from a schema diff on 2026-11-26 06:43.
from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class Appeal(Model):
        class Meta:
            database = db
            table_name = "appeal"

    class DutyAlert(Model):
        appeal = ForeignKeyField(Appeal, primary_key=True, on_delete="RESTRICT")
        at = MomentField()
        step = IntegerField(default=0)
        next_at = MomentField(index=True, null=True)
        taken_by = CharField(default="")
        taken_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "duty_alert"

    db.create_tables([DutyAlert])

    class EarlyReport(Model):
        gateway = CharField()
        foreign_id = CharField()
        outcome = CharField()
        at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "early_report"
            indexes = ((("gateway", "foreign_id"), True),)

    db.create_tables([EarlyReport])

    class NoticeText(Model):
        purpose = CharField()
        language = CharField()
        text = TextField()

        class Meta:
            database = db
            table_name = "notice_text"
            indexes = ((("purpose", "language"), True),)

    db.create_tables([NoticeText])

    class SmsOptOut(Model):
        number = CharField(primary_key=True)
        at = MomentField()
        by = CharField()

        class Meta:
            database = db
            table_name = "sms_opt_out"

    db.create_tables([SmsOptOut])

    class TelegramBot(Model):
        name = CharField(primary_key=True)
        read = BigIntegerField(default=0)
        trouble = CharField(default="")
        seen_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "telegram_bot"

    db.create_tables([TelegramBot])

    class TelegramChat(Model):
        old = CharField(primary_key=True)
        chat = CharField()

        class Meta:
            database = db
            table_name = "telegram_chat"

    db.create_tables([TelegramChat])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("telegram_chat"))
    migrator.migrate(migrator.drop_table("telegram_bot"))
    migrator.migrate(migrator.drop_table("sms_opt_out"))
    migrator.migrate(migrator.drop_table("notice_text"))
    migrator.migrate(migrator.drop_table("early_report"))
    migrator.migrate(migrator.drop_table("duty_alert"))
