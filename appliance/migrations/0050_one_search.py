"""One index for all that can be found, in place of that of appeals alone.

`appliance migrate` fills it.
"""

from peewee import *
from playhouse.sqlite_ext import FTS5Model, RowIDField, SearchField


def up(migrator, db):
    class SearchEntry(Model):
        id = IntegerField(primary_key=True)
        kind = CharField()
        ref = CharField()
        title = TextField()
        names = TextField()
        about = TextField(default="")
        text = TextField(default="")

        class Meta:
            database = db
            table_name = "search_entry"
            indexes = ((("kind", "ref"), True),)

    class SearchWord(Model):
        kind = CharField()
        word = CharField()

        class Meta:
            database = db
            table_name = "search_word"
            indexes = ((("kind", "word"), True),)

    class SearchText(FTS5Model):
        rowid = RowIDField()
        names = SearchField()
        text = SearchField()

        class Meta:
            database = db
            table_name = "search_text"
            options = {
                "content": "",
                "contentless_delete": 1,
                "tokenize": "ascii",
                "prefix": "1 2 3",
            }

    migrator.migrate(migrator.drop_table("appeal_text"))
    db.create_tables([SearchEntry, SearchWord, SearchText])


def down(migrator, db):
    class AppealText(FTS5Model):
        rowid = RowIDField()
        text = SearchField()

        class Meta:
            database = db
            table_name = "appeal_text"
            options = {"tokenize": "trigram"}

    for table in ("search_text", "search_word", "search_entry"):
        migrator.migrate(migrator.drop_table(table))
    db.create_tables([AppealText])
