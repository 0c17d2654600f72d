"""The knowledge base: articles, versions, files, what was opened, what was searched in vain."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class ChangeRequest(Model):
        class Meta:
            database = db
            table_name = "change_request"

    class Article(Model):
        slug = CharField(unique=True)
        section = CharField()
        topics = DocumentField()
        owner = ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
        review_on = DateField(null=True)

        class Meta:
            database = db
            table_name = "article"

    class ArticleVersion(Model):
        number = IntegerField()
        state = CharField()
        revision = IntegerField()
        made_at = MomentField()
        by = CharField()
        decided_at = MomentField(null=True)
        decided_by = CharField()
        words = TextField()
        since = MomentField(null=True)
        until = MomentField(null=True)
        request = ForeignKeyField(ChangeRequest, null=True, on_delete="RESTRICT", backref="+")
        article = ForeignKeyField(Article, on_delete="RESTRICT", index=False)
        script = CharField()
        title_uz = CharField()
        text_uz = TextField()
        title_ru = CharField()
        text_ru = TextField()
        source = CharField()
        law = CharField()
        law_number = CharField()
        law_on = DateField(null=True)
        expires_on = DateField(null=True)
        files = DocumentField()
        search_key = TextField()

        class Meta:
            database = db
            table_name = "article_version"
            indexes = ((("article", "number"), True),)

    class ArticleFile(Model):
        article = ForeignKeyField(Article, on_delete="RESTRICT")
        name = CharField()
        kind = CharField()
        size = IntegerField()
        content = BlobField()
        at = MomentField()
        who = CharField()

        class Meta:
            database = db
            table_name = "article_file"

    class ArticleOpening(Model):
        article = ForeignKeyField(Article, on_delete="RESTRICT", index=False)
        version = IntegerField()
        who = CharField()
        at = MomentField()
        locale = CharField()
        call_id = CharField(index=True)
        token = CharField(index=True)
        useful = BooleanField(null=True)

        class Meta:
            database = db
            table_name = "article_opening"
            indexes = ((("article", "at"), False), (("who", "at"), False))

    class ArticleMiss(Model):
        text = CharField()
        key = CharField(index=True)
        who = CharField()
        at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "article_miss"

    db.create_tables([Article, ArticleVersion, ArticleFile, ArticleOpening, ArticleMiss])


def down(migrator, db):
    for table in (
        "article_miss",
        "article_opening",
        "article_file",
        "article_version",
        "article",
    ):
        migrator.migrate(migrator.drop_table(table))
