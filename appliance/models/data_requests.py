"""Citizens' requests about their own data, and their outcome."""

from peewee import CharField, DateField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class DataRequest(Table):
    """A citizen's request; its id is its number. Changed only by casework.data_requests."""

    kind = CharField()  # data_requests.KINDS
    person = CharField()  # the citizen's name; "" once masked, like the next two
    phone = CharField(default="", index=True)  # in the normal form of numbers
    proof = TextField(default="")  # how the citizen's identity was verified
    language = CharField()  # the language of the answer: uz | ru
    what = TextField(default="")  # in the citizen's words
    asked_at = MomentField(index=True)
    due_on = DateField()
    by = CharField()  # login of the user who recorded it
    state = CharField(default="open")  # data_requests.STATES
    records = DocumentField(default=dict)  # kind of record → ids of the citizen's records
    answer = TextField(default="")  # what was corrected, or why not
    done_at = MomentField(null=True)
    done_by = CharField(default="")  # login
