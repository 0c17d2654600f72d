"""The index of the search: what can be found, by which words, and all words that there are."""

from peewee import CharField, IntegerField, TextField
from playhouse.sqlite_ext import AutoIncrementField, FTS5Model, RowIDField, SearchField

from appliance.core.db import database
from appliance.core.tables import Table


class SearchEntry(Table):
    """Something that can be found; its id tells its kind, too (search.index)."""

    id = IntegerField(primary_key=True)
    kind = CharField()  # search.index.KINDS
    ref = CharField()  # what its owner knows it by
    title = TextField()
    names = TextField()  # i18n.fold of title and other names, parted by bars
    about = TextField(default="")  # i18n.fold of what stands beside the name
    text = TextField(default="")  # where the snippet is taken from; "" when its owner has it

    class Meta:
        indexes = ((("kind", "ref"), True),)


class SearchWord(Table):
    """A word, folded, by which something of a kind can be found; read by `words`."""

    id = AutoIncrementField()  # given once: whoever has read up to one has all before it
    kind = CharField()
    word = CharField()

    class Meta:
        indexes = ((("kind", "word"), True),)


class SearchText(FTS5Model):
    """The words of entries as they sound; the row has the entry's id."""

    rowid = RowIDField()
    names = SearchField()
    text = SearchField()

    class Meta:
        database = database
        legacy_table_names = False
        options = {
            "content": "",
            "contentless_delete": 1,
            "tokenize": "ascii",
            "prefix": "1 2 3",
        }
