"""Departments, where each appeal stands, its steps and former wordings, keys for programs."""

from peewee import *
from playhouse.sqlite_ext import FTS5Model, RowIDField, SearchField

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class Appeal(Model):
        class Meta:
            database = db
            table_name = "appeal"

    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Department(Model):
        name_uz_latn = CharField()
        name_uz_cyrl = CharField()
        name_ru = CharField(default="")
        code = CharField(unique=True)
        position = IntegerField()
        own_body = BooleanField(default=False)
        active = BooleanField(default=True)

        class Meta:
            database = db
            table_name = "department"

    class DirectionRoute(Model):
        direction = CharField(primary_key=True)
        department = ForeignKeyField(Department, on_delete="CASCADE")

        class Meta:
            database = db
            table_name = "direction_route"

    class Membership(Model):
        user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
        department = ForeignKeyField(Department, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "membership"

    class Handling(Model):
        appeal = ForeignKeyField(Appeal, primary_key=True, on_delete="RESTRICT")
        state = CharField()
        is_open = BooleanField(default=True)
        department = ForeignKeyField(Department, null=True, on_delete="RESTRICT", index=False)
        holder = CharField(default="")
        registered_on = DateField()
        counts_from = DateField()
        term = CharField()
        due_on = DateField()
        forward_by = DateField()
        answered_on = DateField(null=True)
        version = IntegerField(default=1)
        changed_at = MomentField()

        class Meta:
            database = db
            table_name = "handling"
            indexes = (
                (("is_open", "due_on"), False),
                (("department", "is_open", "due_on"), False),
                (("holder", "is_open"), False),
                (("changed_at", "appeal"), False),
            )

    class AppealStep(Model):
        appeal = ForeignKeyField(Appeal, on_delete="RESTRICT", index=False)
        at = MomentField()
        who = CharField()
        action = CharField()
        text = TextField(default="")
        detail = DocumentField(default=dict)

        class Meta:
            database = db
            table_name = "appeal_step"
            indexes = ((("appeal", "at"), False),)

    class AppealWording(Model):
        appeal = ForeignKeyField(Appeal, on_delete="RESTRICT", index=False)
        number = IntegerField()
        values = DocumentField()
        until = MomentField()
        replaced_by = CharField()

        class Meta:
            database = db
            table_name = "appeal_wording"
            indexes = ((("appeal", "number"), True),)

    class AppealText(FTS5Model):
        rowid = RowIDField()
        text = SearchField()

        class Meta:
            database = db
            table_name = "appeal_text"
            options = {"tokenize": "trigram"}

    class AccessKey(Model):
        name = CharField(unique=True)
        hash = CharField(unique=True)
        hint = CharField()
        scopes = CharField()
        department = ForeignKeyField(Department, null=True, on_delete="RESTRICT")
        made_at = MomentField()
        made_by = CharField()
        ends_at = MomentField(null=True)
        revoked_at = MomentField(null=True)
        revoked_by = CharField(default="")
        used_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "access_key"

    db.create_tables(
        [
            *(Department, DirectionRoute, Membership, Handling),
            *(AppealStep, AppealWording, AppealText, AccessKey),
        ]
    )


def down(migrator, db):
    for table in (
        *("access_key", "appeal_text", "appeal_wording", "appeal_step"),
        *("handling", "membership", "direction_route", "department"),
    ):
        migrator.migrate(migrator.drop_table(table))
