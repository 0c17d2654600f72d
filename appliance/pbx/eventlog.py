"""Asterisk's event log (CEL) as a file: what a record holds, and how bytes become records."""

import csv
import datetime as dt
import functools
import hashlib
import io
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import NamedTuple
from urllib.parse import parse_qsl

from appliance.core.clock import moment
from appliance.models import EventRow

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
# What looks like a start may end with the quote by which a true one begins: it is not taken in.
START = re.compile(rb'"\d{9,10}\.\d{6}","[A-Z_]{1,40}",(?=")')
LONGEST_START = 64  # bytes
# A whole one, quotes doubled in its fields.
_RECORD = re.compile(rb'(?:"(?:[^"]|"")*+",){17}"(?:[^"]|"")*+"\n')
# What a record must tell, or nothing can be made of it.
_MUST_TELL = {
    "RATING": ("mark", re.compile(r"[1-5]")),
    "RECORDING": ("file", re.compile(r"(?!/)(?!(.*/)?\.\./)[^\x00-\x1f]{1,200}")),
}
_BESIDE = ("CLOCK", "GONE")  # noted by the pbx process itself, and never in Asterisk's log
# Which of two events of one microsecond comes first.
_ORDER = (
    *("CHAN_START", "ANSWER", "QUEUE_LEFT", "QUEUE", "APP_START"),
    *("BRIDGE_ENTER", "BRIDGE_EXIT", "APP_END"),
)
_LAST = ("HANGUP", "CHAN_END", "LINKEDID_END")
_PLACES = {kind: place - len(_ORDER) for place, kind in enumerate(_ORDER)}
_PLACES |= {kind: place for place, kind in enumerate(_LAST, 1)}
_QUOTES = 2 * len(FIELDS)  # in a record whose fields hold none
_decode = json.JSONDecoder().decode
_NAMED = [(FIELDS.index(name), f'"{name}": ') for name in sorted(FIELDS)]
_CONTEXT, _EXTRA = FIELDS.index("Context"), FIELDS.index("EventExtra")


@dataclass  # not frozen: to be made would take three times as long, and a call has some twenty
class Event:
    """One record, which nobody changes. `extra` holds what Asterisk or our dialplan added to it."""

    at: dt.datetime
    type: str  # Asterisk's own (CHAN_START, …), or ours (ARRIVED, KEY, …)
    uniqueid: str
    linkedid: str
    channel: str
    row: list[str]  # its fields, in the order of FIELDS
    hash: str
    # The context in which this record begins a call, or None. "BOOT": Asterisk itself begins;
    # "CLOCK": another time does, see `pbx.clock_watch`.
    begins: str | None = field(init=False)
    order: tuple[dt.datetime, int, str] = field(init=False)  # as they happened, however read
    # What Asterisk added, as it is; None: it cannot be read.
    added: dict[str, object] | None = field(init=False)

    def __post_init__(self) -> None:
        kind = self.type
        if kind in ("BOOT", "CLOCK"):
            self.begins = kind
        else:
            first = kind == "CHAN_START" and self.uniqueid == self.linkedid
            self.begins = self.row[_CONTEXT] if first else None
        self.order = (self.at, _PLACES.get(kind, 0), self.hash)
        self.added = _object(self.row[_EXTRA])

    @functools.cached_property
    def fields(self) -> dict[str, str]:
        """Its fields by their names."""
        return dict(zip(FIELDS, self.row, strict=True))

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
    def phone(self) -> str | None:
        """The phone that dials a call by this record, or None.

        A phone that we have rung, to speak for a page or to listen in, has dialled nothing.
        """
        dials = self.begins == "from-operator" and self.fields["Exten"] not in ("", "s")
        return self.endpoint if dials and self.is_phone else None

    @functools.cached_property
    def extra(self) -> dict[str, str]:
        """Added facts: JSON by Asterisk, "k=v&k=v" in its "extra" by our dialplan."""
        facts = self.added or {}
        if "extra" in facts:
            return _pairs(_text(facts["extra"]))
        return {_text(key): _text(value) for key, value in facts.items()}

    @property
    def fields_as_kept(self) -> str:
        """Its fields as a row keeps them: in the order of their names, without those empty."""
        row = self.row
        told = [name + encode_basestring(held) for place, name in _NAMED if (held := row[place])]
        return "{" + ", ".join(told) + "}"

    @property
    def faulty(self) -> bool:
        """Whether it is none that Asterisk writes, or lacks what one of its kind must tell."""
        if must := _MUST_TELL.get(self.type):
            name, form = must
            return not form.fullmatch(self.extra.get(name, ""))
        return self.type in _BESIDE

    @property
    def unreadable(self) -> bool:
        """Whether its added facts cannot be read; all else that it tells can."""
        return self.added is None


