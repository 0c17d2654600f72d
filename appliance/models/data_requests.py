"""What citizens ask about their own data, and what was done with it."""

from peewee import CharField, DateField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class DataRequest(Table):
    """A citizen's request; its id is its number. Changed only by casework.data_requests."""

    kind = CharField()  # data_requests.KINDS
    person = CharField()  # as he is called; "" once he was masked, as are the next two
    phone = CharField(default="", index=True)  # as numbers are kept
    proof = TextField(default="")  # how it was seen that it is he
    language = CharField()  # in which he is answered: uz | ru
    what = TextField(default="")  # in his words
    asked_at = MomentField(index=True)
    due_on = DateField()
    by = CharField()  # login of who wrote it down
    state = CharField(default="open")  # data_requests.STATES
    records = DocumentField(default=dict)  # kind of record → ids that are his
    answer = TextField(default="")  # what was corrected, or why not
    done_at = MomentField(null=True)
    done_by = CharField(default="")  # login
