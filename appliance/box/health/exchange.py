"""Asterisk, and how far the ledger has followed its event log."""

import datetime as dt
import os
import re
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

from appliance.box import processes, selftests
from appliance.box.health.check import Check, moment_text
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.core.statements import Question
from appliance.models import AsteriskWatch, EventRow, ExchangeLook

ALIVE = dt.timedelta(seconds=10)  # Asterisk answers every second
BEHIND = dt.timedelta(seconds=10)  # how late the ledger may be
_PATIENCE = (0.5, 1.5, 3.0)  # seconds for an answer, to each request
_OPTIONS = (
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
_LAST_SEEN = Question(
    lambda: (
        AsteriskWatch.select(AsteriskWatch.seen_at).order_by(AsteriskWatch.seen_at.desc()).limit(1)
    )
)
_LASTS = dt.timedelta(minutes=2)  # a log line about missing descriptors counts for this long
_FRESH = dt.timedelta(seconds=60)
_LEFT = 16  # free file descriptors, enough for a few calls
_LIMIT = re.compile(r"^Max open files\s+(\d+)", re.MULTILINE)
_START = N_(
    "Look whether `asterisk` and `appliance pbx` run; start the one that does not. When only "
    "`appliance pbx` is down, calls are still taken."
)
_WATCHED = N_(
    "`appliance pbx` runs and gets no answer. Look whether `asterisk` runs: start it, and if it "
    "runs, start it again; its log says where it hangs."
)
_DESCRIPTORS = N_(
    "New calls fail. Start `asterisk` again in a quiet minute; a higher `LimitNOFILE` in its unit "
    "lasts longer. Its log says `Too many open files`."
)
_TAIL = 64 * 1024
_RECORD = re.compile(rb'^"(\d{9,10}\.\d{6})","[A-Z_]+","', re.MULTILINE)


def line_answers() -> bool | None:
    """Whether Asterisk was seen alive just now; None: it never was, on this site."""
    seen = last_seen()
    return None if seen is None else clock.now() - seen < ALIVE


def answers(settings: Settings) -> Iterator[Check]:
    """Asterisk has answered recently; if not, the cause is reported."""
    code, name = "asterisk", N_("Telephone exchange")
    seen = last_seen()
    if seen and clock.now() - seen < ALIVE:
        yield Check(code, name, "ok", N_("answers"))
        return
    watching = [sign for sign in processes.living(settings)["pbx"] if not sign.hangs]
    values = {"moment": moment_text(seen, settings)} if seen else {}
    if not watching and answers_sip(settings):
        yield Check(
            code,
            name,
            "warn",
            N_("answers, but nobody watches it"),
            N_("Start `appliance pbx` again: it watches the exchange. Calls are still taken."),
        )
    elif watching and _is_full(settings):
        yield Check(code, name, "fail", N_("has no file descriptor left"), _DESCRIPTORS)
    elif watching and _refuses_sign_in():
        yield Check(
            code,
            name,
            "fail",
            N_("runs, but refuses the password of `appliance pbx`"),
            N_(
                "Nothing has to be started. `asterisk.ami_secret` in the settings is not the one "
                "in its `manager.conf`: `appliance render`, then `asterisk -rx 'manager reload'`, "
                "and start `appliance pbx` again if the settings were changed. Calls are still "
                "taken."
            ),
        )
    else:
        yield Check(
            code,
            name,
            "fail",
            N_("last seen {moment}") if seen else N_("never seen"),
            _WATCHED if watching else _START,
            values,
        )


def descriptors(settings: Settings) -> Iterator[Check]:
    """Asterisk can still open files and sockets: each call takes some.

    Its process is counted where this account may see it; its log says when none was left.
    """
    code, name = "asterisk.descriptors", N_("File descriptors of the exchange")
    count = _descriptors(settings)
    if _is_full(settings):
        values = {"used": str(count[0]), "most": str(count[1])} if count else {}
        seen = N_("{used} of {most} in use") if count else N_("none was left")
        yield Check(code, name, "fail", seen, _DESCRIPTORS, values)
    elif count:
        values = {"used": str(count[0]), "most": str(count[1])}
        yield Check(code, name, "ok", N_("{used} of {most} in use"), values=values)


def _noted(name: str, within: dt.timedelta) -> bool:
    row = ExchangeLook.get_or_none(ExchangeLook.name == name)
    return bool(row and row.missing and clock.now() - row.at < within)


def _refuses_sign_in() -> bool:
    return _noted("sign_in", _FRESH)


def _is_full(settings: Settings) -> bool:
    count = _descriptors(settings)
    return _is_nearly_full(*count) if count else _noted("descriptors", _LASTS)


def _is_nearly_full(used: int, most: int) -> bool:
    return most - used < max(_LEFT, most // 20)


def _descriptors(settings: Settings) -> tuple[int, int] | None:
    """(in use, most) of Asterisk's process; None where that cannot be seen."""
    try:
        pid = int((settings.asterisk.run / "asterisk.pid").read_text("ascii"))
        limit = _LIMIT.search(Path(f"/proc/{pid}/limits").read_text("ascii"))
        folder = Path(f"/proc/{pid}/fd")
        try:
            used = len(os.listdir(folder))
        except PermissionError:  # another account's process: the folder's size gives the count
            used = folder.stat().st_size
    except (OSError, ValueError):
        return None
    return (used, int(limit[1])) if limit and used else None


def speaks_sip(settings: Settings) -> Iterator[Check]:
    """Asterisk answers a SIP request: one can be deafened without ending (CVE-2026-57191)."""
    code, name = "asterisk.sip", N_("SIP of the exchange")
    if answers_sip(settings):
        yield Check(code, name, "ok", N_("answers"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("does not answer at {address}"),
        N_(
            "Start `asterisk` again, even if it seems to run: calls do not arrive. Look whether "
            "the firewall lets SIP through."
        ),
        {"address": f"{settings.asterisk.address}:{settings.asterisk.sip_port}"},
    )


def answers_sip(settings: Settings) -> bool:
    """Whether Asterisk answers OPTIONS over UDP.

    The phone of test calls is named, so that Asterisk looks up who that is: for an unknown
    name its log would show a refused stranger.
    """
    place, phone = settings.asterisk, selftests.PHONE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        try:
            line.bind((place.address, 0))  # no other address may be that phone
            line.connect((place.address, place.sip_port))
            here = "{}:{}".format(*line.getsockname())
            for patience in _PATIENCE:
                line.settimeout(patience)
                request = _OPTIONS.format(
                    here=here, box=place.address, phone=phone, one=uuid.uuid4().hex
                )
                line.send(request.encode())
                try:
                    return line.recv(4096).startswith(b"SIP/2.0 ")
                except TimeoutError:
                    continue
        except OSError:  # nobody listens there
            return False
    return False


def lag(settings: Settings) -> float:
    """Seconds between the last record of the event log and the last one the ledger has read."""
    written, read = _last_record(settings.paths.event_log), _read_up_to()
    if written is None or (read and read >= written):
        return 0.0
    return (clock.now() - written).total_seconds() if not read else (written - read).total_seconds()


def followed(settings: Settings) -> Iterator[Check]:
    """The ledger has followed Asterisk's event log."""
    code, name = "event_log", N_("Ledger of calls")
    written = _last_record(settings.paths.event_log)
    if written is None:
        yield Check(code, name, "ok", N_("no call has been logged yet"))
        return
    read = _read_up_to()
    if (read and read >= written) or clock.now() - written < BEHIND:
        yield Check(code, name, "ok", N_("up to date with the exchange"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("behind the exchange since {moment}"),
        N_("Look whether `appliance pbx` runs and start it; it catches up by itself."),
        {"moment": moment_text(written, settings)},
    )


def last_seen() -> dt.datetime | None:
    """When Asterisk was last seen alive, or None."""
    newest = _LAST_SEEN.first()
    return newest.seen_at if newest else None


def _read_up_to() -> dt.datetime | None:
    """None of a time to come: that would hide for ever how late the ledger is."""
    known = EventRow.select(EventRow.at).where(EventRow.at <= clock.now() + BEHIND)
    return known.order_by(EventRow.at.desc()).limit(1).scalar()


def _last_record(log: Path) -> dt.datetime | None:
    """When the last record of Asterisk's event log was written."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            found = _RECORD.findall(file.read())
    except OSError:  # none yet; one that may not be read is told by `event_log.file`
        return None
    return dt.datetime.fromtimestamp(float(found[-1]), dt.UTC) if found else None
