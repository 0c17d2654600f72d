"""Named self-checks of the site: what was looked at, what was seen, and what to do about it.

A look is a function of the settings that yields Checks: it stands in the module of its area and in
LOOKS. It may take a second, changes nothing and raises nothing.
"""

from collections.abc import Callable, Iterator

from appliance.health import database, disks, exchange, ledger, messages, work
from appliance.health.database import writable
from appliance.health.exchange import line_answers
from appliance.health.looking import STATES, Check
from appliance.settings import Settings

__all__ = ["LOOKS", "STATES", "Check", "checks", "line_answers", "writable"]

LOOKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    database.takes_changes,
    exchange.answers,
    exchange.followed,
    ledger.balance,
    work.reports,
    work.jobs,
    messages.outbox,
    messages.telegram,
    disks.room,
    disks.forecasts,
)


def checks(settings: Settings) -> list[Check]:
    """Every check, those that need something done first."""
    looked = [check for look in LOOKS for check in look(settings)]
    return sorted(looked, key=lambda check: -STATES.index(check.state))
