"""Alarms for the technician: one message when a check fails for long enough, one on recovery.

The pbx process notifies of faults of the lines (within seconds) and of the jobs process; the jobs
process notifies of every other fault.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.box import health
from appliance.box.health import Check
from appliance.core import clock, i18n, live, outbox, statements
from appliance.core.db import write_transaction
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.notices import duty
from appliance.models import Alarm, CheckState

TOPIC = "checks"
# The kinds of checks that the pbx process monitors, with the prefixes of their codes.
PBX_CHECK_PREFIXES = {"lines": ("trunk.", "span."), "jobs": ("process.jobs",)}
REST_KIND = "rest"  # the kind of the checks that the jobs monitor
FAULT_GRACE_PERIOD = dt.timedelta(seconds=25)  # a shorter fault causes no alarm
LINE_FAULT_GRACE_PERIOD = dt.timedelta(seconds=8)
_UPDATED_COLUMNS = ("name", "state", "seen", "advice", "values", "since", "looked_at")


@dataclass(frozen=True)
class _AlarmStep:
    """The next action on one alarm."""

    code: str
    action: str  # one of the cases of _apply_alarm_step
    check: Check | None = None


def update_alarms(settings: Settings, checks: Iterable[Check]) -> list[str]:
    """Store the state of every check and notify of the faults that the jobs monitor.

    Returns the codes of the faults that were notified of.
    """
    check_list = list(checks)
    store_check_states(check_list)
    return notify_due_alarms(
        settings, [check for check in check_list if _check_kind(check.code) == REST_KIND], REST_KIND
    )


def notify_due_alarms(settings: Settings, checks: Iterable[Check], kind: str) -> list[str]:
    """Notify of checks that have failed, or have been well again, for the grace period.

    `checks` are all the checks of their kind (a key of PBX_CHECK_PREFIXES, or REST_KIND): an alarm
    whose check is not among them is treated as recovered. Returns the codes of the faults that
    were notified of.
    """
    grace_period, now = (
        LINE_FAULT_GRACE_PERIOD if kind == "lines" else FAULT_GRACE_PERIOD,
        clock.now(),
    )
    checks_by_code = {check.code: check for check in checks}
    alarms_by_code = {a.code: a for a in Alarm.select() if _check_kind(a.code) == kind}
    steps = [
        step
        for code in checks_by_code.keys() | alarms_by_code.keys()
        if (
            step := _next_alarm_step(
                code, checks_by_code.get(code), alarms_by_code.get(code), now, grace_period
            )
        )
    ]
    if not steps:
        return []
    with write_transaction():
        for step in steps:
            _apply_alarm_step(settings, step, alarms_by_code.get(step.code), now)
    return [step.code for step in steps if step.action == "tell"]


def store_check_states(checks: Iterable[Check]) -> None:
    """Store the state of each check and when that state began; delete checks that are gone."""
    now, rows_by_code = clock.now(), {row.code: row for row in CheckState.select()}
    checks_by_code = {check.code: check for check in checks}
    rows = []
    for code, check in checks_by_code.items():
        previous_row = rows_by_code.get(code)
        since = previous_row.since if previous_row and previous_row.state == check.state else now
        rows.append(vars(check) | {"since": since, "looked_at": now})
    with write_transaction():
        statements.insert_rows(CheckState, rows, update=_UPDATED_COLUMNS)
        if removed_codes := rows_by_code.keys() - checks_by_code.keys():
            CheckState.delete().where(CheckState.code.in_(list(removed_codes))).execute()
        if {c: check.state for c, check in checks_by_code.items()} != {
            c: r.state for c, r in rows_by_code.items()
        }:
            live.publish_topics(TOPIC)


def current_checks(settings: Settings) -> list[Check]:
    """Return every check for a page: quick ones are run now, slow ones are read as last stored."""
    slow_rows = CheckState.select().where(CheckState.code.in_([*health.SLOW_CHECK_CODES.values()]))
    slow_checks = [Check(r.code, r.name, r.state, r.seen, r.advice, r.values) for r in slow_rows]
    return health.sort_by_severity([*health.quick_checks(settings), *slow_checks])


def check_states() -> dict[str, CheckState]:
    """Map the code of each check to its state as the jobs stored it last."""
    return {row.code: row for row in CheckState.select()}


def fault_message(settings: Settings, check: Check) -> str:
    """Return the message of a fault in the language of the alarms."""
    translate = i18n.locale_translations(settings.alarms.language).gettext
    name, finding, advice = (
        translate(text).format(**check.values) for text in (check.name, check.seen, check.advice)
    )
    return translate(N_("FAULT {name}: {seen}. {advice}")).format(
        name=name, seen=finding, advice=advice
    )


def recovery_message(settings: Settings, alarm: Alarm) -> str:
    """Return the message that a fault has passed; its check may no longer exist."""
    translate = i18n.locale_translations(settings.alarms.language).gettext
    name = translate(alarm.name).format(**alarm.values) or alarm.code
    return translate(N_("{name}: in order again")).format(name=name)


def _check_kind(code: str) -> str:
    """Return the kind of a check, which determines the process that monitors it."""
    return next(
        (kind for kind, prefixes in PBX_CHECK_PREFIXES.items() if code.startswith(prefixes)),
        REST_KIND,
    )


def _next_alarm_step(
    code: str,
    check: Check | None,
    alarm: Alarm | None,
    now: dt.datetime,
    grace_period: dt.timedelta,
) -> _AlarmStep | None:
    """Return what to do about the alarm of one check, if anything."""
    if check and check.state == "fail":
        if not alarm:
            return _AlarmStep(code, "begin", check)
        if alarm.well_since:
            return _AlarmStep(code, "relapses", check)
        is_notice_due = alarm.told_at is None and _has_lasted(alarm.since, now, grace_period)
        return _AlarmStep(code, "tell", check) if is_notice_due else None
    if not alarm:
        return None
    if alarm.told_at and not alarm.well_since:
        return _AlarmStep(code, "heals", check)
    is_recovered = not alarm.told_at or _has_lasted(alarm.well_since, now, grace_period)
    return _AlarmStep(code, "end", check) if is_recovered else None


def _has_lasted(since: dt.datetime, now: dt.datetime, grace_period: dt.timedelta) -> bool:
    """Whether `grace_period` has passed since `since`, or the clock was set back by that much."""
    return abs(now - since) >= grace_period


def _apply_alarm_step(
    settings: Settings, step: _AlarmStep, alarm: Alarm | None, now: dt.datetime
) -> None:
    """Carry out one step: change the alarm's row and queue its messages."""
    matches_alarm = Alarm.code == step.code
    match step.action:
        case "begin":
            Alarm.insert(code=step.code, since=now).on_conflict_ignore().execute()
        case "relapses":
            Alarm.update(well_since=None).where(matches_alarm).execute()
        case "heals":
            Alarm.update(well_since=now).where(matches_alarm).execute()
        case "tell" if alarm and step.check:
            check_fields = {"name": step.check.name, "values": step.check.values}
            Alarm.update(told_at=now, **check_fields).where(matches_alarm).execute()
            _queue_alarm_messages(settings, alarm, "bad", fault_message(settings, step.check))
        case "end" if alarm:
            Alarm.delete().where(matches_alarm).execute()
            if alarm.told_at:
                _queue_alarm_messages(settings, alarm, "well", recovery_message(settings, alarm))


def _queue_alarm_messages(settings: Settings, alarm: Alarm, outcome: str, text: str) -> None:
    """Queue the message to the technicians' chats and phones, one message per recipient."""
    key = f"alarm:{alarm.code}:{alarm.since.isoformat()}:{outcome}"
    chats, phones = duty.maintainer_contacts(settings)
    for chat in chats if settings.telegram else ():
        outbox.queue_message(
            "telegram",
            "alarm",
            duty.current_chat_id(chat),
            key=f"{key}:{chat}",
            text=text,
            cause=alarm.code,
        )
    for phone in phones if settings.sms else ():
        outbox.queue_sms(
            "alarm", phone, text, key=f"{key}:{phone}", tz=settings.tz, cause=alarm.code
        )
