"""Change requests of the ministry: requests, steps, files, and the changes made for them."""

from peewee import BlobField, BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class ChangeRequest(Table):
    """A written request; its id is its number. Only casework.changes.requests changes a row."""

    kind = CharField()  # changes.terms.KINDS_BY_CODE
    what = TextField()
    why = TextField()
    author = CharField()  # login
    asked_at = MomentField(index=True)
    due_at = MomentField()  # the end of working hours on the last day of its term
    state = CharField()  # of changes.states.WORKFLOW
    is_open = BooleanField(default=True)  # the state is an open one
    responsible = CharField(default="")  # login of the user who accepted or began it
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("is_open", "due_at"), False),)


class ChangeStep(Table):
    """One step taken on a request: who, when, with which text."""

    request = ForeignKeyField(ChangeRequest, backref="steps", on_delete="RESTRICT", index=False)
    at = MomentField()
    who = CharField()  # login
    action = CharField()  # "ask", or a move of changes.states
    text = TextField(default="")

    class Meta:
        indexes = ((("request", "at"), False),)


class ChangeFile(Table):
    """A file that was sent with a request, or with a step of it."""

    request = ForeignKeyField(ChangeRequest, backref="files", on_delete="RESTRICT")
    name = CharField()
    size = IntegerField()  # bytes
    content = BlobField()
    at = MomentField()
    who = CharField()  # login


class ChangeLink(Table):
    """A change that was made for a request, with the fields that differ, before and after."""

    request = ForeignKeyField(ChangeRequest, backref="links", on_delete="RESTRICT")
    at = MomentField()
    who = CharField()  # login
    kind = CharField()  # changes.links.LINK_KINDS
    ref = CharField()  # which object was changed, as in its page's URL
    title = CharField()  # the object's name
    before = DocumentField()  # texts by field; null: it did not exist
    after = DocumentField()
