from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class NoticeRule(Model):
        purpose = CharField(primary_key=True)
        told = BooleanField(default=True)
        account = CharField(default="")

        class Meta:
            database = db
            table_name = "notice_rule"

    class SmsHealth(Model):
        account = CharField(primary_key=True)
        sent_at = MomentField(null=True)
        failures = IntegerField(default=0)
        failing_since = MomentField(null=True)
        held_until = MomentField(null=True)
        trouble = CharField(default="")
        trouble_text = TextField(default="")
        balance = IntegerField(null=True)
        balance_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "sms_health"

    class SmsRating(Model):
        call_id = CharField(primary_key=True)
        token = CharField(unique=True)
        number = CharField(index=True)
        language = CharField()
        asked_at = MomentField()
        expires_at = MomentField()
        mark = IntegerField(null=True)
        marked_at = MomentField(null=True)
        how = CharField(default="")

        class Meta:
            database = db
            table_name = "sms_rating"

    class TextApproval(Model):
        account = CharField()
        purpose = CharField()
        language = CharField()
        text = TextField()
        state = CharField()
        by = CharField()
        at = MomentField()

        class Meta:
            database = db
            table_name = "text_approval"
            indexes = ((("account", "purpose", "language"), True),)

    db.create_tables([NoticeRule, SmsHealth, SmsRating, TextApproval])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("text_approval"))
    migrator.migrate(migrator.drop_table("sms_rating"))
    migrator.migrate(migrator.drop_table("sms_health"))
    migrator.migrate(migrator.drop_table("notice_rule"))
