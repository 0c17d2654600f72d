"""Named self-checks of the site: what was looked at, what was seen, and what to do about it.

A look is a function of the settings that yields Checks: it stands in the module of its area and in
LOOKS. It may take a second, changes nothing and raises nothing.
"""

from collections.abc import Callable, Iterator

from appliance.health import (
    certificates,
    database,
    disks,
    exchange,
    files,
    ledger,
    messages,
    processes,
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
    "STATES",
    "Check",
    "checks",
    "lag",
    "line_answers",
    "lines",
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
    messages.telegram,
    disks.room,
    disks.forecasts,
    timekeeping.clock,
    certificates.certificate,
    files.permissions,
    voice.prompts,
    voice.fonts,
    updates.asterisk,
)


def checks(settings: Settings) -> list[Check]:
    """Every check, those that need something done first."""
    looked = [check for look in LOOKS for check in look(settings)]
    return sorted(looked, key=lambda check: -STATES.index(check.state))
