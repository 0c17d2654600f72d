"""Named self-checks of the site: what was looked at, what was seen, and what to do about it.

A look is a function of the settings that yields Checks: it stands in the module of its area and in
LOOKS. It may take a second, changes nothing and raises nothing.
"""

from collections.abc import Callable, Iterable, Iterator

from appliance.health import (
    certificates,
    database,
    disks,
    exchange,
    files,
    ledger,
    links,
    messages,
    passing_on,
    processes,
    snapshots,
    timekeeping,
    updates,
    voice,
    work,
)
from appliance.health.database import writable
from appliance.health.exchange import lag, line_answers
from appliance.health.lines import lines
from appliance.health.looking import STATES, Check
from appliance.settings import Settings

__all__ = [
    "LOOKS",
    "SLOW_CODES",
    "STATES",
    "Check",
    "checks",
    "in_order",
    "lag",
    "line_answers",
    "lines",
    "quick",
    "writable",
]

LOOKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    database.takes_changes,
    database.sound,
    exchange.answers,
    exchange.speaks_sip,
    lines,
    processes.run,
    exchange.followed,
    ledger.balance,
    work.reports,
    work.jobs,
    messages.outbox,
    messages.sms,
    messages.telegram,
    passing_on.ministry,
    links.links,
    links.self_tests,
    disks.room,
    disks.forecasts,
    snapshots.snapshots,
    timekeeping.clock,
    certificates.certificates,
    files.permissions,
    voice.prompts,
    voice.fonts,
    updates.asterisk,
)

# These ask programs of the system, which takes seconds on a busy box: no page waits for them.
SLOW = (timekeeping.clock, certificates.certificates, updates.asterisk)
SLOW_CODES = ("clock", "certificate", "certificate.trunks", "asterisk.update")


def checks(settings: Settings) -> list[Check]:
    """Every check, those that need something done first."""
    return in_order(check for look in LOOKS for check in look(settings))


def quick(settings: Settings) -> list[Check]:
    """Every check but the slow ones."""
    return in_order(c for look in LOOKS if look not in SLOW for c in look(settings))


def in_order(looked: Iterable[Check]) -> list[Check]:
    """Those that need something done first."""
    return sorted(looked, key=lambda check: -STATES.index(check.state))
