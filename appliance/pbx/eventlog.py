"""Asterisk's event log (CEL) as a file: the content of a record, and how bytes become records.

Asterisk writes a record for each event of a channel. The uniqueid is the id of the channel; the
linkedid is the id of the call, that of its first channel.
"""

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

from appliance.core.clock import datetime_from_microseconds

CEL_FIELDS = (
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
# How a record starts: a time, then a name in capitals. It is searched for anywhere, because a
# record that a crash cut short is followed by the next one on the same line; it cannot occur inside
# a field, where quotes are doubled. A line break starts nothing: it can occur inside a field. The
# closing quote of a false start may open a true one, so the match does not include it.
RECORD_START = re.compile(rb'"\d{9,10}\.\d{6}","[A-Z_]{1,40}",(?=")')
MAX_RECORD_START_BYTES = 64
# A complete record, with doubled quotes in its fields.
_RECORD = re.compile(rb'(?:"(?:[^"]|"")*+",){17}"(?:[^"]|"")*+"\n')
# The fact that a record of these types must contain to be of use, and its form.
_REQUIRED_FACTS = {
    "RATING": ("mark", re.compile(r"[1-5]")),
    "RECORDING": ("file", re.compile(r"(?!/)(?!(.*/)?\.\./)[^\x00-\x1f]{1,200}")),
}
_OWN_EVENT_TYPES = ("CLOCK", "GONE")  # recorded by the pbx process itself, never in Asterisk's log
# The order of events in the same microsecond: early types, all others, late types.
_EARLY_TYPES = (
    *("CHAN_START", "ANSWER", "QUEUE_LEFT", "QUEUE", "APP_START"),
    *("BRIDGE_ENTER", "BRIDGE_EXIT", "APP_END"),
)
_LATE_TYPES = ("HANGUP", "CHAN_END", "LINKEDID_END")
_TYPE_RANKS = {kind: place - len(_EARLY_TYPES) for place, kind in enumerate(_EARLY_TYPES)}
_TYPE_RANKS |= {kind: place for place, kind in enumerate(_LATE_TYPES, 1)}
_QUOTE_COUNT = 2 * len(CEL_FIELDS)  # in a record whose fields contain no quote
_decode_json = json.JSONDecoder().decode
_SORTED_FIELD_KEYS = [(CEL_FIELDS.index(name), f'"{name}": ') for name in sorted(CEL_FIELDS)]
_CONTEXT_INDEX, _EXTRA_INDEX = CEL_FIELDS.index("Context"), CEL_FIELDS.index("EventExtra")


@dataclass  # not frozen: creation would take three times as long, and a call has about twenty
class Event:
    """One record, never modified. `extra` holds the facts that Asterisk or the dialplan added."""

    at: dt.datetime
    type: str  # Asterisk's own (CHAN_START, …), or the appliance's (ARRIVED, KEY, …)
    uniqueid: str
    linkedid: str
    channel: str
    row: list[str]  # its fields, in the order of CEL_FIELDS
    hash: str
    # The dialplan context, if this record begins a call in one. "BOOT": Asterisk itself starts;
    # "CLOCK": the clock was stepped, see `pbx.clock_watch`.
    begins: str | None = field(init=False)
    order: tuple[dt.datetime, int, str] = field(init=False)  # sorts records as they happened
    # The facts that Asterisk added, unchanged, if they can be read.
    added_facts: dict[str, object] | None = field(init=False)

    def __post_init__(self) -> None:
        """Derive the fields that are no parameters, from the others."""
        kind = self.type
        if kind in ("BOOT", "CLOCK"):
            self.begins = kind
        else:
            is_first = kind == "CHAN_START" and self.uniqueid == self.linkedid
            self.begins = self.row[_CONTEXT_INDEX] if is_first else None
        self.order = (self.at, _TYPE_RANKS.get(kind, 0), self.hash)
        self.added_facts = _parse_json_object(self.row[_EXTRA_INDEX])

    @functools.cached_property
    def fields(self) -> dict[str, str]:
        """The fields of the record by their names."""
        return dict(zip(CEL_FIELDS, self.row, strict=True))

    @property
    def endpoint(self) -> str:
        """The SIP endpoint of the channel: "1001" of "PJSIP/1001-00000002".

        The name of an E1 channel contains only the span: there it is the account code, the trunk.
        """
        if self.is_e1 and self.fields["AccountCode"]:
            return self.fields["AccountCode"]
        return self.channel.partition("/")[2].rpartition("-")[0]

    @property
    def is_e1(self) -> bool:
        """True if the channel is one of an E1 span."""
        return self.channel.startswith("DAHDI/")

    @property
    def is_trunk(self) -> bool:
        """True if the channel leads to a carrier: a trunk has a name, a phone a number."""
        technology = self.channel.partition("/")[0]
        return self.is_e1 or (technology == "PJSIP" and not self.endpoint.isdigit())

    @property
    def is_phone(self) -> bool:
        """True if the channel leads to one of the appliance's phones."""
        return self.channel.startswith("PJSIP/") and self.endpoint.isdigit()

    @property
    def dialling_phone(self) -> str | None:
        """The phone that dials a call by this record; None for any other record.

        A phone that the appliance rang, to place a call from a page or to listen in, has dialled
        nothing.
        """
        is_dialling = self.begins == "from-operator" and self.fields["Exten"] not in ("", "s")
        return self.endpoint if is_dialling and self.is_phone else None

    @functools.cached_property
    def extra(self) -> dict[str, str]:
        """The facts added to the record, as texts by name.

        Asterisk adds JSON; the appliance's own dialplan adds "k=v&k=v" in a JSON member "extra".
        """
        facts = self.added_facts or {}
        if "extra" in facts:
            return _parse_dialplan_facts(_storable_text(facts["extra"]))
        return {_storable_text(key): _storable_text(value) for key, value in facts.items()}

    @property
    def fields_json(self) -> str:
        """The fields as a database row stores them: JSON, sorted by name, without empty fields."""
        row = self.row
        members = [
            name + encode_basestring(value)
            for index, name in _SORTED_FIELD_KEYS
            if (value := row[index])
        ]
        return "{" + ", ".join(members) + "}"

    @property
    def is_faulty(self) -> bool:
        """True if the record is of no use: a required fact is missing or has another form.

        So is a record in the log of a type that only the appliance itself records.
        """
        if required := _REQUIRED_FACTS.get(self.type):
            name, pattern = required
            return not pattern.fullmatch(self.extra.get(name, ""))
        return self.type in _OWN_EVENT_TYPES

    @property
    def has_unreadable_facts(self) -> bool:
        """True if the added facts cannot be read, although all other fields can."""
        return self.added_facts is None


class LogPiece(NamedTuple):
    """The bytes from one start of a record to the next: a record, or the remains of a cut one."""

    end: int  # offset of the first byte after it
    text: bytes
    event: Event | None  # None: not a complete record


def split_log(data: bytes) -> Iterator[LogPiece]:
    """Split a log's bytes into records; the first and the last piece may be incomplete records."""
    starts = [match.start() for match in RECORD_START.finditer(data)]
    first = starts[0] if starts else len(data)
    if first:
        yield LogPiece(first, data[:first], None)
    for start, end in itertools.pairwise([*starts, len(data)]):
        text = data[start:end]
        event, length = _parse_started_record(text), len(text)
        if not event and (record := _RECORD.match(text)):
            length = record.end()
            event = _parse_started_record(text[:length])
        if event and length < len(text):  # followed by a scrap of the next record, or garbage
            yield LogPiece(start + length, text[:length], event)
            yield LogPiece(end, text[length:], None)
        else:
            yield LogPiece(end, text, event)


def parse_record(text: bytes) -> Event | None:
    """Return the event of one complete record; None if the bytes are anything else."""
    return _parse_started_record(text) if RECORD_START.match(text) else None


def _parse_started_record(text: bytes) -> Event | None:
    """Return the event of bytes that begin as a record does, if the record is complete."""
    if not text.endswith(b'"\n'):
        return None
    row = _split_fields(text.decode("utf-8", "replace"))
    return _event_from_list(row) if len(row) == len(CEL_FIELDS) else None


def _split_fields(text: str) -> list[str]:
    """Return a record's fields; an empty list, or a wrong number of them, if it is no record."""
    row = text[1:-2].split('","')
    if text.count('"') == _QUOTE_COUNT and len(row) == len(CEL_FIELDS):
        return row
    if len(row) == len(CEL_FIELDS):
        # Quotes within a field are doubled; a single one shows that the text was split wrongly.
        for index, field in enumerate(row):
            if '"' in field:
                if '"' in field.replace('""', ""):
                    break
                row[index] = field.replace('""', '"')
        else:
            return row
    try:  # a comma between quotes within a field, or no record
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:  # no record: the bytes are set aside as damaged
        return []
    return rows[0] if len(rows) == 1 else []


def linkedid_of_fragment(text: bytes) -> str | None:
    """Return the linkedid in the beginning of a record, unless it was cut before that."""
    fields = re.match(rb'(?:"(?:[^"]|"")*+",){4}"((?:[^"]|"")*+)"', text)
    return fields[1].decode("utf-8", "replace") if fields and RECORD_START.match(text) else None


def create_event(
    kind: str, linkedid: str, at: dt.datetime | str, *, facts: str = "", **fields: str
) -> Event:
    """Return an event that the appliance records in addition to those of Asterisk's log.

    `kind` is its type. `fields` are further ones by their names in CEL_FIELDS, all others are
    empty; UniqueID is the linkedid unless passed. `at` is a datetime, or the time as Asterisk wrote
    it; `facts` are in the form that the dialplan uses, "k=v&k=v".
    """
    common_fields = {
        "EventTime": at if isinstance(at, str) else f"{at.timestamp():.6f}",
        "EventType": kind,
        "UniqueID": linkedid,
        "LinkedID": linkedid,
        "EventExtra": json.dumps({"extra": facts}) if facts else "",
    }
    return event_from_fields(dict.fromkeys(CEL_FIELDS, "") | common_fields | fields)


def event_from_columns(
    hash: str,
    linkedid: str,
    at: dt.datetime,
    type: str,
    uniqueid: str,
    stored_fields: dict[str, str],
) -> Event:
    """Return the event of a database row; `stored_fields` are its fields without the empty ones."""
    row = [stored_fields.get(name, "") for name in CEL_FIELDS]
    return Event(at, type, uniqueid, linkedid, stored_fields.get("ChanName", ""), row, hash)


def event_from_fields(fields: dict[str, str]) -> Event:
    """Return the event of a record whose fields are given by name."""
    return _event_from_list([fields[name] for name in CEL_FIELDS])


def _event_from_list(row: list[str]) -> Event:
    """Return the event of a record whose fields are given in the order of CEL_FIELDS."""
    at, type, _number, uniqueid, linkedid, channel, *_rest = row
    seconds, _, fraction = at.partition(".")
    micro = int(fraction[:6].ljust(6, "0"))
    digest = hashlib.sha256("\x1f".join(row).encode()).hexdigest()[:32]
    happened_at = datetime_from_microseconds(1_000_000 * int(seconds) + micro)
    return Event(happened_at, type, uniqueid, linkedid, channel, row, digest)


def _parse_json_object(extra: str) -> dict[str, object] | None:
    """Return the JSON object that Asterisk added to a record; None if it is no valid object.

    Returns an empty one if Asterisk added nothing.
    """
    if not extra:
        return {}
    try:
        facts = _decode_json(extra)
    except (ValueError, RecursionError):  # the record is set aside, and used without its facts
        return None
    return facts if isinstance(facts, dict) else None


def _parse_dialplan_facts(text: str) -> dict[str, str]:
    """Return the facts that the dialplan added, "k=v&k=v"; few contain an escaped character."""
    if "%" in text or "+" in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return {name: value for name, _, value in pairs}


def _storable_text(value: object) -> str:
    """Return a value as text that the database accepts: JSON can contain lone surrogates."""
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
