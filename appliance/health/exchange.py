"""Asterisk, and how far the ledger has followed its event log."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from appliance import clock
from appliance.health.looking import N_, Check, told
from appliance.models import AsteriskWatch, EventRow
from appliance.settings import Settings

ALIVE = dt.timedelta(seconds=10)  # Asterisk answers every second
BEHIND = dt.timedelta(seconds=10)  # how late the ledger may be
_TAIL = 64 * 1024
_RECORD = re.compile(rb'^"(\d{9,10}\.\d{6})","[A-Z_]+","', re.MULTILINE)


def line_answers() -> bool | None:
    """Whether Asterisk was seen alive just now; None: it never was, on this site."""
    seen = last_seen()
    return None if seen is None else clock.now() - seen < ALIVE


def answers(settings: Settings) -> Iterator[Check]:
    """Asterisk was seen alive just now."""
    code, name = "asterisk", N_("Telephone exchange")
    seen = last_seen()
    if seen and clock.now() - seen < ALIVE:
        yield Check(code, name, "ok", N_("answers"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("last seen {moment}") if seen else N_("never seen"),
        N_(
            "Look whether `asterisk` and `appliance pbx` run; start the one that does not. "
            "When only `appliance pbx` is down, calls are still taken."
        ),
        {"moment": told(seen, settings)} if seen else {},
    )


def followed(settings: Settings) -> Iterator[Check]:
    """The ledger has followed Asterisk's event log."""
    code, name = "event_log", N_("Ledger of calls")
    written = _last_record(settings.paths.event_log)
    if written is None:
        yield Check(code, name, "ok", N_("no call has been logged yet"))
        return
    read = EventRow.select(EventRow.at).order_by(EventRow.at.desc()).limit(1).scalar()
    if (read and read >= written) or clock.now() - written < BEHIND:
        yield Check(code, name, "ok", N_("up to date with the exchange"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("behind the exchange since {moment}"),
        N_("Look whether `appliance pbx` runs and start it; it catches up by itself."),
        {"moment": told(written, settings)},
    )


def last_seen() -> dt.datetime | None:
    """When Asterisk was last seen alive, or None."""
    newest = AsteriskWatch.select(AsteriskWatch.seen_at).order_by(AsteriskWatch.seen_at.desc())
    return newest.limit(1).scalar()


def _last_record(log: Path) -> dt.datetime | None:
    """When the last record of Asterisk's event log was written."""
    if not log.is_file():
        return None
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        found = _RECORD.findall(file.read())
    return dt.datetime.fromtimestamp(float(found[-1]), dt.UTC) if found else None
