"""The tables of the first release."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class Applicant(Model):
        kind = CharField()
        first_name = CharField(default="")
        surname = CharField(default="")
        entity_name = CharField(default="")
        stir = CharField(index=True, default="")
        sex = CharField(default="")
        born_on = DateField(null=True)
        passport = CharField(default="")
        pinfl = CharField(index=True, default="")
        phone = CharField(index=True, default="")
        search_key = CharField(index=True, default="")
        created_at = MomentField()

        class Meta:
            database = db
            table_name = "applicant"

    db.create_tables([Applicant])

    class User(Model):
        login = CharField(unique=True)
        name = CharField()
        role = CharField()
        password_hash = TextField()
        language = CharField(default="uz_Latn")
        theme = CharField(default="system")
        large_text = BooleanField(default=False)
        extension = CharField(unique=True, null=True)
        sip_password = CharField(null=True)
        speaks = CharField(default="")
        active = BooleanField(default=True)
        created_at = MomentField()

        class Meta:
            database = db
            table_name = "user"

    db.create_tables([User])

    class Region(Model):
        soato = CharField(primary_key=True)
        name_uz_latn = CharField()
        name_uz_cyrl = CharField()
        name_ru = CharField(default="")
        position = IntegerField()

        class Meta:
            database = db
            table_name = "region"

    db.create_tables([Region])

    class District(Model):
        soato = CharField(primary_key=True)
        name_uz_latn = CharField()
        name_uz_cyrl = CharField()
        name_ru = CharField(default="")
        region = ForeignKeyField(Region, on_delete="RESTRICT")
        aliases = CharField(default="")
        search_key = CharField(index=True)

        class Meta:
            database = db
            table_name = "district"

    db.create_tables([District])

    class Mahalla(Model):
        name_uz_latn = CharField()
        name_uz_cyrl = CharField()
        name_ru = CharField(default="")
        code = CharField(unique=True, null=True)
        district = ForeignKeyField(District, null=True, on_delete="RESTRICT")
        search_key = CharField(index=True)
        typed = BooleanField(default=False)

        class Meta:
            database = db
            table_name = "mahalla"
            indexes = ((("district", "search_key"), False),)

    db.create_tables([Mahalla])

    class Appeal(Model):
        number = CharField(unique=True)
        call_id = CharField(index=True, null=True)
        applicant = ForeignKeyField(Applicant, on_delete="RESTRICT")
        operator = ForeignKeyField(User, on_delete="RESTRICT")
        received_at = MomentField(index=True)
        registered_at = MomentField(index=True)
        applicant_kind = CharField()
        appeal_type = CharField()
        call_type = CharField(default="")
        group = CharField(default="")
        employment = CharField(default="")
        direction = CharField(default="")
        first_name = CharField(default="")
        surname = CharField(default="")
        entity_name = CharField(default="")
        stir = CharField(default="")
        region = ForeignKeyField(Region, null=True, on_delete="RESTRICT")
        district = ForeignKeyField(District, null=True, on_delete="RESTRICT")
        mahalla = ForeignKeyField(Mahalla, null=True, on_delete="RESTRICT")
        region_text = CharField(default="")
        district_text = CharField(default="")
        address = TextField(default="")
        passport = CharField(default="")
        pinfl = CharField(default="")
        sex = CharField(default="")
        born_on = DateField(null=True)
        born_text = CharField(default="")
        phone = CharField(index=True, default="")
        phone_at_hand = CharField(default="")
        openness = CharField()
        gist = TextField(default="")
        consultation = BooleanField(default=False)
        consultation_issue = TextField(default="")
        consultation_contact = TextField(default="")
        warnings = DocumentField(default=list)
        token = CharField(unique=True, null=True)

        class Meta:
            database = db
            table_name = "appeal"

    db.create_tables([Appeal])

    class AsteriskWatch(Model):
        started_at = MomentField(primary_key=True)
        seen_at = MomentField()

        class Meta:
            database = db
            table_name = "asterisk_watch"

    db.create_tables([AsteriskWatch])

    class AuditEntry(Model):
        at = MomentField(index=True)
        who = CharField(index=True)
        action = CharField()
        subject = CharField()
        detail = DocumentField(default=dict)
        hash = CharField()

        class Meta:
            database = db
            table_name = "audit_entry"

    db.create_tables([AuditEntry])

    class CalendarDay(Model):
        date = DateField(primary_key=True)
        name_uz_latn = CharField()
        name_uz_cyrl = CharField()
        name_ru = CharField(default="")
        kind = CharField()
        working = BooleanField()

        class Meta:
            database = db
            table_name = "calendar_day"

    db.create_tables([CalendarDay])

    class Call(Model):
        id = CharField(primary_key=True)
        direction = CharField()
        arrived_at = MomentField(index=True)
        ended_at = MomentField(index=True, null=True)
        hotline_number = CharField(null=True)
        diverted_from = CharField(null=True)
        caller = CharField(index=True, null=True)
        callee = CharField(null=True)
        trunk = CharField(null=True)
        technology = CharField(default="sip")
        language = CharField(null=True)
        menu = DocumentField(default=list)
        stage = CharField()
        outcome = CharField(null=True)
        short = BooleanField(default=False)
        synthetic = BooleanField(default=False)
        menu_seconds = FloatField(default=0)
        wait_seconds = FloatField(null=True)
        talk_seconds = FloatField(default=0)
        hold_seconds = FloatField(default=0)
        ended_by = CharField(null=True)
        rating = IntegerField(null=True)
        rating_channel = CharField(null=True)

        class Meta:
            database = db
            table_name = "call"

    db.create_tables([Call])

    class CatalogItem(Model):
        name_uz_latn = CharField()
        name_uz_cyrl = CharField()
        name_ru = CharField(default="")
        catalog = CharField()
        code = CharField()
        position = IntegerField()
        active = BooleanField(default=True)

        class Meta:
            database = db
            table_name = "catalog_item"
            indexes = ((("catalog", "code"), True),)

    db.create_tables([CatalogItem])

    class Draft(Model):
        token = CharField(unique=True)
        operator = ForeignKeyField(User, on_delete="RESTRICT")
        call_id = CharField(null=True)
        aside = BooleanField(default=False)
        values = DocumentField(default=dict)
        updated_at = MomentField()

        class Meta:
            database = db
            table_name = "draft"
            indexes = ((("operator", "call_id"), True),)

    db.create_tables([Draft])

    class EventFile(Model):
        fingerprint = CharField(primary_key=True)
        offset = BigIntegerField()

        class Meta:
            database = db
            table_name = "event_file"

    db.create_tables([EventFile])

    class EventFragment(Model):
        hash = CharField(primary_key=True)
        head = BooleanField()
        text = BlobField()

        class Meta:
            database = db
            table_name = "event_fragment"

    db.create_tables([EventFragment])

    class EventRow(Model):
        hash = CharField(primary_key=True)
        linkedid = CharField(index=True)
        at = MomentField(index=True)
        event = CharField()
        fields = DocumentField()

        class Meta:
            database = db
            table_name = "event_row"

    db.create_tables([EventRow])

    class LiveEvent(Model):
        topic = CharField()
        at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "live_event"

    db.create_tables([LiveEvent])

    class NumberSeries(Model):
        year = IntegerField(primary_key=True)
        last = IntegerField()

        class Meta:
            database = db
            table_name = "number_series"

    db.create_tables([NumberSeries])

    class Presence(Model):
        user = ForeignKeyField(User, on_delete="RESTRICT")
        state = CharField()
        since = MomentField()

        class Meta:
            database = db
            table_name = "presence"
            indexes = ((("user", "since"), False),)

    db.create_tables([Presence])

    class QueueVisit(Model):
        call = ForeignKeyField(Call, on_delete="CASCADE")
        position = IntegerField()
        queue = CharField()
        joined_at = MomentField()
        left_at = MomentField(null=True)
        result = CharField(null=True)

        class Meta:
            database = db
            table_name = "queue_visit"

    db.create_tables([QueueVisit])

    class Recording(Model):
        file = CharField(primary_key=True)
        call_id = CharField(index=True)
        seconds = FloatField(index=True, null=True)
        sha256 = CharField(null=True)
        written_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "recording"

    db.create_tables([Recording])

    class Ring(Model):
        visit = ForeignKeyField(QueueVisit, on_delete="CASCADE")
        operator = CharField(index=True)
        extension = CharField()
        started_at = MomentField()
        ended_at = MomentField(null=True)
        result = CharField(null=True)

        class Meta:
            database = db
            table_name = "ring"

    db.create_tables([Ring])

    class Talk(Model):
        call = ForeignKeyField(Call, on_delete="CASCADE")
        position = IntegerField()
        party = CharField()
        who = CharField(index=True)
        extension = CharField(null=True)
        started_at = MomentField()
        ended_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "talk"

    db.create_tables([Talk])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("talk"))
    migrator.migrate(migrator.drop_table("ring"))
    migrator.migrate(migrator.drop_table("recording"))
    migrator.migrate(migrator.drop_table("queue_visit"))
    migrator.migrate(migrator.drop_table("presence"))
    migrator.migrate(migrator.drop_table("number_series"))
    migrator.migrate(migrator.drop_table("live_event"))
    migrator.migrate(migrator.drop_table("event_row"))
    migrator.migrate(migrator.drop_table("event_fragment"))
    migrator.migrate(migrator.drop_table("event_file"))
    migrator.migrate(migrator.drop_table("draft"))
    migrator.migrate(migrator.drop_table("catalog_item"))
    migrator.migrate(migrator.drop_table("call"))
    migrator.migrate(migrator.drop_table("calendar_day"))
    migrator.migrate(migrator.drop_table("audit_entry"))
    migrator.migrate(migrator.drop_table("asterisk_watch"))
    migrator.migrate(migrator.drop_table("appeal"))
    migrator.migrate(migrator.drop_table("mahalla"))
    migrator.migrate(migrator.drop_table("district"))
    migrator.migrate(migrator.drop_table("region"))
    migrator.migrate(migrator.drop_table("user"))
    migrator.migrate(migrator.drop_table("applicant"))
