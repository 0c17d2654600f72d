"""The ledger: one row per call, its stretches, its recordings, and the log rows it is made of."""

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

from appliance.core.intervals import Interval, without
from appliance.core.tables import DocumentField, MomentField, Table


class Call(Table):
    """What a citizen would call one call: everything under one linkedid (docs/figures.md)."""

    id = CharField(primary_key=True)  # Asterisk's linkedid
    direction = CharField()  # inbound | outbound | internal
    arrived_at = MomentField(index=True)
    ended_at = MomentField(null=True, index=True)  # null while it goes on
    hotline_number = CharField(null=True)
    diverted_from = CharField(null=True)
    caller = CharField(null=True, index=True)  # normalised, +998…
    callee = CharField(null=True, index=True)  # of a call that we placed
    trunk = CharField(null=True)
    technology = CharField(default="sip")
    language = CharField(null=True)  # uz | ru
    menu = DocumentField(default=list)  # keys pressed, in order
    stage = CharField()  # menu | dialling | queue | ringing | talk | transfer | rating | ended
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
    topic = CharField(null=True)  # a code of the topics' catalogue
    sip = CharField(null=True, index=True)  # the carrier's Call-ID
    by = CharField(null=True)  # outgoing: login of who placed it; null: the machine
    reason = CharField(null=True)  # outgoing: phone | page | follow_up | callback | ministry
    serves = CharField(null=True, index=True)  # outgoing: the id of what it serves

    @property
    def citizen(self) -> str | None:
        """The number at the other end: who called, or whom we called; None when it is hidden."""
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
    """One phone that rang for a visit."""

    visit = ForeignKeyField(QueueVisit, backref="rings", on_delete="CASCADE")
    operator = CharField()  # login
    extension = CharField()
    started_at = MomentField()
    ended_at = MomentField(null=True)
    result = CharField(null=True)  # answered | no_answer | busy | cancelled | failed

    class Meta:
        indexes = ((("operator", "started_at"), False),)


class Talk(Table):
    """One stretch of a call with one operator or employee."""

    call = ForeignKeyField(Call, backref="talks", on_delete="CASCADE", index=False)
    position = IntegerField()
    party = CharField()  # operator | employee | outside
    who = CharField()  # an operator's login, else a number
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
    def spoken(self) -> list[Interval]:
        """It without its gaps; nothing while it goes on."""
        gaps = [(gap.started_at, gap.ended_at) for gap in self.gaps if gap.ended_at]
        return without([(self.started_at, self.ended_at)], gaps) if self.ended_at else []


class Gap(Table):
    """A stretch in which a talk's operator was away, and the caller was kept for him."""

    talk = ForeignKeyField(Talk, backref="gaps", on_delete="CASCADE")
    started_at = MomentField()
    ended_at = MomentField(null=True)


class Transfer(Table):
    """A caller handed over, or an attempt at it."""

    call = ForeignKeyField(Call, backref="transfers", on_delete="CASCADE")
    position = IntegerField()
    kind = CharField()  # blind | attended | automatic
    to = CharField()  # as dialled
    by = CharField(null=True)  # login; null: the line itself
    at = MomentField()
    result = CharField(null=True)  # answered | busy | no_answer | failed
    returned = BooleanField(default=False)


class DialAttempt(Table):
    """One attempt to reach somebody outside over one trunk."""

    call = ForeignKeyField(Call, backref="attempts", on_delete="CASCADE")
    position = IntegerField()
    trunk = CharField()
    at = MomentField()
    status = CharField()  # Asterisk's DIALSTATUS
    cause = CharField(null=True)  # Q.850


class MergedCall(Table):
    """A linkedid of Asterisk whose records tell of another call: a phone's second call, say."""

    linkedid = CharField(primary_key=True)
    call_id = CharField(index=True)


class Recording(Table):
    """A sound file of a call. Not a child row: kept when the call is interpreted again."""

    file = CharField(primary_key=True)  # as Asterisk wrote it; relative to the recordings folder
    call_id = CharField(index=True)
    begun_at = MomentField(null=True)
    aside = BooleanField(default=False)  # an operator asks somebody, unheard by the citizen
    seconds = FloatField(null=True, index=True)  # null until measured, after the call
    sha256 = CharField(null=True)  # of the file as it is now
    written_at = MomentField(null=True)  # when its last sound was written
    kept = CharField(null=True, index=True)  # the file's last name; "": none; null: as written
    peaks = TextField(null=True)  # how loud it is along its length, a digit or letter per stretch


class EventRow(Table):
    """One record of Asterisk's event log, as it was; found again by its own hash.

    `fields` leaves out those that are empty.
    """

    hash = CharField(primary_key=True)
    linkedid = CharField(index=True)
    at = MomentField(index=True)
    event = CharField()
    uniqueid = CharField(default="", index=True)
    begins = CharField(null=True)  # the context in which this record begins a call; else null
    phone = CharField(null=True)  # the phone that places a call by this record; else null
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


class Quarantined(Table):
    """What stood in one of Asterisk's logs and could not be taken in; see `calls.quarantine`."""

    hash = CharField(primary_key=True)  # of what it is: found again by whatever way
    kind = CharField()
    file = CharField()  # the log's name when it was read
    position = BigIntegerField()  # bytes from its beginning
    size = BigIntegerField()  # bytes
    beginning = BlobField()  # the first of them
    linkedid = CharField(null=True, index=True)  # of the call that it tells of, where that is known
    noted_at = MomentField(index=True)


class AsteriskWatch(Table):
    """A stretch of time in which Asterisk was seen alive."""

    started_at = MomentField(primary_key=True)
    seen_at = MomentField()


class SeenCall(Table):
    """A call that Asterisk told of while it came, and that its event log does not hold."""

    linkedid = CharField(primary_key=True)
    at = MomentField(index=True)
    begins = CharField()  # as in EventRow


class SipRefusal(Table):
    """A SIP request that Asterisk refused before a channel, and so the event log, was."""

    sip = CharField(primary_key=True)  # the request's Call-ID
    at = MomentField(index=True)
    address = CharField()  # who sent it
    why = CharField()


class ListeningRight(Table):
    """Who may hear recordings beyond the roles that may."""

    login = CharField(primary_key=True)


class Listening(Table):
    """Somebody was let hear a call's recordings, for a reason that he gave."""

    login = CharField(index=True)
    call_id = CharField(index=True)
    at = MomentField()
    reason = CharField()


# What only few rows hold is found by an index of those alone: an operator's calls that go on among
# all those he ever had, the first record of a call among all that follow.
_OF_FEW = (
    (Call, (Call.by, Call.arrived_at), Call.by.is_null(False), "of_ours"),
    (Call, (Call.by, Call.reason, Call.arrived_at), Call.by.is_null(False), "of_ours_for"),
    (Call, (Call.by, Call.ended_at, Call.arrived_at), Call.ended_at.is_null(), "going_on"),
    (Ring, (Ring.operator, Ring.ended_at), Ring.ended_at.is_null(), "going_on"),
    (Talk, (Talk.who, Talk.ended_at), Talk.ended_at.is_null(), "going_on"),
    (Transfer, (Transfer.by, Transfer.result), Transfer.result.is_null(), "going_on"),
    (EventRow, (EventRow.begins, EventRow.at), EventRow.begins.is_null(False), "first"),
    (EventRow, (EventRow.phone, EventRow.at), EventRow.phone.is_null(False), "dialled"),
)
for _table, _fields, _where, _name in _OF_FEW:
    _name = f"{_table._meta.table_name}_{_name}"
    _table.add_index(_table.index(*_fields, name=_name, where=_where))
