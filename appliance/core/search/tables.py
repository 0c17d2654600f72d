"""The tables of the search: its entries, the words by which they are found, and the word list."""

from peewee import CharField, IntegerField, TextField
from playhouse.sqlite_ext import AutoIncrementField, FTS5Model, RowIDField, SearchField

from appliance.core.db import database
from appliance.core.tables import Table


class SearchEntry(Table):
    """An entry of the search index: one record that can be found, of one kind (appeal, article, …).

    Its id also encodes its kind (index.kind_id_range).
    """

    id = IntegerField(primary_key=True)
    kind = CharField()  # search.index.KINDS
    ref = CharField()  # its key in the owning table
    title = TextField()
    names = TextField()  # i18n.fold_text of title and other names, separated by bars
    about = TextField(default="")  # i18n.fold_text of the name's context
    text = TextField(default="")  # source of the snippet; "" if the owning table stores the text

    class Meta:
        indexes = ((("kind", "ref"), True),)


class SearchWord(Table):
    """A folded word (see i18n.fold_text) that an entry of a kind contains.

    `word_lists` loads these rows into memory, to find the words that a typed one may mean.
    """

    id = AutoIncrementField()  # never reused, so that a reader can continue from the last one
    kind = CharField()
    word = CharField()

    class Meta:
        indexes = ((("kind", "word"), True),)


class SearchText(FTS5Model):  # type: ignore[misc]  # peewee has no types
    """Full-text index of the words of entries: of each word, the sound key and those of its stems.

    A row's rowid is the id of its entry; an entry with a long text has a second row.
    """

    rowid = RowIDField()
    names = SearchField()  # the words of the title and of the other names
    text = SearchField()  # the words of the context and of the text; "" in the row of names only

    class Meta:
        database = database
        legacy_table_names = False
        options = {
            "content": "",
            "contentless_delete": 1,
            "tokenize": "ascii",
            "prefix": "1 2 3",
        }
