"""The ledger: one row per call, its parts, its recordings, and the log records it is built from."""

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from appliance.core.intervals import Interval, subtract_intervals
from appliance.core.tables import DocumentField, MomentField, Table


class Call(Table):
    """One call as the citizen sees it: all channels with the same linkedid (docs/figures.md)."""

    id = CharField(primary_key=True)  # Asterisk's linkedid
    direction = CharField()  # inbound | outbound | internal
    arrived_at = MomentField(index=True)
    ended_at = MomentField(null=True, index=True)  # null while it is in progress
    hotline_number = CharField(null=True)
    diverted_from = CharField(null=True)
    caller = CharField(null=True, index=True)  # normalised, +998…
    callee = CharField(null=True, index=True)  # of an outgoing call
    trunk = CharField(null=True)
    technology = CharField(default="sip")
    language = CharField(null=True)  # uz | ru
    menu = DocumentField(default=list)  # keys pressed, in order
    stage = CharField()  # menu | dialling | queue | ringing | talk | transfer | rating | ended
    outcome = CharField(null=True)  # null while it is in progress
    short = BooleanField(default=False)
    synthetic = BooleanField(default=False)
    menu_seconds = FloatField(default=0)
    wait_seconds = FloatField(null=True)  # null: never joined a queue
    talk_seconds = FloatField(default=0)
    hold_seconds = FloatField(default=0)
    ended_by = CharField(null=True)  # caller | operator | system
    rating = IntegerField(null=True)
    rating_channel = CharField(null=True)  # keypad | sms
    topic = CharField(null=True)  # a code of the topics' catalogue
    sip = CharField(null=True, index=True)  # the carrier's Call-ID
    # outgoing: login of the user who placed it; null: placed automatically
    by = CharField(null=True)
    reason = CharField(null=True)  # outgoing: phone | page | follow_up | callback | ministry
    serves = CharField(null=True, index=True)  # outgoing: the id of the record it serves

    @property
    def citizen(self) -> str | None:
        """The number of the other party, caller or callee, unless it is hidden."""
        number: str | None = self.callee if self.direction == "outbound" else self.caller
        return number


class QueueVisit(Table):
    """One stay of a call in one queue."""

    call = ForeignKeyField(Call, backref="visits", on_delete="CASCADE")
    position = IntegerField()
    queue = CharField()
    joined_at = MomentField()
    left_at = MomentField(null=True)
    result = CharField(null=True)  # answered | abandoned | overflow | callback | timed_out | failed
    why = CharField(default="first")  # first | overflow | returned | callback


class Ring(Table):
    """One phone that rang during a queue visit."""

    visit = ForeignKeyField(QueueVisit, backref="rings", on_delete="CASCADE")
    operator = CharField()  # login
    extension = CharField()
    started_at = MomentField()
    ended_at = MomentField(null=True)
    result = CharField(null=True)  # answered | no_answer | busy | cancelled | failed

    class Meta:
        indexes = ((("operator", "started_at"), False),)


class Talk(Table):
    """One part of a call, with one operator or employee."""

    call = ForeignKeyField(Call, backref="talks", on_delete="CASCADE", index=False)
    position = IntegerField()
    party = CharField()  # operator | employee | outside
    who = CharField()  # an operator's login, or a number
    extension = CharField(null=True)
    started_at = MomentField()
    ended_at = MomentField(null=True)

    class Meta:
        indexes = (
            (("extension", "started_at"), False),
            (("who", "started_at"), False),
            (("call", "position", "party", "who"), False),
        )

    @property
    def speech_intervals(self) -> list[Interval]:
        """The talk's intervals without its gaps; empty while it is in progress."""
        gaps = [(gap.started_at, gap.ended_at) for gap in self.gaps if gap.ended_at]
        return subtract_intervals([(self.started_at, self.ended_at)], gaps) if self.ended_at else []


class Gap(Table):
    """An interval in which a talk's operator was away while the caller was kept waiting."""

    talk = ForeignKeyField(Talk, backref="gaps", on_delete="CASCADE")
    started_at = MomentField()
    ended_at = MomentField(null=True)


class Transfer(Table):
    """A transfer of the caller, or an attempt at it."""

    call = ForeignKeyField(Call, backref="transfers", on_delete="CASCADE")
    position = IntegerField()
    kind = CharField()  # blind | attended | automatic
    to = CharField()  # as dialled
    by = CharField(null=True)  # login; null: automatic
    at = MomentField()
    result = CharField(null=True)  # answered | busy | no_answer | failed
    returned = BooleanField(default=False)


class DialAttempt(Table):
    """One attempt to reach an outside number over one trunk."""

    call = ForeignKeyField(Call, backref="attempts", on_delete="CASCADE")
    position = IntegerField()
    trunk = CharField()
    at = MomentField()
    status = CharField()  # Asterisk's DIALSTATUS
    cause = CharField(null=True)  # Q.850


