"""Event logs as tables that people can read."""

import csv
import datetime as dt
import io
import json
from urllib.parse import urlencode

from appliance.pbx.eventlog import FIELDS, Event, parse

BEGIN = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
_OWN = {
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


def at(seconds: float) -> dt.datetime:
    """The moment of a table's second."""
    return BEGIN + dt.timedelta(seconds=seconds)


def records(table: str, call: str = "hotline-1.0") -> list[bytes]:
    """The log's lines of a table: seconds | event | channel | facts (k=v, parted by blanks).

    Channels: "caller" is a carrier's channel whose uniqueid is the call's; "1001#2" is the second
    channel of phone 1001, "carrier#2" of a trunk, "e1" of a span, "local;1" half of a Local
    channel. "first:1001" begins the call, "second:1001" a second call that "b:" in front gives its
    own linkedid.
    `source` and `cause` tell of a hangup, `app` and `context` of where it was.
    """
    return [_record(line, call) for line in table.splitlines() if line.strip()]


def events(table: str, call: str = "hotline-1.0") -> list[Event]:
    """The events of a table."""
    found = [parse(record) for record in records(table, call)]
    assert all(found)
    return [event for event in found if event]


def jumped(table: str, after: float, by: float) -> str:
    """The table, what comes after that second written by a clock stepped by so much."""
    rows = (row.split("|", 1) for row in table.splitlines() if row.strip())
    return "\n".join(f"{float(s) + by * (float(s) > after)} |{rest}" for s, rest in rows)


def second(call: str) -> str:
    """The linkedid of a phone's second call."""
    return f"{call.rpartition('.')[0]}.500"


def _record(line: str, call: str) -> bytes:
    seconds, name, who, *rest = (part.strip() for part in line.split("|"))
    told = rest[0].replace("{call}", call).split() if rest else []
    facts = dict(pair.split("=", 1) for pair in told)
    linkedid, who = (second(call), who[2:]) if who.startswith("b:") else (call, who)
    uniqueid, channel = _channel(who, call)
    phone = who.rpartition(":")[2].partition("#")[0]
    row = dict.fromkeys(FIELDS, "") | {
        "EventTime": f"{at(float(seconds)).timestamp():.6f}",
        "EventType": name,
        "eventenum": "USER_DEFINED" if name in _OWN else name,
        "UniqueID": uniqueid,
        "LinkedID": linkedid,
        "ChanName": channel,
        "Context": facts.pop("context", "from-operator" if phone.isdigit() else "from-trunk"),
        "Exten": facts.pop("exten", "1006" if name == "CHAN_START" and who == "caller" else "s"),
        "Num": facts.pop("num", ""),
        "AppName": facts.pop("app", ""),
        "AppData": facts.pop("data", ""),
        "AccountCode": f"op{phone[2:4]}" if phone.isdigit() else "",
        "EventExtra": _extra(name, call, facts),
    }
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row.values())
    return stream.getvalue().encode()


def _channel(who: str, call: str) -> tuple[str, str]:
    """uniqueid and name."""
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
    uniqueid = {"first": call, "second": second(call)}.get(place) or f"{call}.{name}.{number or 1}"
    return uniqueid, full


def _extra(name: str, call: str, facts: dict[str, str]) -> str:
    if name in _OWN:
        return json.dumps({"extra": urlencode(facts)})
    if name == "HANGUP":
        source = facts["source"]
        channel = "" if source == "none" else _channel(source, call)[1]
        return json.dumps({"hangupcause": int(facts.get("cause", "16")), "hangupsource": channel})
    if "bridge" in facts:
        return json.dumps({"bridge_id": facts["bridge"]})
    if "channel2" in facts:
        return json.dumps({"channel2_uniqueid": _channel(facts["channel2"], call)[0]})
    return ""
