"""Asterisk: whether it is alive, and how far the ledger has followed its event log."""

import datetime as dt
import os
import re
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

from appliance.box import processes, selftests
from appliance.box.health.check import Check, local_time_text
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.core.statements import PreparedQuery
from appliance.models import AsteriskWatch, EventRow, ExchangeLook

MAX_ASTERISK_SILENCE = dt.timedelta(seconds=10)  # it normally answers every second
MAX_LEDGER_LAG = dt.timedelta(seconds=10)  # how far the ledger may be behind
_REQUEST_TIMEOUTS_SECONDS = (0.5, 1.5, 3.0)  # for each of the requests
_OPTIONS_REQUEST = (
    "OPTIONS sip:{box} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {here};branch=z9hG4bK{one};rport\r\n"
    "From: <sip:{phone}@{box}>;tag={one}\r\n"
    "To: <sip:{box}>\r\n"
    "Call-ID: {one}@{here}\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Contact: <sip:{phone}@{here}>\r\n"
    "Max-Forwards: 5\r\n"
    "Content-Length: 0\r\n\r\n"
)
_LAST_SEEN_QUERY = PreparedQuery(
    lambda: (
        AsteriskWatch.select(AsteriskWatch.seen_at).order_by(AsteriskWatch.seen_at.desc()).limit(1)
    )
)
_DESCRIPTOR_FAULT_PERIOD = dt.timedelta(minutes=2)  # since the log reported that all are used
_SIGN_IN_FAULT_PERIOD = dt.timedelta(seconds=60)
_MIN_FREE_DESCRIPTORS = 16  # enough for a few calls
_MAX_FILES_LINE = re.compile(r"^Max open files\s+(\d+)", re.MULTILINE)
_START_ADVICE = N_(
    "Check whether `asterisk` and `appliance pbx` are running; start the one that is not. If only "
    "`appliance pbx` is down, calls are still answered."
)
_HANGING_ADVICE = N_(
    "`appliance pbx` is running but gets no answer. Check whether `asterisk` is running: start it, "
    "or restart it if it is already running; its log shows where it hangs."
)
_DESCRIPTORS_ADVICE = N_(
    "New calls fail. Restart `asterisk` at a quiet time; a higher `LimitNOFILE` in its unit lasts "
    "longer. Its log says `Too many open files`."
)
_TAIL_BYTES = 64 * 1024
_EVENT_RECORD = re.compile(rb'^"(\d{9,10}\.\d{6})","[A-Z_]+","', re.MULTILINE)


def is_exchange_alive() -> bool | None:
    """Whether Asterisk was seen alive just now; None if it was never seen on this site."""
    seen_at = last_seen_at()
    return None if seen_at is None else clock.now() - seen_at < MAX_ASTERISK_SILENCE


def check_exchange(settings: Settings) -> Iterator[Check]:
    """Check that Asterisk has answered recently; if not, report the cause."""
    code, name = "asterisk", N_("Telephone exchange")
    seen_at = last_seen_at()
    if seen_at and clock.now() - seen_at < MAX_ASTERISK_SILENCE:
        yield Check(code, name, "ok", N_("answers"))
        return
    pbx_processes = [
        heartbeat
        for heartbeat in processes.running_processes(settings)["pbx"]
        if not heartbeat.is_hanging
    ]
    values = {"moment": local_time_text(seen_at, settings)} if seen_at else {}
    if not pbx_processes and can_reach_sip(settings):
        yield Check(
            code,
            name,
            "warn",
            N_("answers, but is not monitored"),
            N_("Restart `appliance pbx`: it monitors the exchange. Calls are still answered."),
        )
    elif pbx_processes and _is_out_of_descriptors(settings):
        yield Check(code, name, "fail", N_("has no file descriptor left"), _DESCRIPTORS_ADVICE)
    elif pbx_processes and _is_sign_in_refused():
        yield Check(
            code,
            name,
            "fail",
            N_("running, but refuses the password of `appliance pbx`"),
            N_(
                "Nothing needs to be started. `asterisk.ami_secret` in the settings differs from "
                "the one in `manager.conf`: `appliance render`, then `asterisk -rx 'manager "
                "reload'`; if the settings were changed, restart `appliance pbx`. Calls are still "
                "answered."
            ),
        )
    else:
        yield Check(
            code,
            name,
            "fail",
            N_("last seen {moment}") if seen_at else N_("never seen"),
            _HANGING_ADVICE if pbx_processes else _START_ADVICE,
            values,
        )


def check_descriptors(settings: Settings) -> Iterator[Check]:
    """Check that Asterisk can still open files and sockets: each call needs some.

    They are counted where this account may look at Asterisk's process; otherwise its log shows when
    they were exhausted.
    """
    code, name = "asterisk.descriptors", N_("File descriptors of the exchange")
    count = _descriptor_usage(settings)
    if _is_out_of_descriptors(settings):
        values = {"used": str(count[0]), "most": str(count[1])} if count else {}
        finding = N_("{used} of {most} in use") if count else N_("no descriptors were left")
        yield Check(code, name, "fail", finding, _DESCRIPTORS_ADVICE, values)
    elif count:
        values = {"used": str(count[0]), "most": str(count[1])}
        yield Check(code, name, "ok", N_("{used} of {most} in use"), values=values)


