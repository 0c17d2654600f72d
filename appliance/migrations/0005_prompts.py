"""Prompts changed at the site, with their versions."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class Prompt(Model):
        language = CharField()
        name = CharField()
        version = IntegerField(default=0)
        trouble = CharField(default="")

        class Meta:
            database = db
            table_name = "prompt"
            indexes = ((("language", "name"), True),)

    db.create_tables([Prompt])

    class PromptVersion(Model):
        prompt = ForeignKeyField(Prompt, on_delete="CASCADE")
        number = IntegerField()
        kind = CharField()
        text = TextField()
        meant = TextField(default="")
        seconds = FloatField()
        loudness = FloatField(null=True)
        sha256 = CharField()
        author = CharField()
        made_at = MomentField()

        class Meta:
            database = db
            table_name = "prompt_version"
            indexes = ((("prompt", "number"), True),)

    db.create_tables([PromptVersion])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("prompt_version"))
    migrator.migrate(migrator.drop_table("prompt"))
