"""Named self-checks of the site: what was looked at, what was seen, and what to do about it.

A look is a function of the settings that yields Checks: it stands in the module of its area and in
LOOKS. It may take a second, changes nothing and raises nothing.
"""

import logging
from collections.abc import Callable, Iterable, Iterator

from appliance.box.health import (
    audit,
    calendar,
    callbacks,
    certificates,
    configuration,
    database,
    directory,
    disks,
    encryption,
    exchange,
    files,
    floor,
    folders,
    front,
    ledger,
    links,
    machine,
    messages,
    ministry,
    parts,
    processes,
    reach,
    repositories,
    snapshots,
    sqlite_versions,
    ssh,
    texts,
    timekeeping,
    updates,
    voice,
    work,
)
from appliance.box.health.channels import Channel, channels
from appliance.box.health.check import STATES, Check
from appliance.box.health.configuration import line_of
from appliance.box.health.database import writable
from appliance.box.health.exchange import lag, line_answers
from appliance.box.health.lines import lines
from appliance.box.health.meanings import meaning
from appliance.box.health.processes import jobs as jobs_process
from appliance.core.i18n import N_
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

__all__ = [
    "LOOKS",
    "SLOW",
    "STATES",
    "Channel",
    "Check",
    "channels",
    "checks",
    "in_order",
    "jobs_process",
    "lag",
    "line_answers",
    "line_of",
    "lines",
    "meaning",
    "quick",
    "writable",
]

LOOKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    database.takes_changes,
    database.sound,
    database.schema,
    sqlite_versions.versions,
    sqlite_versions.litestream,
    configuration.settings_file,
    audit.chain,
    exchange.answers,
    exchange.speaks_sip,
    exchange.descriptors,
    lines,
    processes.run,
    parts.parts,
    parts.transports,
    parts.page_socket,
    folders.folders,
    exchange.followed,
    floor.phones,
    floor.page_phones,
    reach.reach,
    floor.languages,
    floor.strangers,
    directory.fallbacks,
    floor.callers,
    ledger.witnessed,
    ledger.sound,
    ledger.balance,
    ledger.quarantine,
    callbacks.limit,
    work.reports,
    work.jobs,
    messages.outbox,
    messages.review,
    messages.sms,
    messages.undelivered,
    messages.telegram,
    messages.telegram_chats,
    ministry.ministry,
    links.links,
    links.self_tests,
    links.carrier_calls,
    disks.room,
    encryption.at_rest,
    disks.places,
    disks.temporary,
    disks.forecasts,
    machine.memory,
    machine.logs,
    snapshots.snapshots,
    repositories.repositories,
    timekeeping.clock,
    timekeeping.time_zone,
    front.front,
    calendar.working_days,
    certificates.certificates,
    files.permissions,
    files.keys_present,
    texts.catalogues,
    ssh.passwords,
    voice.prompts,
    voice.music,
    voice.fonts,
    voice.shut_in,
    updates.asterisk,
    updates.advisories,
    updates.release,
)

# These ask programs of the system, which takes seconds on a busy box: no page waits for them.
SLOW: dict[Callable[[Settings], Iterator[Check]], str] = {  # look → code of its checks
    timekeeping.clock: "clock",
    repositories.repositories: "repository",
    updates.asterisk: "asterisk.update",
    updates.advisories: "asterisk.advisories",
    voice.shut_in: "sandbox",
}


def checks(settings: Settings) -> list[Check]:
    """Every check, those that need something done first."""
    return in_order(check for look in LOOKS for check in _looked(look, settings))


def quick(settings: Settings) -> list[Check]:
    """Every check but the slow ones."""
    return in_order(c for look in LOOKS if look not in SLOW for c in _looked(look, settings))


def _looked(look: Callable[[Settings], Iterator[Check]], settings: Settings) -> list[Check]:
    """What a look yields; one that fails is a check that does, and hides no other."""
    try:
        return list(look(settings))
    except Exception as error:  # the boundary of a look
        log.exception("%s.%s", look.__module__, look.__name__)
        code = f"look.{look.__module__.rpartition('.')[2]}.{look.__name__}"
        values = {"look": code.removeprefix("look."), "error": f"{type(error).__name__}: {error}"}
        advice = N_("Look whether the database can be read; if it can, call for help.")
        return [Check(code, N_("Self-check {look}"), "fail", "{error}", advice, values)]


def in_order(looked: Iterable[Check]) -> list[Check]:
    """Those that need something done first."""
    return sorted(looked, key=lambda check: -STATES.index(check.state))
