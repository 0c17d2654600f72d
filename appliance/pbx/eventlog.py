"""Asterisk's event log (CEL) as a file: what a record holds, and how bytes become records."""

import csv
import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

FIELDS = (
    "EventTime",
    "EventType",
    "eventenum",
    "UniqueID",
    "LinkedID",
    "ChanName",
    "Num",
    "ani",
    "rdnis",
    "dnid",
    "Exten",
    "Context",
    "AppName",
    "AppData",
    "Peer",
    "EventExtra",
    "Name",
    "AccountCode",
)
# How a record starts: a moment, then a name in capitals. Looked for anywhere, since a record that
# a crash cut short is followed by the next one on the same line; inside a field it cannot stand,
# because quotes are doubled there. A line break starts nothing: it can stand inside a field.
_START = re.compile(rb'"\d{9,10}\.\d{6}","[A-Z_]+","')
# Which of two events of one microsecond comes first.
_ORDER = (
    *("CHAN_START", "ANSWER", "QUEUE_LEFT", "QUEUE", "APP_START"),
    *("BRIDGE_ENTER", "BRIDGE_EXIT", "APP_END"),
)
_LAST = ("HANGUP", "CHAN_END", "LINKEDID_END")


@dataclass(frozen=True)
class Event:
    """One record. `extra` holds what Asterisk or our dialplan added to it."""

    at: dt.datetime
    type: str  # Asterisk's own (CHAN_START, …), or ours (ARRIVED, KEY, …)
    uniqueid: str
    linkedid: str
    channel: str
    fields: dict[str, str]
    hash: str

    @property
    def endpoint(self) -> str:
        """The SIP endpoint of the channel: "1001" of "PJSIP/1001-00000002".

        The name of an E1 channel tells no more than the span; its trunk is its account code.
        """
        if self.is_e1 and self.fields["AccountCode"]:
            return self.fields["AccountCode"]
        return self.channel.partition("/")[2].rpartition("-")[0]

    @property
    def is_e1(self) -> bool:
        """Whether its channel is one of an E1 span."""
        return self.channel.startswith("DAHDI/")

    @property
    def is_trunk(self) -> bool:
        """Whether its channel leads to a carrier: a trunk has a name, a phone a number."""
        technology = self.channel.partition("/")[0]
        return self.is_e1 or (technology == "PJSIP" and not self.endpoint.isdigit())

    @property
    def is_phone(self) -> bool:
        """Whether its channel leads to one of our phones."""
        return self.channel.startswith("PJSIP/") and self.endpoint.isdigit()

    @property
    def begins(self) -> str | None:
        """The context in which this record begins a call, or None.

        "BOOT": Asterisk itself begins; "CLOCK": another time does, see `pbx.stepping`.
        """
        if self.type in ("BOOT", "CLOCK"):
            return self.type
        first = self.type == "CHAN_START" and self.uniqueid == self.linkedid
        return self.fields["Context"] if first else None

    @property
    def phone(self) -> str | None:
        """The phone that dials a call by this record, or None.

        A phone that we have rung, to speak for a page or to listen in, has dialled nothing.
        """
        dials = self.begins == "from-operator" and self.fields["Exten"] not in ("", "s")
        return self.endpoint if dials and self.is_phone else None

    @property
    def extra(self) -> dict[str, str]:
        """Added facts: JSON by Asterisk, "k=v&k=v" in its "extra" by our dialplan."""
        try:
            facts = json.loads(self.fields["EventExtra"] or "{}")
        except ValueError:
            return {}
        if "extra" in facts:
            return dict(parse_qsl(facts["extra"], keep_blank_values=True))
        return {key: str(value) for key, value in facts.items()}

    @property
    def order(self) -> tuple[dt.datetime, int, str]:
        """Sorts events as they happened, in whatever order they were read."""
        if self.type in _ORDER:
            place = _ORDER.index(self.type) - len(_ORDER)
        else:
            place = 1 + _LAST.index(self.type) if self.type in _LAST else 0
        return self.at, place, self.hash


@dataclass(frozen=True)
class Piece:
    """A run of bytes between two starts of records: a record, or what a cut left of one."""

    end: int  # offset just behind it
    text: bytes
    event: Event | None


def pieces(data: bytes) -> Iterator[Piece]:
    """Split a log's bytes into records; the first and the last piece may be cut ones."""
    starts = [match.start() for match in _START.finditer(data)]
    if not starts or starts[0] > 0:
        starts.insert(0, 0)
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        text = data[start:end]
        event = parse(text)
        whole = len(text) if event else text.rfind(b'"\n') + 2
        if not event and (event := parse(text[:whole])):  # a scrap of the next one clings to it
            yield Piece(start + whole, text[:whole], event)
            yield Piece(end, text[whole:], None)
        elif text:
            yield Piece(end, text, event)


def parse(text: bytes) -> Event | None:
    """The event of one whole record, or None when the bytes are not one."""
    if not text.endswith(b'"\n'):
        return None
    try:
        rows = list(csv.reader(io.StringIO(text.decode("utf-8", "replace"), newline="")))
    except csv.Error:
        return None
    if len(rows) != 1 or len(rows[0]) != len(FIELDS) or not _START.match(text):
        return None
    return from_fields(dict(zip(FIELDS, rows[0], strict=True)))


def own(fields: dict[str, str], said: str = "") -> Event:
    """An event that we note beside Asterisk's log; fields that are left out are empty.

    `said`: facts as our dialplan adds them, "k=v&k=v".
    """
    extra = {"EventExtra": json.dumps({"extra": said})} if said else {}
    return from_fields(dict.fromkeys(FIELDS, "") | fields | extra)


def from_fields(fields: dict[str, str]) -> Event:
    """The event of a record's fields."""
    seconds, _, fraction = fields["EventTime"].partition(".")
    moment = dt.datetime.fromtimestamp(int(seconds), dt.UTC)
    told = "\x1f".join(fields[name] for name in FIELDS)
    return Event(
        at=moment.replace(microsecond=int(fraction[:6].ljust(6, "0"))),
        type=fields["EventType"],
        uniqueid=fields["UniqueID"],
        linkedid=fields["LinkedID"],
        channel=fields["ChanName"],
        fields=fields,
        hash=hashlib.sha256(told.encode()).hexdigest()[:32],
    )
