"""Transfers, calls out, compressed recordings; the log's rows found by what they begin."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField

_BATCH = 2000


def up(migrator, db):
    class Call(Model):
        id = CharField(primary_key=True)

        class Meta:
            database = db
            table_name = "call"

    class DialAttempt(Model):
        call = ForeignKeyField(Call, on_delete="CASCADE")
        position = IntegerField()
        trunk = CharField()
        at = MomentField()
        status = CharField()
        cause = CharField(null=True)

        class Meta:
            database = db
            table_name = "dial_attempt"

    db.create_tables([DialAttempt])

    class Folded(Model):
        linkedid = CharField(primary_key=True)
        call_id = CharField(index=True)

        class Meta:
            database = db
            table_name = "folded"

    db.create_tables([Folded])

    class Listening(Model):
        login = CharField(index=True)
        call_id = CharField(index=True)
        at = MomentField()
        reason = CharField()

        class Meta:
            database = db
            table_name = "listening"

    db.create_tables([Listening])

    class ListeningRight(Model):
        login = CharField(primary_key=True)

        class Meta:
            database = db
            table_name = "listening_right"

    db.create_tables([ListeningRight])

    class SipRefusal(Model):
        sip = CharField(primary_key=True)
        at = MomentField(index=True)
        address = CharField()
        why = CharField()

        class Meta:
            database = db
            table_name = "sip_refusal"

    db.create_tables([SipRefusal])

    class Transfer(Model):
        call = ForeignKeyField(Call, on_delete="CASCADE")
        position = IntegerField()
        kind = CharField()
        to = CharField()
        by = CharField(null=True)
        at = MomentField()
        result = CharField(null=True)
        returned = BooleanField(default=False)

        class Meta:
            database = db
            table_name = "transfer"

    db.create_tables([Transfer])

    migrator.migrate(migrator.add_column("call", "topic", CharField(null=True)))
    migrator.migrate(migrator.add_column("call", "sip", CharField(index=True, null=True)))
    migrator.migrate(migrator.add_column("call", "by", CharField(index=True, null=True)))
    migrator.migrate(migrator.add_column("call", "reason", CharField(null=True)))
    migrator.migrate(migrator.add_column("call", "serves", CharField(index=True, null=True)))
    migrator.migrate(
        migrator.add_column("event_row", "uniqueid", CharField(index=True, default=""))
    )
    migrator.migrate(migrator.add_column("event_row", "begins", CharField(null=True)))
    migrator.migrate(migrator.add_column("event_row", "phone", CharField(null=True)))
    migrator.migrate(migrator.add_column("queue_visit", "why", CharField(default="first")))
    migrator.migrate(migrator.add_column("recording", "begun_at", MomentField(null=True)))
    migrator.migrate(migrator.add_column("recording", "aside", BooleanField(default=False)))
    migrator.migrate(migrator.add_column("recording", "kept", CharField(index=True, null=True)))
    migrator.migrate(migrator.add_column("recording", "peaks", TextField(null=True)))
    migrator.migrate(migrator.add_index("call", ("callee",)))
    migrator.migrate(migrator.add_index("event_row", ("begins", "at")))
    migrator.migrate(migrator.add_index("event_row", ("phone", "at")))
    migrator.migrate(migrator.add_index("talk", ("extension", "started_at")))
    _fill(db)


def _fill(db):
    """Take out of each row's document what is a column from now on."""

    class EventRow(Model):
        hash = CharField(primary_key=True)
        event = CharField()
        uniqueid = CharField()
        begins = CharField(null=True)
        phone = CharField(null=True)
        fields = DocumentField()

        class Meta:
            database = db
            table_name = "event_row"

    after = ""
    while rows := list(
        EventRow.select().where(EventRow.hash > after).order_by(EventRow.hash).limit(_BATCH)
    ):
        after = rows[-1].hash
        for row in rows:
            row.uniqueid = row.fields.get("UniqueID", "")
            if row.event == "BOOT":
                row.begins = row.event
            elif row.event == "CHAN_START" and row.uniqueid == row.fields.get("LinkedID"):
                row.begins = row.fields.get("Context")
                dialled = row.fields.get("Exten") not in (None, "", "s")
                phone = row.fields.get("ChanName", "").partition("/")[2].rpartition("-")[0]
                if row.begins == "from-operator" and phone.isdigit() and dialled:
                    row.phone = phone
        EventRow.bulk_update(rows, [EventRow.uniqueid, EventRow.begins, EventRow.phone], 100)


def down(migrator, db):
    migrator.migrate(migrator.drop_index("call", "call_callee"))
    migrator.migrate(migrator.drop_index("talk", "talk_extension_started_at"))
    migrator.migrate(migrator.drop_index("event_row", "event_row_uniqueid"))
    migrator.migrate(migrator.drop_index("event_row", "event_row_phone_at"))
    migrator.migrate(migrator.drop_index("event_row", "event_row_begins_at"))
    migrator.migrate(migrator.drop_index("call", "call_sip"))
    migrator.migrate(migrator.drop_index("call", "call_serves"))
    migrator.migrate(migrator.drop_index("call", "call_by"))
    migrator.migrate(migrator.drop_index("recording", "recording_kept"))
    migrator.migrate(migrator.drop_column("recording", "peaks"))
    migrator.migrate(migrator.drop_column("recording", "kept"))
    migrator.migrate(migrator.drop_column("recording", "aside"))
    migrator.migrate(migrator.drop_column("recording", "begun_at"))
    migrator.migrate(migrator.drop_column("queue_visit", "why"))
    migrator.migrate(migrator.drop_column("event_row", "phone"))
    migrator.migrate(migrator.drop_column("event_row", "begins"))
    migrator.migrate(migrator.drop_column("event_row", "uniqueid"))
    migrator.migrate(migrator.drop_column("call", "serves"))
    migrator.migrate(migrator.drop_column("call", "reason"))
    migrator.migrate(migrator.drop_column("call", "by"))
    migrator.migrate(migrator.drop_column("call", "sip"))
    migrator.migrate(migrator.drop_column("call", "topic"))
    migrator.migrate(migrator.drop_table("transfer"))
    migrator.migrate(migrator.drop_table("sip_refusal"))
    migrator.migrate(migrator.drop_table("listening_right"))
    migrator.migrate(migrator.drop_table("listening"))
    migrator.migrate(migrator.drop_table("folded"))
    migrator.migrate(migrator.drop_table("dial_attempt"))
