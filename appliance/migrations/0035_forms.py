"""Forms in versions, form №2 of calls, and what a form holds beside its columns."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class Region(Model):
        soato = CharField(primary_key=True)

        class Meta:
            database = db
            table_name = "region"

    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class CallForm(Model):
        number = CharField(unique=True)
        call_id = CharField(index=True)
        operator = ForeignKeyField(User, on_delete="RESTRICT")
        received_at = MomentField(index=True)
        registered_at = MomentField(index=True)
        version = IntegerField(default=1)
        appeal_number = CharField(index=True, default="")
        surname = CharField(default="")
        first_name = CharField(default="")
        region = ForeignKeyField(Region, null=True, on_delete="RESTRICT")
        region_text = CharField(default="")
        address = TextField(default="")
        call_type = CharField(default="")
        sex = CharField(default="")
        gist = TextField(default="")
        operator_answer = TextField(default="")
        call_direction = CharField(default="")
        direction = CharField(default="")
        phone = CharField(index=True, default="")
        search_key = TextField(default="")
        extra = DocumentField(default=dict)
        warnings = DocumentField(default=list)
        typed = DocumentField(default=dict)
        token = CharField(unique=True, null=True)

        class Meta:
            database = db
            table_name = "call_form"
            indexes = ((("call_id", "operator"), True),)

    db.create_tables([CallForm])

    class CallFormWording(Model):
        call_form = ForeignKeyField(CallForm, on_delete="RESTRICT", index=False)
        number = IntegerField()
        values = DocumentField()
        until = MomentField()
        replaced_by = CharField()

        class Meta:
            database = db
            table_name = "call_form_wording"
            indexes = ((("call_form", "number"), True),)

    db.create_tables([CallFormWording])

    class CallNumberSeries(Model):
        year = IntegerField(primary_key=True)
        last = IntegerField()

        class Meta:
            database = db
            table_name = "call_number_series"

    db.create_tables([CallNumberSeries])

    class FormVersion(Model):
        form = CharField()
        number = IntegerField()
        fields = DocumentField()
        since = MomentField(null=True)
        made_at = MomentField()
        by = CharField(default="")

        class Meta:
            database = db
            table_name = "form_version"
            indexes = ((("form", "number"), True),)

    db.create_tables([FormVersion])

    migrator.migrate(migrator.add_column("appeal", "form_version", IntegerField(default=1)))
    migrator.migrate(migrator.add_column("appeal", "extra", TextField(default="{}")))
    migrator.migrate(migrator.add_column("draft", "form", CharField(default="1")))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("draft", "form"))
    migrator.migrate(migrator.drop_column("appeal", "extra"))
    migrator.migrate(migrator.drop_column("appeal", "form_version"))
    migrator.migrate(migrator.drop_table("form_version"))
    migrator.migrate(migrator.drop_table("call_number_series"))
    migrator.migrate(migrator.drop_table("call_form_wording"))
    migrator.migrate(migrator.drop_table("call_form"))