def _has_recent_fault(name: str, max_age: dt.timedelta) -> bool:
    """Whether the pbx process recorded this fault within `max_age`."""
    row = ExchangeLook.get_or_none(ExchangeLook.name == name)
    return bool(row and row.missing and clock.now() - row.at < max_age)


def _is_sign_in_refused() -> bool:
    return _has_recent_fault("sign_in", _SIGN_IN_FAULT_PERIOD)


def _is_out_of_descriptors(settings: Settings) -> bool:
    count = _descriptor_usage(settings)
    return (
        _is_nearly_full(*count)
        if count
        else _has_recent_fault("descriptors", _DESCRIPTOR_FAULT_PERIOD)
    )


def _is_nearly_full(open_count: int, max_count: int) -> bool:
    return max_count - open_count < max(_MIN_FREE_DESCRIPTORS, max_count // 20)


def _descriptor_usage(settings: Settings) -> tuple[int, int] | None:
    """Return how many file descriptors Asterisk uses and may use, if this account can see it."""
    try:
        pid = int((settings.asterisk.run / "asterisk.pid").read_text("ascii"))
        limit = _MAX_FILES_LINE.search(Path(f"/proc/{pid}/limits").read_text("ascii"))
        folder = Path(f"/proc/{pid}/fd")
        try:
            open_count = len(os.listdir(folder))
        except PermissionError:  # another account's process: the folder's size gives the count
            open_count = folder.stat().st_size
    except (OSError, ValueError):
        return None
    return (open_count, int(limit[1])) if limit and open_count else None


def check_sip(settings: Settings) -> Iterator[Check]:
    """Check that Asterisk answers SIP: it may stop doing so and still run (CVE-2026-57191)."""
    code, name = "asterisk.sip", N_("SIP of the exchange")
    if can_reach_sip(settings):
        yield Check(code, name, "ok", N_("answers"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("does not answer at {address}"),
        N_(
            "Restart `asterisk`, even if it seems to be running: calls do not arrive. Check "
            "whether the firewall lets SIP through."
        ),
        {"address": f"{settings.asterisk.address}:{settings.asterisk.sip_port}"},
    )


def can_reach_sip(settings: Settings) -> bool:
    """Whether Asterisk answers OPTIONS over UDP.

    The request names the phone of test calls, so that Asterisk can identify it: an unknown name
    would appear in its log as a refused stranger.
    """
    asterisk, phone = settings.asterisk, selftests.TEST_PHONE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        try:
            connection.bind((asterisk.address, 0))  # that phone must have this address
            connection.connect((asterisk.address, asterisk.sip_port))
            local_address = "{}:{}".format(*connection.getsockname())
            for timeout in _REQUEST_TIMEOUTS_SECONDS:
                connection.settimeout(timeout)
                request = _OPTIONS_REQUEST.format(
                    here=local_address, box=asterisk.address, phone=phone, one=uuid.uuid4().hex
                )
                connection.send(request.encode())
                try:
                    return connection.recv(4096).startswith(b"SIP/2.0 ")
                except TimeoutError:
                    continue
        except OSError:  # nothing listens there
            return False
    return False


def ledger_lag_seconds(settings: Settings) -> float:
    """Return how many seconds the newest record in the ledger is behind that in the event log.

    If the ledger has no record, returns the age of the newest one in the log.
    """
    written_at, read_until = _last_record_at(settings.paths.event_log), _ledger_position()
    if written_at is None or (read_until and read_until >= written_at):
        return 0.0
    return (
        (clock.now() - written_at).total_seconds()
        if not read_until
        else (written_at - read_until).total_seconds()
    )


def check_ledger_lag(settings: Settings) -> Iterator[Check]:
    """Check that the ledger is up to date with Asterisk's event log."""
    code, name = "event_log", N_("Ledger of calls")
    written_at = _last_record_at(settings.paths.event_log)
    if written_at is None:
        yield Check(code, name, "ok", N_("no call has been logged yet"))
        return
    read_until = _ledger_position()
    if (read_until and read_until >= written_at) or clock.now() - written_at < MAX_LEDGER_LAG:
        yield Check(code, name, "ok", N_("up to date with the exchange"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("behind the exchange since {moment}"),
        N_("Check whether `appliance pbx` is running, and start it; it catches up automatically."),
        {"moment": local_time_text(written_at, settings)},
    )


def last_seen_at() -> dt.datetime | None:
    """Return when Asterisk was last seen alive, if ever."""
    newest = _LAST_SEEN_QUERY.fetch_first()
    return newest.seen_at if newest else None


def _ledger_position() -> dt.datetime | None:
    """Return the time of the newest event in the ledger.

    Events in the future are ignored: one would hide the ledger's lag for ever.
    """
    event_times = EventRow.select(EventRow.at).where(EventRow.at <= clock.now() + MAX_LEDGER_LAG)
    newest: dt.datetime | None = event_times.order_by(EventRow.at.desc()).limit(1).scalar()
    return newest


def _last_record_at(log: Path) -> dt.datetime | None:
    """Return when the last record of Asterisk's event log, if any, was written."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            timestamps = _EVENT_RECORD.findall(file.read())
    except OSError:  # no log yet; an unreadable one is reported by `event_log.file`
        return None
    return dt.datetime.fromtimestamp(float(timestamps[-1]), dt.UTC) if timestamps else None
