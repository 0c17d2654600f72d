"""What only the logs of Asterisk report: refused requests, and why the box is not registered."""

import datetime as dt
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.core import db, statements
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import EventFile, ExchangeLook, SipRefusal
from appliance.pbx import logs
from appliance.telephony import routing, trunks
from appliance.telephony.trunks import SeenTrunk

log = logging.getLogger(__name__)

_CHUNK = 1 << 20
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
# [2026-11-26 06:11:22.220] WARNING[1] res_pjsip_outbound_registration.c: Temporal response '503'
# received from 'sip:192.0.2.7:5060' on registration attempt to 'sip:x@192.0.2.7', retrying in '20'
_REGISTRATION = re.compile(
    r" WARNING\[.*(?:(?P<none>No response)|'?(?P<status>\d{3})(?:'| Forbidden)).* received from"
    r" '(?P<server>[^']+)' on registration attempt to '(?P<client>[^']+)'"
)
_NO_DESCRIPTORS = "Too many open files"
_STRANGER = "<unknown>"  # Asterisk challenges whom it does not know, so that he learns nothing


class Refusals:
    """Follows Asterisk's messages and its security log."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.asterisk.log
        self._sizes: dict[Path, int] = {}  # when last read
        self._unreadable: set[Path] = set()

    def look(self) -> int:
        """Take in what the logs tell beyond what was read of them; returns how many refusals."""
        found = 0
        for name in ("messages", "security"):
            for file in logs.found(self._folder, name)[0]:
                if self._sizes.get(file.path) != file.size:
                    found += self._read(file)
        return found

    def _read(self, file: logs.Log) -> int:
        try:
            found = _read(self._settings, file.path)
        except FileNotFoundError:  # rotated just now
            return 0
        except OSError as error:
            if file.path not in self._unreadable:
                log.error("%s cannot be read: %s", file.path, error)
            self._unreadable.add(file.path)
            return 0
        self._unreadable.discard(file.path)
        self._sizes[file.path] = file.size
        return found


def _read(settings: Settings, path: Path) -> int:
    with path.open("rb") as stream:
        fingerprint = logs.fingerprint(path, stream)
        mark = statements.row_with(EventFile, fingerprint=fingerprint)
        offset = mark.offset if mark else 0
        found = 0
        while True:
            stream.seek(offset)
            data = stream.read(_CHUNK)
            whole = data[: data.rfind(b"\n") + 1]
            if not whole and len(data) == _CHUNK:  # no line is that long
                whole = data
            if not whole:
                return found
            offset += len(whole)
            text = whole.decode("utf-8", "replace")
            rows = list(_refusals(text))
            _note_registrations(settings, text)
            _note_descriptors(text)
            with writing():
                if rows:
                    SipRefusal.insert_many(rows).on_conflict_ignore().execute()
                EventFile.replace(fingerprint=fingerprint, offset=offset).execute()
            found += len(rows)
            db.give_way()


def _refusals(text: str) -> Iterator[dict[str, object]]:
    for line in text.split("\n"):
        if told := _MESSAGE.match(line):
            why = told["why"].strip()
        elif told := _SECURITY.search(line):
            if told["why"] == "ChallengeSent" and told["account"] != _STRANGER:
                continue  # a phone of ours: its answer follows
            why = told["why"]
        else:
            continue
        if at := _moment(told["at"]):
            address = told["address"].replace("/", ":")
            yield {"sip": told["sip"][:255], "at": at, "address": address[:64], "why": why[:64]}


def _note_descriptors(text: str) -> None:
    """Write down the moment at which Asterisk last had no file descriptor left."""
    lines = [line for line in text.split("\n") if _NO_DESCRIPTORS in line]
    moment = _moment(lines[-1][1:].partition("]")[0]) if lines else None
    if moment:
        with writing():
            ExchangeLook.replace(name="descriptors", missing=[_NO_DESCRIPTORS], at=moment).execute()


def _note_registrations(settings: Settings, text: str) -> None:
    """Write down why carriers refused to register us: no event of Asterisk's names the cause."""
    causes = {
        (told["server"], told["client"]): told["status"] or trunks.NO_RESPONSE
        for line in text.split("\n")
        if "registration attempt" in line and (told := _REGISTRATION.search(line))
    }
    if not causes:
        return
    trunks.see_trunks(
        SeenTrunk(trunk.name, error=f"{trunks.REGISTER}{cause}")
        for trunk in routing.current(settings).trunks
        if trunk.register and (cause := causes.get((trunk.server, trunk.client)))
    )


def _moment(text: str) -> dt.datetime | None:
    """A moment of a log; None when it is none: strangers have their say in these lines.

    Without a zone it is in that of this machine, which is Asterisk's too.
    """
    try:
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
