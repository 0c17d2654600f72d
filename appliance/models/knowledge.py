"""The knowledge base: articles, versions, files, openings, and searches that found nothing."""

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
    """The properties of an article that do not depend on its version: slug, section, owner."""

    slug = CharField(unique=True)  # its name in URLs; never changes
    section = CharField()  # code of the list "article_section"
    topics = DocumentField(default=list)  # codes of the list "direction" for which it is proposed
    other_words = CharField(default="")  # separated by commas: other words by which it is found
    owner = ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    review_on = DateField(null=True)  # when its owner has to check whether it is still valid


class ArticleVersion(Version):
    """The text of an article."""

    owner_column = "article"

    article = ForeignKeyField(Article, backref="versions", on_delete="RESTRICT", index=False)
    script = CharField(default="Latn")  # the script of the Uzbek text: Latn | Cyrl
    title_uz = CharField(default="")
    text_uz = TextField(default="")  # Markdown
    title_ru = CharField(default="")
    text_ru = TextField(default="")
    source = CharField(default="")  # where the information is from
    law = CharField(default="")  # title of the law
    law_number = CharField(default="")
    law_on = DateField(null=True)
    expires_on = DateField(null=True)  # the last day on which it is valid; null: no end
    files = DocumentField(default=list)  # ids of ArticleFile, in their order

    class Meta:
        indexes = (
            (("article", "number"), True),
            (
                ("state", "since", "until", "expires_on"),
                False,
            ),  # articles in force, at each keystroke
        )


class ArticleFile(Table):
    """A file that versions of an article contain; never changed."""

    article = ForeignKeyField(Article, backref="stored", on_delete="RESTRICT")
    name = CharField()
    kind = CharField()  # knowledge.files.KINDS
    size = IntegerField()  # bytes
    content = BlobField()
    at = MomentField()
    who = CharField()  # login


class ArticleOpening(Table):
    """One opening of an article: of which version, when, during which call or form."""

    article = ForeignKeyField(Article, backref="openings", on_delete="RESTRICT", index=False)
    version = IntegerField()
    who = CharField()  # login
    at = MomentField()
    locale = CharField()  # i18n.LOCALES
    call_id = CharField(default="", index=True)  # "" without a call
    token = CharField(default="", index=True)  # of the form that was open; "" without one
    useful = BooleanField(null=True)  # the reader's opinion; null: not given

    class Meta:
        indexes = ((("article", "at"), False), (("who", "at"), False))


class ArticleMiss(Table):
    """A search that found no article."""

    text = CharField()
    key = CharField(index=True)  # the text, folded
    who = CharField()  # login
    at = MomentField(index=True)
