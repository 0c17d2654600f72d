"""Telling the technician: once when a check fails for long enough, once when it is well again.

Lines are looked after by the pbx process, within seconds, and so are the jobs themselves; all the
rest by the jobs.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.box import health
from appliance.box.health import Check
from appliance.core import clock, i18n, live, outbox, statements
from appliance.core.db import writing
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.notices import duty
from appliance.models import Alarm, CheckState

TOPIC = "checks"
# How codes of checks begin that the pbx process looks after.
OF_PBX = {"lines": ("trunk.", "span."), "jobs": ("process.jobs",)}
REST = "rest"  # what the jobs look after
PATIENCE = dt.timedelta(seconds=25)  # in which a fault may pass by itself
PATIENCE_LINES = dt.timedelta(seconds=8)
_CHANGES = ("name", "state", "seen", "advice", "values", "since", "looked_at")


@dataclass(frozen=True)
class _Step:
    """What has to be done about one alarm."""

    code: str
    does: str  # begin | tell | heals | relapses | end
    check: Check | None = None


def watch(settings: Settings, checks: Iterable[Check]) -> list[str]:
    """Write down how every check stands, and raise alarms of what the jobs look after.

    Returns the codes that were told of.
    """
    looked = list(checks)
    remember(looked)
    return raise_due(settings, [check for check in looked if _kind(check.code) == REST], REST)


def raise_due(settings: Settings, checks: Iterable[Check], kind: str) -> list[str]:
    """Tell of checks that fail for longer than the patience, and of those well as long.

    `checks` are all there are of their kind (of OF_PBX, or REST): what is missing among them is
    well. Returns the codes that were told of.
    """
    patience, now = PATIENCE_LINES if kind == "lines" else PATIENCE, clock.now()
    looked = {check.code: check for check in checks}
    known = {a.code: a for a in Alarm.select() if _kind(a.code) == kind}
    steps = [
        step
        for code in looked.keys() | known.keys()
        if (step := _step(code, looked.get(code), known.get(code), now, patience))
    ]
    if not steps:
        return []
    with writing():
        for step in steps:
            _do(settings, step, known.get(step.code), now)
    return [step.code for step in steps if step.does == "tell"]


def remember(checks: Iterable[Check]) -> None:
    """Write down how the checks stand, and since when; checks that are no more go."""
    now, known = clock.now(), {row.code: row for row in CheckState.select()}
    looked = {check.code: check for check in checks}
    rows = []
    for code, check in looked.items():
        former = known.get(code)
        since = former.since if former and former.state == check.state else now
        rows.append(vars(check) | {"since": since, "looked_at": now})
    with writing():
        statements.insert(CheckState, rows, update=_CHANGES)
        if gone := known.keys() - looked.keys():
            CheckState.delete().where(CheckState.code.in_(list(gone))).execute()
        if {c: check.state for c, check in looked.items()} != {
            c: r.state for c, r in known.items()
        }:
            live.publish(TOPIC)


def current_checks(settings: Settings) -> list[Check]:
    """Every check for a page: looked at now, those that take long as the jobs saw them last."""
    slow = CheckState.select().where(CheckState.code.in_([*health.SLOW.values()]))
    seen = [Check(r.code, r.name, r.state, r.seen, r.advice, r.values) for r in slow]
    return health.in_order([*health.quick(settings), *seen])


def states() -> dict[str, CheckState]:
    """Code → how each check stood when the jobs looked last."""
    return {row.code: row for row in CheckState.select()}


def wording(settings: Settings, check: Check) -> str:
    """The message of a fault, in the language of the alarms."""
    say = i18n.translations(settings.alarms.language).gettext
    name, seen, advice = (
        say(text).format(**check.values) for text in (check.name, check.seen, check.advice)
    )
    return say(N_("FAULT {name}: {seen}. {advice}")).format(name=name, seen=seen, advice=advice)


def relief(settings: Settings, alarm: Alarm) -> str:
    """The message that a fault has passed; its check may be gone with it."""
    say = i18n.translations(settings.alarms.language).gettext
    name = say(alarm.name).format(**alarm.values) or alarm.code
    return say(N_("{name}: in order again")).format(name=name)


def _kind(code: str) -> str:
    """The kind of a check, which says who looks after it."""
    return next((kind for kind, begins in OF_PBX.items() if code.startswith(begins)), REST)


def _step(
    code: str, check: Check | None, alarm: Alarm | None, now: dt.datetime, patience: dt.timedelta
) -> _Step | None:
    if check and check.state == "fail":
        if not alarm:
            return _Step(code, "begin", check)
        if alarm.well_since:
            return _Step(code, "relapses", check)
        late = alarm.told_at is None and _is_over(alarm.since, now, patience)
        return _Step(code, "tell", check) if late else None
    if not alarm:
        return None
    if alarm.told_at and not alarm.well_since:
        return _Step(code, "heals", check)
    healed = not alarm.told_at or _is_over(alarm.well_since, now, patience)
    return _Step(code, "end", check) if healed else None


def _is_over(since: dt.datetime, now: dt.datetime, patience: dt.timedelta) -> bool:
    """Whether it has lasted; also when the clock was put back since, and nobody knows."""
    return abs(now - since) >= patience


def _do(settings: Settings, step: _Step, alarm: Alarm | None, now: dt.datetime) -> None:
    here = Alarm.code == step.code
    match step.does:
        case "begin":
            Alarm.insert(code=step.code, since=now).on_conflict_ignore().execute()
        case "relapses":
            Alarm.update(well_since=None).where(here).execute()
        case "heals":
            Alarm.update(well_since=now).where(here).execute()
        case "tell" if alarm and step.check:
            called = {"name": step.check.name, "values": step.check.values}
            Alarm.update(told_at=now, **called).where(here).execute()
            _put(settings, alarm, "bad", wording(settings, step.check))
        case "end" if alarm:
            Alarm.delete().where(here).execute()
            if alarm.told_at:
                _put(settings, alarm, "well", relief(settings, alarm))


def _put(settings: Settings, alarm: Alarm, how: str, text: str) -> None:
    key = f"alarm:{alarm.code}:{alarm.since.isoformat()}:{how}"
    chats, phones = duty.keepers(settings)
    for chat in chats if settings.telegram else ():
        outbox.put(
            "telegram",
            "alarm",
            duty.chat_of(chat),
            key=f"{key}:{chat}",
            text=text,
            cause=alarm.code,
        )
    for phone in phones if settings.sms else ():
        outbox.put_sms("alarm", phone, text, key=f"{key}:{phone}", tz=settings.tz, cause=alarm.code)
