"""Self-checks of the site: each has a finding and, unless it is ok, an advice.

A check function takes the settings and yields Checks: it is in the module of its area and listed in
CHECK_FUNCTIONS. It may take a second, changes nothing and raises nothing.
"""

import logging
from collections.abc import Callable, Iterable, Iterator

from appliance.box.health import (
    answers,
    audit,
    calendar,
    callbacks,
    certificates,
    components,
    configuration,
    database,
    directory,
    disks,
    encryption,
    exchange,
    files,
    folders,
    front,
    ledger,
    links,
    machine,
    messages,
    ministry,
    processes,
    reach,
    repositories,
    snapshots,
    sqlite_versions,
    ssh,
    staffing,
    texts,
    timekeeping,
    updates,
    voice,
    work,
)
from appliance.box.health.channels import Channel, channel_states
from appliance.box.health.check import STATES, Check
from appliance.box.health.configuration import settings_line
from appliance.box.health.consequences import call_consequence
from appliance.box.health.database import is_writable
from appliance.box.health.exchange import is_exchange_alive, ledger_lag_seconds
from appliance.box.health.processes import jobs_process_check as jobs_process
from appliance.box.health.trunks import check_trunks
from appliance.core.i18n import N_
from appliance.core.settings import Settings

log = logging.getLogger(__name__)

__all__ = [
    "audit",
    "database",
    "disks",
    "CHECK_FUNCTIONS",
    "SLOW_CHECK_CODES",
    "STATES",
    "Channel",
    "Check",
    "channel_states",
    "all_checks",
    "sort_by_severity",
    "jobs_process",
    "ledger_lag_seconds",
    "is_exchange_alive",
    "settings_line",
    "check_trunks",
    "call_consequence",
    "quick_checks",
    "is_writable",
]

CHECK_FUNCTIONS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    database.check_database_writable,
    database.check_integrity,
    database.check_schema,
    sqlite_versions.check_process_versions,
    sqlite_versions.check_litestream_version,
    configuration.check_settings_file,
    audit.check_audit_chain,
    exchange.check_exchange,
    exchange.check_sip,
    exchange.check_descriptors,
    check_trunks,
    processes.check_processes,
    components.check_components,
    components.check_transports,
    components.check_page_socket,
    folders.check_asterisk_folders,
    exchange.check_ledger_lag,
    staffing.check_operator_phones,
    staffing.check_page_phones,
    reach.check_phone_reach,
    staffing.check_languages,
    answers.check_answer_time,
    staffing.check_unknown_callers,
    directory.check_directory_fallbacks,
    staffing.check_caller_numbers,
    ledger.check_event_log_calls,
    ledger.check_newest_recording,
    ledger.check_call_balance,
    ledger.check_quarantine,
    callbacks.check_machine_call_limit,
    work.check_reports,
    work.check_jobs,
    messages.check_outbox,
    messages.check_message_review,
    messages.check_sms_accounts,
    messages.check_sms_delivery,
    messages.check_telegram_bot,
    messages.check_telegram_chats,
    ministry.check_ministry_link,
    links.check_links,
    links.check_self_tests,
    links.check_carrier_calls,
    disks.check_disk_space,
    encryption.check_disk_encryption,
    disks.check_copy_disks,
    disks.check_temporary_space,
    disks.check_disk_forecasts,
    machine.check_memory,
    machine.check_log_sizes,
    snapshots.check_snapshots,
    repositories.check_repositories,
    timekeeping.check_clock,
    timekeeping.check_time_zone,
    front.check_tls_front,
    calendar.check_working_calendar,
    certificates.check_certificates,
    files.check_permissions,
    files.check_keys,
    texts.check_catalogues,
    ssh.check_ssh_passwords,
    voice.check_prompts,
    voice.check_music,
    voice.check_fonts,
    voice.check_sandbox,
    updates.check_asterisk_version,
    updates.check_advisories,
    updates.check_release_expiry,
)

# These start programs of the system, which takes seconds on a busy box: no page waits for them.
# The values are the codes of their checks.
SLOW_CHECK_CODES: dict[Callable[[Settings], Iterator[Check]], str] = {
    timekeeping.check_clock: "clock",
    repositories.check_repositories: "repository",
    updates.check_asterisk_version: "asterisk.update",
    updates.check_advisories: "asterisk.advisories",
    voice.check_sandbox: "sandbox",
}


def all_checks(settings: Settings) -> list[Check]:
    """Run every check and return all results, those that need attention first."""
    return sort_by_severity(
        check
        for check_function in CHECK_FUNCTIONS
        for check in _run_check_function(check_function, settings)
    )


def quick_checks(settings: Settings) -> list[Check]:
    """Run every check except the slow ones; all results, those that need attention first."""
    return sort_by_severity(
        c
        for check_function in CHECK_FUNCTIONS
        if check_function not in SLOW_CHECK_CODES
        for c in _run_check_function(check_function, settings)
    )


def _run_check_function(
    check_function: Callable[[Settings], Iterator[Check]], settings: Settings
) -> list[Check]:
    """Return the checks of one function; if it raises, a failing check in their place."""
    try:
        return list(check_function(settings))
    except Exception as error:  # an error in one check function must not hide the other checks
        log.exception("%s.%s", check_function.__module__, check_function.__name__)
        code = f"look.{check_function.__module__.rpartition('.')[2]}.{check_function.__name__}"
        values = {"look": code.removeprefix("look."), "error": f"{type(error).__name__}: {error}"}
        advice = N_("Check whether the database can be read; if it can, call for help.")
        return [Check(code, N_("Self-check {look}"), "fail", "{error}", advice, values)]


def sort_by_severity(checks: Iterable[Check]) -> list[Check]:
    """Sort the checks by state: failures, then warnings, then ok."""
    return sorted(checks, key=lambda check: -STATES.index(check.state))
