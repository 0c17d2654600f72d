"""Event logs as tables that people can read."""

import csv
import datetime as dt
import io
import json
from urllib.parse import urlencode

from appliance.pbx.eventlog import FIELDS, Event, parse

BEGIN = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
_OWN = {"ARRIVED", "KEY", "LANGUAGE", "RECORDING", "RATING", "QUEUE_LEFT", "BOOT"}


def at(seconds: float) -> dt.datetime:
    """The moment of a table's second."""
    return BEGIN + dt.timedelta(seconds=seconds)


def records(table: str, call: str = "hotline-1.0") -> list[bytes]:
    """The log's lines of a table: seconds | event | channel | facts (k=v, parted by blanks).

    Channels: "caller" is the one whose uniqueid is the call's; "1001#2" is the second channel of
    phone 1001. `source` and `cause` tell of a hangup, `app` and `context` of where it was.
    """
    return [_record(line, call) for line in table.splitlines() if line.strip()]


def events(table: str, call: str = "hotline-1.0") -> list[Event]:
    """The events of a table."""
    found = [parse(record) for record in records(table, call)]
    assert all(found)
    return [event for event in found if event]


def _record(line: str, call: str) -> bytes:
    seconds, name, who, *rest = (part.strip() for part in line.split("|"))
    told = rest[0].replace("{call}", call).split() if rest else []
    facts = dict(pair.split("=", 1) for pair in told)
    uniqueid, channel = (call, "PJSIP/carrier-00000000") if who == "caller" else _phone(who, call)
    row = dict.fromkeys(FIELDS, "") | {
        "EventTime": f"{at(float(seconds)).timestamp():.6f}",
        "EventType": name,
        "eventenum": "USER_DEFINED" if name in _OWN else name,
        "UniqueID": uniqueid,
        "LinkedID": call,
        "ChanName": channel,
        "Context": facts.pop("context", "from-trunk" if who == "caller" else "from-operator"),
        "Exten": "1006" if name == "CHAN_START" and who == "caller" else "s",
        "Num": facts.pop("num", ""),
        "AppName": facts.pop("app", ""),
        "AppData": facts.pop("data", ""),
        "AccountCode": "" if who == "caller" else f"op{who[2:4]}",
        "EventExtra": _extra(name, who, call, facts),
    }
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row.values())
    return stream.getvalue().encode()


def _phone(who: str, call: str) -> tuple[str, str]:
    extension, _, number = who.partition("#")
    suffix = f"{int(extension):04}{int(number or 1):04}"
    return f"{call}.{suffix}", f"PJSIP/{extension}-{suffix}"


def _extra(name: str, who: str, call: str, facts: dict[str, str]) -> str:
    if name in _OWN:
        return json.dumps({"extra": urlencode(facts)})
    if name == "HANGUP":
        source = facts["source"]
        known = {"caller": "PJSIP/carrier-00000000", "none": ""}
        channel = known[source] if source in known else _phone(source, call)[1]
        return json.dumps({"hangupcause": int(facts.get("cause", "16")), "hangupsource": channel})
    if "bridge" in facts:
        return json.dumps({"bridge_id": facts["bridge"]})
    return ""
