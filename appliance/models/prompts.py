"""The audio prompts that this site changed, and their versions."""

from peewee import CharField, FloatField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class Prompt(Table):
    """A prompt that differs from the product's original."""

    language = CharField()
    name = CharField()  # the file's name without suffix: "thanks", "digits/1"
    version = IntegerField(default=0)  # the number of the version in force
    # code of the reason why the last recording by phone was refused, or ""
    trouble = CharField(default="")

    class Meta:
        indexes = ((("language", "name"), True),)


class PromptVersion(Table):
    """A sound that is or was in force; the file is under <prompts>/versions/."""

    prompt = ForeignKeyField(Prompt, backref="versions", on_delete="CASCADE")
    number = IntegerField()
    kind = CharField()  # synthetic | studio | phone
    text = TextField()
    # the text that the prompt had to have, by default or plan, when this version was made
    meant = TextField(default="")
    seconds = FloatField()
    loudness = FloatField(null=True)  # dB below full scale; null: intentional silence
    sha256 = CharField()
    author = CharField()  # login; "" for the product's original
    made_at = MomentField()

    class Meta:
        indexes = ((("prompt", "number"), True),)