class Piece(NamedTuple):
    """A run of bytes between two starts of records: a record, or what a cut left of one."""

    end: int  # offset just behind it
    text: bytes
    event: Event | None


def pieces(data: bytes) -> Iterator[Piece]:
    """Split a log's bytes into records; the first and the last piece may be cut ones."""
    starts = [match.start() for match in START.finditer(data)]
    first = starts[0] if starts else len(data)
    if first:
        yield Piece(first, data[:first], None)
    for start, end in itertools.pairwise([*starts, len(data)]):
        text = data[start:end]
        event, whole = _record(text), len(text)
        if not event and (record := _RECORD.match(text)):
            whole = record.end()
            event = _record(text[:whole])
        if event and whole < len(text):  # something clings to it: a scrap of the next one, garbage
            yield Piece(start + whole, text[:whole], event)
            yield Piece(end, text[whole:], None)
        else:
            yield Piece(end, text, event)


def parse(text: bytes) -> Event | None:
    """The event of one whole record, or None when the bytes are not one."""
    return _record(text) if START.match(text) else None


def _record(text: bytes) -> Event | None:
    """The same of bytes that begin as a record does."""
    if not text.endswith(b'"\n'):
        return None
    row = _split(text.decode("utf-8", "replace"))
    return _of(row) if len(row) == len(FIELDS) else None


def _split(text: str) -> list[str]:
    """A record's fields; none when it is not one record."""
    row = text[1:-2].split('","')
    if text.count('"') == _QUOTES and len(row) == len(FIELDS):
        return row
    if len(row) == len(FIELDS):
        for place, field in enumerate(row):
            if '"' in field:
                if '"' in field.replace('""', ""):
                    break
                row[place] = field.replace('""', '"')
        else:
            return row
    try:  # a comma between quotes within a field, or no record
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []


def linkedid_of(text: bytes) -> str | None:
    """The call of which the beginning of a record tells; None where it does not say."""
    fields = re.match(rb'(?:"(?:[^"]|"")*+",){4}"((?:[^"]|"")*+)"', text)
    return fields[1].decode("utf-8", "replace") if fields and START.match(text) else None


def own(
    kind: str, linkedid: str, at: dt.datetime | str, *, facts: str = "", **fields: str
) -> Event:
    """An event that we note beside Asterisk's log; fields that are left out are empty.

    `at`: a moment, or Asterisk's own words for one; `facts` as our dialplan adds them, "k=v&k=v".
    """
    named = {
        "EventTime": at if isinstance(at, str) else f"{at.timestamp():.6f}",
        "EventType": kind,
        "UniqueID": linkedid,
        "LinkedID": linkedid,
        "EventExtra": json.dumps({"extra": facts}) if facts else "",
    }
    return from_fields(dict.fromkeys(FIELDS, "") | named | fields)


def from_row(row: EventRow) -> Event:
    """The event of a row that was made of a record."""
    return written(row.hash, row.linkedid, row.at, row.event, row.uniqueid, row.fields)


def written(
    hash: str, linkedid: str, at: dt.datetime, type: str, uniqueid: str, kept: dict[str, str]
) -> Event:
    """The event of what a row keeps; `kept`: its fields, without those that are empty."""
    row = [kept.get(name, "") for name in FIELDS]
    return Event(at, type, uniqueid, linkedid, kept.get("ChanName", ""), row, hash)


def from_fields(fields: dict[str, str]) -> Event:
    """The event of a record's fields."""
    return _of([fields[name] for name in FIELDS])


def _of(row: list[str]) -> Event:
    at, type, _number, uniqueid, linkedid, channel, *_others = row
    seconds, _, fraction = at.partition(".")
    micro = int(fraction[:6].ljust(6, "0"))
    digest = hashlib.sha256("\x1f".join(row).encode()).hexdigest()[:32]
    since = moment(1_000_000 * int(seconds) + micro)
    return Event(since, type, uniqueid, linkedid, channel, row, digest)


def _object(extra: str) -> dict[str, object] | None:
    """The JSON object that a record adds; None when what it adds is none."""
    if not extra:
        return {}
    try:
        facts = _decode(extra)
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def _pairs(told: str) -> dict[str, str]:
    """Facts of our dialplan, "k=v&k=v"; most hold nothing that was written otherwise."""
    if "%" in told or "+" in told:
        return dict(parse_qsl(told, keep_blank_values=True))
    pairs = (pair.partition("=") for pair in told.split("&") if pair)
    return {name: value for name, _, value in pairs}


def _text(value: object) -> str:
    """As the database takes it: JSON can escape halves of characters."""
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
