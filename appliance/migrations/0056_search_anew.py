"""The index of the search made anew: articles and scripts in it, personal appeals by number alone.

`appliance migrate` fills it.
"""

from peewee import *
from playhouse.sqlite_ext import AutoIncrementField

HOLDS = ("state", "since", "until", "expires_on")


def up(migrator, db):
    class SearchWord(Model):
        id = AutoIncrementField()
        kind = CharField()
        word = CharField()

        class Meta:
            database = db
            table_name = "search_word"
            indexes = ((("kind", "word"), True),)

    db.execute_sql("INSERT INTO search_text (search_text) VALUES ('delete-all')")
    db.execute_sql("DELETE FROM search_entry")
    migrator.migrate(
        migrator.drop_table("search_word"),
        migrator.drop_column("article_version", "search_key"),
        migrator.add_index("article_version", HOLDS),
    )
    db.create_tables([SearchWord])


def down(migrator, db):
    class SearchWord(Model):
        kind = CharField()
        word = CharField()

        class Meta:
            database = db
            table_name = "search_word"
            indexes = ((("kind", "word"), True),)

    migrator.migrate(
        migrator.drop_table("search_word"),
        migrator.drop_index("article_version", "_".join(("article_version", *HOLDS))),
        migrator.add_column("article_version", "search_key", TextField(default="")),
    )
    db.create_tables([SearchWord])
