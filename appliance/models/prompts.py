"""What callers hear: the prompts changed at this site, and each version of them."""

from peewee import CharField, FloatField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class Prompt(Table):
    """A prompt that is no longer as it came along."""

    language = CharField()
    name = CharField()  # as the file's: "thanks", "digits/1"
    version = IntegerField(default=0)  # the number of the version in force
    trouble = CharField(default="")  # why the newest recording by phone was refused: a code

    class Meta:
        indexes = ((("language", "name"), True),)


class PromptVersion(Table):
    """A sound that is or was in force; the file lies under <prompts>/versions/."""

    prompt = ForeignKeyField(Prompt, backref="versions", on_delete="CASCADE")
    number = IntegerField()
    kind = CharField()  # synthetic | studio | phone
    text = TextField()
    meant = TextField(default="")  # what was to be said when it was made, by file or plan
    seconds = FloatField()
    loudness = FloatField(null=True)  # dB below full scale; null: silence on purpose
    sha256 = CharField()
    author = CharField()  # login; "" for what came along
    made_at = MomentField()

    class Meta:
        indexes = ((("prompt", "number"), True),)
