"""Evidence packs, and what citizens ask about their own data."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class EvidencePack(Model):
        call_id = CharField(default="", index=True)
        appeal = CharField(default="", index=True)
        by = CharField()
        reason = TextField()
        asked_at = MomentField()
        state = CharField(default="asked")
        error = TextField(default="")
        made_at = MomentField(null=True)
        file = CharField(default="")
        sha256 = CharField(default="")
        size = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "evidence_pack"

    class DataRequest(Model):
        kind = CharField()
        person = CharField()
        phone = CharField(default="", index=True)
        proof = TextField(default="")
        language = CharField()
        what = TextField(default="")
        asked_at = MomentField(index=True)
        due_on = DateField()
        by = CharField()
        state = CharField(default="open")
        records = DocumentField(default=dict)
        answer = TextField(default="")
        done_at = MomentField(null=True)
        done_by = CharField(default="")

        class Meta:
            database = db
            table_name = "data_request"

    db.create_tables([EvidencePack, DataRequest])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("data_request"), migrator.drop_table("evidence_pack"))
