"""The knowledge base: articles, their versions and files, what of them was opened and searched."""

from peewee import (
    BlobField,
    BooleanField,
    CharField,
    DateField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User
from appliance.models.versions import Version


class Article(Table):
    """What an article keeps through its versions: its name, its place, who sees to it."""

    slug = CharField(unique=True)  # its name in addresses; never changes
    section = CharField()  # code of the list "article_section"
    topics = DocumentField(default=list)  # codes of the list "direction" that propose it
    other_words = CharField(default="")  # parted by commas: by which it is found as well
    owner = ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    review_on = DateField(null=True)  # when its owner looks whether it still holds


class ArticleVersion(Version):
    """The words of an article."""

    thing = "article"

    article = ForeignKeyField(Article, backref="versions", on_delete="RESTRICT", index=False)
    script = CharField(default="Latn")  # in which the Uzbek is written: Latn | Cyrl
    title_uz = CharField(default="")
    text_uz = TextField(default="")  # Markdown
    title_ru = CharField(default="")
    text_ru = TextField(default="")
    source = CharField(default="")  # from where it is known
    law = CharField(default="")  # what the law is called
    law_number = CharField(default="")
    law_on = DateField(null=True)
    expires_on = DateField(null=True)  # the last day on which it holds; null: without an end
    files = DocumentField(default=list)  # ids of ArticleFile, in their order

    class Meta:
        indexes = (
            (("article", "number"), True),
            (("state", "since", "until", "expires_on"), False),  # what holds, at each letter typed
        )


class ArticleFile(Table):
    """A file that versions of an article show; never changed."""

    article = ForeignKeyField(Article, backref="stored", on_delete="RESTRICT")
    name = CharField()
    kind = CharField()  # knowledge.files.KINDS
    size = IntegerField()  # bytes
    content = BlobField()
    at = MomentField()
    who = CharField()  # login


class ArticleOpening(Table):
    """That somebody opened an article: which version, when, at which call or form."""

    article = ForeignKeyField(Article, backref="openings", on_delete="RESTRICT", index=False)
    version = IntegerField()
    who = CharField()  # login
    at = MomentField()
    locale = CharField()  # i18n.LOCALES
    call_id = CharField(default="", index=True)  # "" without a call
    token = CharField(default="", index=True)  # of the form that was open; "" without one
    useful = BooleanField(null=True)  # as whoever opened it said; null: nothing

    class Meta:
        indexes = ((("article", "at"), False), (("who", "at"), False))


class ArticleMiss(Table):
    """A search that found no article."""

    text = CharField()
    key = CharField(index=True)  # i18n.fold of it
    who = CharField()  # login
    at = MomentField(index=True)
