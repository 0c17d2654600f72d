"""Change requests of the ministry: their steps and files, and what was changed for them."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class ChangeRequest(Model):
        kind = CharField()
        what = TextField()
        why = TextField()
        author = CharField()
        asked_at = MomentField(index=True)
        due_at = MomentField()
        state = CharField()
        is_open = BooleanField(default=True)
        responsible = CharField(default="")
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "change_request"
            indexes = ((("is_open", "due_at"), False),)

    class ChangeStep(Model):
        request = ForeignKeyField(ChangeRequest, on_delete="RESTRICT", index=False)
        at = MomentField()
        who = CharField()
        action = CharField()
        text = TextField(default="")

        class Meta:
            database = db
            table_name = "change_step"
            indexes = ((("request", "at"), False),)

    class ChangeFile(Model):
        request = ForeignKeyField(ChangeRequest, on_delete="RESTRICT")
        name = CharField()
        size = IntegerField()
        content = BlobField()
        at = MomentField()
        who = CharField()

        class Meta:
            database = db
            table_name = "change_file"

    class ChangeLink(Model):
        request = ForeignKeyField(ChangeRequest, on_delete="RESTRICT")
        at = MomentField()
        who = CharField()
        kind = CharField()
        ref = CharField()
        title = CharField()
        before = DocumentField()
        after = DocumentField()

        class Meta:
            database = db
            table_name = "change_link"

    db.create_tables([ChangeRequest, ChangeStep, ChangeFile, ChangeLink])


def down(migrator, db):
    for table in ("change_link", "change_file", "change_step", "change_request"):
        migrator.migrate(migrator.drop_table(table))
