"""Requests that Asterisk refused before they were calls, out of its own logs."""

import contextlib
import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.db import writing
from appliance.models import EventFile, SipRefusal
from appliance.settings import Settings

_CHUNK = 1 << 20
_PACKED = (".gz", ".xz", ".zst")
# [2026-11-26 06:11:22.220] NOTICE[1] res_pjsip/…: Request 'INVITE' from '<sip:x@y>' failed for
# '192.0.2.7:5060' (callid: abc@y) - No matching endpoint found
_MESSAGE = re.compile(
    r"^\[(?P<at>[\d :.-]+)\].* Request 'INVITE' from .* failed for '(?P<address>[^']+)'"
    r" \(callid: (?P<sip>[^)]+)\) - (?P<why>.+)$"
)
# SecurityEvent="FailedACL",EventTV="2026-11-26T06:11:22.220+0000",…,Service="PJSIP",…,
# AccountID="<unknown>",SessionID="abc@y",LocalAddress="…",RemoteAddress="IPV4/UDP/192.0.2.7/5060"
_SECURITY = re.compile(
    r'SecurityEvent="(?P<why>FailedACL|InvalidAccountID|ChallengeSent)",EventTV="(?P<at>[^"]+)"'
    r'.*Service="PJSIP".*AccountID="(?P<account>[^"]*)",SessionID="(?P<sip>[^"]+)"'
    r'.*RemoteAddress="\w+/\w+/(?P<address>[^"]+)"'
)
_STRANGER = "<unknown>"  # Asterisk challenges whom it does not know, so that he learns nothing


class Refusals:
    """Follows Asterisk's messages and its security log."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.asterisk.log
        self._sizes: dict[Path, int] = {}  # when last read

    def look(self) -> int:
        """Take in what the logs tell beyond what was read of them; returns how many refusals."""
        found = 0
        for name in ("messages", "security"):
            for path in sorted(self._folder.glob(f"{name}*")):
                with contextlib.suppress(FileNotFoundError):  # rotated just now
                    size = path.stat().st_size
                    if path.suffix not in _PACKED and self._sizes.get(path) != size:
                        found += _read(path)
                        self._sizes[path] = size
        return found


def _read(path: Path) -> int:
    with path.open("rb") as stream:
        first = stream.readline()
        fingerprint = f"{path.stat().st_ino}:{hashlib.sha256(first).hexdigest()[:24]}"
        mark = EventFile.get_or_none(EventFile.fingerprint == fingerprint)
        offset = mark.offset if mark else 0
        found = 0
        while True:
            stream.seek(offset)
            data = stream.read(_CHUNK)
            whole = data[: data.rfind(b"\n") + 1]
            if not whole:
                return found
            offset += len(whole)
            rows = list(_refusals(whole.decode("utf-8", "replace")))
            with writing():
                if rows:
                    SipRefusal.insert_many(rows).on_conflict_ignore().execute()
                EventFile.replace(fingerprint=fingerprint, offset=offset).execute()
            found += len(rows)


def _refusals(text: str) -> Iterator[dict[str, object]]:
    for line in text.splitlines():
        if told := _MESSAGE.match(line):
            # in the time zone of this machine, which is Asterisk's too
            at = dt.datetime.fromisoformat(told["at"]).astimezone(dt.UTC)
            why = told["why"].strip()
        elif told := _SECURITY.search(line):
            if told["why"] == "ChallengeSent" and told["account"] != _STRANGER:
                continue  # a phone of ours: its answer follows
            at, why = dt.datetime.fromisoformat(told["at"]), told["why"]
        else:
            continue
        address = told["address"].replace("/", ":")
        yield {"sip": told["sip"][:255], "at": at, "address": address[:64], "why": why[:64]}
