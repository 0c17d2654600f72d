"""Citizens' requests about their own data, and their outcome."""

from peewee import CharField, DateField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class DataRequest(Table):
    """A citizen's request; its id is its number. Only casework.data_requests changes a row."""

    kind = CharField()  # data_requests.KINDS
    person = CharField()  # the citizen's name; masking empties it and the next two columns
    phone = CharField(default="", index=True)  # in the normal form of numbers
    proof = TextField(default="")  # how the citizen's identity was verified
    language = CharField()  # the language of the answer: uz | ru
    what = TextField(default="")  # in the citizen's words
    asked_at = MomentField(index=True)
    due_on = DateField()
    by = CharField()  # login of the user who recorded it
    state = CharField(default="open")  # data_requests.STATES
    records = DocumentField(default=dict)  # ids of the citizen's records by kind
    answer = TextField(default="")  # what was done, or why not
    done_at = MomentField(null=True)
    done_by = CharField(default="")  # login
