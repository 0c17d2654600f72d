"""Answers that are being written; what stood in the form where it was put right by more than
spelling."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Appeal(Model):
        class Meta:
            database = db
            table_name = "appeal"

    class AnswerDraft(Model):
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        appeal = ForeignKeyField(Appeal, on_delete="CASCADE")
        action = CharField()
        text = TextField()
        department = CharField(default="")
        updated_at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "answer_draft"
            indexes = ((("user", "appeal"), True),)

    db.create_tables([AnswerDraft])
    migrator.migrate(migrator.add_column("appeal", "typed", DocumentField(default=dict)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("appeal", "typed"))
    migrator.migrate(migrator.drop_table("answer_draft"))
