"""The ledger: one row per call, its stretches, its recordings, and the log rows it is made of."""

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    FloatField,
    ForeignKeyField,
    IntegerField,
)

from appliance.models.base import DocumentField, MomentField, Table


class Call(Table):
    """What a citizen would call one call: everything under one linkedid. Names as in KPI.md."""

    id = CharField(primary_key=True)  # Asterisk's linkedid
    direction = CharField()  # inbound | outbound | internal
    arrived_at = MomentField(index=True)
    ended_at = MomentField(null=True, index=True)  # null while it goes on
    hotline_number = CharField(null=True)
    diverted_from = CharField(null=True)
    caller = CharField(null=True, index=True)  # normalised, +998…
    callee = CharField(null=True)
    trunk = CharField(null=True)
    technology = CharField(default="sip")
    language = CharField(null=True)  # uz | ru
    menu = DocumentField(default=list)  # keys pressed, in order
    stage = CharField()  # menu | queue | ringing | talk | rating | ended
    outcome = CharField(null=True)  # null while it goes on
    short = BooleanField(default=False)
    synthetic = BooleanField(default=False)
    menu_seconds = FloatField(default=0)
    wait_seconds = FloatField(null=True)  # null: never joined a queue
    talk_seconds = FloatField(default=0)
    hold_seconds = FloatField(default=0)
    ended_by = CharField(null=True)  # caller | operator | system
    rating = IntegerField(null=True)
    rating_channel = CharField(null=True)  # keypad | sms


class QueueVisit(Table):
    """One stay of a call in one queue."""

    call = ForeignKeyField(Call, backref="visits", on_delete="CASCADE")
    position = IntegerField()
    queue = CharField()
    joined_at = MomentField()
    left_at = MomentField(null=True)
    result = CharField(null=True)  # answered | abandoned | timed_out | failed


class Ring(Table):
    """One phone that rang for a visit."""

    visit = ForeignKeyField(QueueVisit, backref="rings", on_delete="CASCADE")
    operator = CharField(index=True)  # login
    extension = CharField()
    started_at = MomentField()
    ended_at = MomentField(null=True)
    result = CharField(null=True)  # answered | no_answer | busy | cancelled | failed


class Talk(Table):
    """One stretch of a call with one operator or employee."""

    call = ForeignKeyField(Call, backref="talks", on_delete="CASCADE")
    position = IntegerField()
    party = CharField()  # operator | employee | outside
    who = CharField(index=True)  # an operator's login, else a number
    extension = CharField(null=True)
    started_at = MomentField()
    ended_at = MomentField(null=True)


class Recording(Table):
    """A sound file of a call. Not a child row: kept when the call is interpreted again."""

    file = CharField(primary_key=True)  # relative to the recordings folder
    call_id = CharField(index=True)
    seconds = FloatField(null=True, index=True)  # null until measured, after the call
    sha256 = CharField(null=True)
    written_at = MomentField(null=True)  # when its last sound was written


class EventRow(Table):
    """One record of Asterisk's event log, as it was; found again by its own hash."""

    hash = CharField(primary_key=True)
    linkedid = CharField(index=True)
    at = MomentField(index=True)
    event = CharField()
    fields = DocumentField()


class EventFile(Table):
    """How far a log file has been read; only saves reading again what is known."""

    fingerprint = CharField(primary_key=True)  # inode and hash of the first line
    offset = BigIntegerField()


class EventFragment(Table):
    """A piece of a record at the edge of a file that was cut; joined when its other half comes."""

    hash = CharField(primary_key=True)
    head = BooleanField()  # True: begins a file (its start is missing); False: ends one
    text = BlobField()


class AsteriskWatch(Table):
    """A stretch of time in which Asterisk was seen alive."""

    started_at = MomentField(primary_key=True)
    seen_at = MomentField()
