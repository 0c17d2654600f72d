"""Event logs written as readable tables."""

import csv
import datetime as dt
import io
import json
from urllib.parse import urlencode

from appliance.pbx.eventlog import CEL_FIELDS, Event, parse_record

TABLE_START = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
_USER_EVENTS = {
    *("ARRIVED", "BOOT", "CALLBACK", "CLOSED", "DIALLED", "GIVEN_UP", "HOLD", "KEY", "LANGUAGE"),
    *(
        "LOST",
        "OUTGOING",
        "QUEUE",
        "QUEUE_LEFT",
        "RATING",
        "RECORDING",
        "REFUSED",
        "RINGS",
        "SELF_SERVICE",
    ),
    *("SYNTHETIC", "TOPIC", "TRANSFER", "TRANSFER_END", "UNHOLD"),
}


def table_time(seconds: float) -> dt.datetime:
    """Return the time of a second of the table."""
    return TABLE_START + dt.timedelta(seconds=seconds)


def log_records(table: str, call: str = "hotline-1.0") -> list[bytes]:
    """Return the log lines of a table: seconds | event | channel | facts (k=v k=v …).

    Channels: "caller" is a carrier's channel whose uniqueid is the call's; "1001#2" is the second
    channel of phone 1001, "carrier#2" of a trunk, "e1" of a span, "local;1" half of a Local
    channel. "first:1001" begins the call, "second:1001" a second call; a leading "b:" gives the
    record the linkedid of that second call. `source` and `cause` describe a hangup, `app` and
    `context` the position in the dialplan.
    """
    return [_record_line(line, call) for line in table.splitlines() if line.strip()]


def table_events(table: str, call: str = "hotline-1.0") -> list[Event]:
    """Return the parsed events of a table."""
    parsed_events = [parse_record(record) for record in log_records(table, call)]
    assert all(parsed_events)
    return [event for event in parsed_events if event]


def step_table_clock(table: str, after: float, by: float) -> str:
    """Return the table with its rows after `after` moved by `by` s, as a clock step does."""
    rows = (row.split("|", 1) for row in table.splitlines() if row.strip())
    return "\n".join(f"{float(s) + by * (float(s) > after)} |{rest}" for s, rest in rows)


def second_call_linkedid(call: str) -> str:
    """Return the linkedid of a phone's second call."""
    return f"{call.rpartition('.')[0]}.500"


def _record_line(line: str, call: str) -> bytes:
    seconds, name, who, *rest = (part.strip() for part in line.split("|"))
    pairs = rest[0].replace("{call}", call).split() if rest else []
    facts = dict(pair.split("=", 1) for pair in pairs)
    linkedid, who = (second_call_linkedid(call), who[2:]) if who.startswith("b:") else (call, who)
    uniqueid, channel = _channel_identity(who, call)
    phone = who.rpartition(":")[2].partition("#")[0]
    row = dict.fromkeys(CEL_FIELDS, "") | {
        "EventTime": f"{table_time(float(seconds)).timestamp():.6f}",
        "EventType": name,
        "eventenum": "USER_DEFINED" if name in _USER_EVENTS else name,
        "UniqueID": uniqueid,
        "LinkedID": linkedid,
        "ChanName": channel,
        "Context": facts.pop("context", "from-operator" if phone.isdigit() else "from-trunk"),
        "Exten": facts.pop("exten", "1006" if name == "CHAN_START" and who == "caller" else "s"),
        "Num": facts.pop("num", ""),
        "AppName": facts.pop("app", ""),
        "AppData": facts.pop("data", ""),
        "AccountCode": f"op{phone[2:4]}" if phone.isdigit() else "",
        "EventExtra": _extra_field(name, call, facts),
    }
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row.values())
    return stream.getvalue().encode()


def _channel_identity(who: str, call: str) -> tuple[str, str]:
    """Return the uniqueid and the name of the channel."""
    if who == "caller":
        return call, "PJSIP/carrier-00000000"
    place, _, rest = who.rpartition(":")
    name, _, number = rest.partition("#")
    if name == "e1":
        full = f"DAHDI/i1/900000{int(number or 1):03}-1"
    elif name.startswith("local"):
        full = f"Local/998711234567@outgoing-machine-0000{name[-2:]}"
    else:
        full = f"PJSIP/{name}-{place or 'x'}{int(number or 1):04}"
    uniqueid = {"first": call, "second": second_call_linkedid(call)}.get(
        place
    ) or f"{call}.{name}.{number or 1}"
    return uniqueid, full


def _extra_field(name: str, call: str, facts: dict[str, str]) -> str:
    if name in _USER_EVENTS:
        return json.dumps({"extra": urlencode(facts)})
    if name == "HANGUP":
        source = facts["source"]
        channel = "" if source == "none" else _channel_identity(source, call)[1]
        return json.dumps({"hangupcause": int(facts.get("cause", "16")), "hangupsource": channel})
    if "bridge" in facts:
        return json.dumps({"bridge_id": facts["bridge"]})
    if "channel2" in facts:
        return json.dumps({"channel2_uniqueid": _channel_identity(facts["channel2"], call)[0]})
    return ""