class MergedCall(Table):
    """A linkedid of Asterisk whose records belong to another call, e.g. a phone's second call."""

    linkedid = CharField(primary_key=True)
    call_id = CharField(index=True)


class Recording(Table):
    """A sound file of a call. No foreign key: the row remains when the call is stored again."""

    # path as written by Asterisk, relative to the recordings folder
    file = CharField(primary_key=True)
    call_id = CharField(index=True)
    begun_at = MomentField(null=True)
    # True: the operator consults somebody, and the citizen cannot listen
    aside = BooleanField(default=False)
    seconds = FloatField(null=True, index=True)  # null until measured, after the call
    sha256 = CharField(null=True)  # of the file in its present form
    written_at = MomentField(null=True)  # when the last audio was written
    kept = CharField(null=True, index=True)  # the file's final name; "": deleted; null: as written
    peaks = TextField(null=True)  # loudness along its length, one digit or letter per interval


class EventRow(Table):
    """One unchanged record of Asterisk's event log, identified by its hash.

    `fields` has its values by name, without empty ones.
    """

    hash = CharField(primary_key=True)
    linkedid = CharField(index=True)
    at = MomentField(index=True)
    event = CharField()
    uniqueid = CharField(default="", index=True)
    begins = CharField(null=True)  # the context in which this record starts a call; else null
    phone = CharField(null=True)  # the phone that places a call with this record; else null
    fields = DocumentField()


class EventFile(Table):
    """The read position in a log file; it only avoids reading known records again."""

    fingerprint = CharField(primary_key=True)  # inode and hash of the first line
    offset = BigIntegerField()


class EventFragment(Table):
    """A part of a record that was cut where a log file was rotated.

    It is stored until the other part is read.
    """

    hash = CharField(primary_key=True)
    head = BooleanField()  # True: it was at the head of a file (the record's beginning is missing)
    text = BlobField()


class Quarantined(Table):
    """Text in one of Asterisk's logs that could not be imported; see `calls.quarantine`."""

    hash = CharField(primary_key=True)  # of kind and text, so that it is stored once
    kind = CharField()
    file = CharField()  # the log's name when it was read
    position = BigIntegerField()  # bytes from its start
    size = BigIntegerField()  # bytes
    beginning = BlobField()  # the first of these bytes
    linkedid = CharField(null=True, index=True)  # of the call it belongs to, if known
    noted_at = MomentField(index=True)


class AsteriskWatch(Table):
    """An interval in which Asterisk was observed running."""

    started_at = MomentField(primary_key=True)
    seen_at = MomentField()


class SeenCall(Table):
    """A call that Asterisk reported live but that its event log does not contain."""

    linkedid = CharField(primary_key=True)
    at = MomentField(index=True)
    begins = CharField()  # as in EventRow


class SipRefusal(Table):
    """A SIP request that Asterisk refused before it had a channel or an event log record."""

    sip = CharField(primary_key=True)  # the request's Call-ID
    at = MomentField(index=True)
    address = CharField()  # the sender's
    why = CharField()


class ListeningRight(Table):
    """A user with the personal right to listen to recordings, which some roles require."""

    login = CharField(primary_key=True)


class Listening(Table):
    """A permission for a user to listen to a call's recordings, with the reason they stated."""

    login = CharField(index=True)
    call_id = CharField(index=True)
    at = MomentField()
    reason = CharField()


# Partial indexes for conditions that few rows meet, such as calls in progress or the first record
# of a call: table, columns, condition, end of the index's name.
_PARTIAL_INDEXES = (
    (Call, (Call.by, Call.arrived_at), Call.by.is_null(False), "of_ours"),
    (Call, (Call.by, Call.reason, Call.arrived_at), Call.by.is_null(False), "of_ours_for"),
    (Call, (Call.by, Call.ended_at, Call.arrived_at), Call.ended_at.is_null(), "going_on"),
    (Ring, (Ring.operator, Ring.ended_at), Ring.ended_at.is_null(), "going_on"),
    (Talk, (Talk.who, Talk.ended_at), Talk.ended_at.is_null(), "going_on"),
    (Transfer, (Transfer.by, Transfer.result), Transfer.result.is_null(), "going_on"),
    (EventRow, (EventRow.begins, EventRow.at), EventRow.begins.is_null(False), "first"),
    (EventRow, (EventRow.phone, EventRow.at), EventRow.phone.is_null(False), "dialled"),
)
for _table, _fields, _where, _name in _PARTIAL_INDEXES:
    _name = f"{_table._meta.table_name}_{_name}"
    _table.add_index(_table.index(*_fields, name=_name, where=_where))
