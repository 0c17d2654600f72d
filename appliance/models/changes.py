"""Change requests of the ministry: what was asked, what was done with it, what was changed."""

from peewee import BlobField, BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class ChangeRequest(Table):
    """A written request; its id is its number. Changed only by changes.requests."""

    kind = CharField()  # changes.terms.KINDS
    what = TextField()
    why = TextField()
    author = CharField()  # login
    asked_at = MomentField(index=True)
    due_at = MomentField()  # the close of the term's last working day
    state = CharField()  # changes.states.STATES
    is_open = BooleanField(default=True)  # the state is one of states.OPEN
    responsible = CharField(default="")  # login of who accepted it, or began
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("is_open", "due_at"), False),)


class ChangeStep(Table):
    """One thing that was done with a request: who, when, in which words."""

    request = ForeignKeyField(ChangeRequest, backref="steps", on_delete="RESTRICT", index=False)
    at = MomentField()
    who = CharField()  # login
    action = CharField()  # changes.states.MOVES
    text = TextField(default="")

    class Meta:
        indexes = ((("request", "at"), False),)


class ChangeFile(Table):
    """A file that came with a request, or with a step of it."""

    request = ForeignKeyField(ChangeRequest, backref="files", on_delete="RESTRICT")
    name = CharField()
    size = IntegerField()  # bytes
    content = BlobField()
    at = MomentField()
    who = CharField()  # login


class ChangeLink(Table):
    """Something that was changed for a request; fields that differ, before and after."""

    request = ForeignKeyField(ChangeRequest, backref="links", on_delete="RESTRICT")
    at = MomentField()
    who = CharField()  # login
    kind = CharField()  # changes.links.KINDS
    ref = CharField()  # which one, as its page's address names it
    title = CharField()  # what it is called
    before = DocumentField()  # field → text; null: it was not there
    after = DocumentField()
