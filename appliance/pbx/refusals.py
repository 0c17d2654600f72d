"""Facts found only in Asterisk's logs: refused requests, and why a registration failed."""

import datetime as dt
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.core import db, statements
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import EventFile, ExchangeLook, SipRefusal
from appliance.pbx import log_files
from appliance.telephony import routing, trunks
from appliance.telephony.trunks import TrunkReport

log = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 20
# [2026-11-26 06:11:22.220] NOTICE[1] res_pjsip/…: Request 'INVITE' from '<sip:x@y>' failed for
# '192.0.2.7:5060' (callid: abc@y) - No matching endpoint found
_REFUSED_INVITE = re.compile(
    r"^\[(?P<at>[\d :.-]+)\].* Request 'INVITE' from .* failed for '(?P<address>[^']+)'"
    r" \(callid: (?P<sip>[^)]+)\) - (?P<why>.+)$"
)
# SecurityEvent="FailedACL",EventTV="2026-11-26T06:11:22.220+0000",…,Service="PJSIP",…,
# AccountID="<unknown>",SessionID="abc@y",LocalAddress="…",RemoteAddress="IPV4/UDP/192.0.2.7/5060"
_SECURITY_EVENT = re.compile(
    r'SecurityEvent="(?P<why>FailedACL|InvalidAccountID|ChallengeSent)",EventTV="(?P<at>[^"]+)"'
    r'.*Service="PJSIP".*AccountID="(?P<account>[^"]*)",SessionID="(?P<sip>[^"]+)"'
    r'.*RemoteAddress="\w+/\w+/(?P<address>[^"]+)"'
)
# [2026-11-26 06:11:22.220] WARNING[1] res_pjsip_outbound_registration.c: Temporal response '503'
# received from 'sip:192.0.2.7:5060' on registration attempt to 'sip:x@192.0.2.7', retrying in '20'
_FAILED_REGISTRATION = re.compile(
    r" WARNING\[.*(?:(?P<none>No response)|'?(?P<status>\d{3})(?:'| Forbidden)).* received from"
    r" '(?P<server>[^']+)' on registration attempt to '(?P<client>[^']+)'"
)
_NO_DESCRIPTORS = "Too many open files"
_UNKNOWN_ACCOUNT = "<unknown>"  # Asterisk challenges unknown callers, so that they learn nothing


class RefusalLog:
    """Reads what is new in Asterisk's logs `messages` and `security`, rotated files included."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.asterisk.log
        self._read_sizes: dict[Path, int] = {}  # size of each file when last read
        self._unreadable: set[Path] = set()

    def read_refusals(self) -> int:
        """Record what is new in the logs; returns the number of new refusals."""
        count = 0
        for name in ("messages", "security"):
            for file in log_files.find_logs(self._folder, name)[0]:
                if self._read_sizes.get(file.path) != file.size:
                    count += self._read_log(file)
        return count

    def _read_log(self, file: log_files.LogFile) -> int:
        """Record what is new in one log; returns the number of new refusals.

        An unreadable log is reported once, and counts 0.
        """
        try:
            count = _record_log(self._settings, file.path)
        except FileNotFoundError:  # rotated just now
            return 0
        except OSError as error:
            if file.path not in self._unreadable:
                log.error("%s cannot be read: %s", file.path, error)
            self._unreadable.add(file.path)
            return 0
        self._unreadable.discard(file.path)
        self._read_sizes[file.path] = file.size
        return count


def _record_log(settings: Settings, path: Path) -> int:
    """Record what a log contains after the last position read; returns the number of refusals.

    Besides refused requests, failed registrations and a lack of file descriptors are recorded.
    """
    with path.open("rb") as stream:
        fingerprint = log_files.file_fingerprint(path, stream)
        progress = statements.find_row(EventFile, fingerprint=fingerprint)
        offset = progress.offset if progress else 0
        count = 0
        while True:
            stream.seek(offset)
            data = stream.read(_CHUNK_BYTES)
            lines = data[: data.rfind(b"\n") + 1]
            if not lines and len(data) == _CHUNK_BYTES:  # no line is that long
                lines = data
            if not lines:
                return count
            offset += len(lines)
            text = lines.decode("utf-8", "replace")
            rows = list(_parse_refusals(text))
            _record_registration_failures(settings, text)
            _record_descriptor_shortage(text)
            with write_transaction():
                if rows:
                    SipRefusal.insert_many(rows).on_conflict_ignore().execute()
                EventFile.replace(fingerprint=fingerprint, offset=offset).execute()
            count += len(rows)
            db.yield_write_lock()


def _parse_refusals(text: str) -> Iterator[dict[str, object]]:
    """Yield a row of SipRefusal for each refused request that the lines of `text` report."""
    for line in text.split("\n"):
        if match := _REFUSED_INVITE.match(line):
            reason = match["why"].strip()
        elif match := _SECURITY_EVENT.search(line):
            if match["why"] == "ChallengeSent" and match["account"] != _UNKNOWN_ACCOUNT:
                continue  # one of the appliance's own phones: its answer follows
            reason = match["why"]
        else:
            continue
        if at := _parse_log_time(match["at"]):
            address = match["address"].replace("/", ":")
            yield {"sip": match["sip"][:255], "at": at, "address": address[:64], "why": reason[:64]}


def _record_descriptor_shortage(text: str) -> None:
    """Record when Asterisk last ran out of file descriptors, if these lines of its log say so."""
    lines = [line for line in text.split("\n") if _NO_DESCRIPTORS in line]
    happened_at = _parse_log_time(lines[-1][1:].partition("]")[0]) if lines else None
    if happened_at:
        with write_transaction():
            ExchangeLook.replace(
                name="descriptors", missing=[_NO_DESCRIPTORS], at=happened_at
            ).execute()


def _record_registration_failures(settings: Settings, text: str) -> None:
    """Record why carriers refused the box's registration; Asterisk's events do not say it."""
    causes = {
        (match["server"], match["client"]): match["status"] or trunks.NO_RESPONSE_SUFFIX
        for line in text.split("\n")
        if "registration attempt" in line and (match := _FAILED_REGISTRATION.search(line))
    }
    if not causes:
        return
    trunks.store_trunks(
        TrunkReport(trunk.name, error=f"{trunks.REGISTER_PREFIX}{cause}")
        for trunk in routing.current_plan(settings).trunks
        if trunk.register and (cause := causes.get((trunk.server_uri, trunk.client_uri)))
    )


def _parse_log_time(text: str) -> dt.datetime | None:
    """Return the time that a log's line contains, if it is valid.

    Strangers can influence these lines. A time without a zone is in the zone of this machine, which
    is also Asterisk's.
    """
    try:
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):  # no time, as in a line that a stranger forged
        return None
