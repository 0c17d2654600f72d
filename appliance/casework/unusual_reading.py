"""Finds unusual reading in the audit: many records within minutes, one's own surname, at night.

Each finding is itself an audit entry, `reading.unusual` with the reader as its subject, and shown
to the manager on the page *Audit*. It is no accusation: it says where to look (requirement S1).
"""

import datetime as dt
from collections import deque
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from appliance.core import audit, clock
from appliance.core.audit import entries
from appliance.core.audit.entries import EntryFilters
from appliance.core.audit.table import AuditEntry
from appliance.core.i18n import N_, fold_text
from appliance.models import Appeal, User
from appliance.people import accounts

ACTION = "reading.unusual"  # the audit action of a finding
REASONS = {
    "many": N_("many records within minutes"),
    "surname": N_("the reader's own surname"),
    "night": N_("at night"),
}
# how many different records, opened within which time, are "many"
MANY_RECORDS, MANY_RECORDS_WINDOW = (
    40,
    dt.timedelta(minutes=10),
)
MANY_REPEAT_INTERVAL = dt.timedelta(hours=1)  # within it, "many" is recorded once per reader
NIGHT_HOURS = (dt.time(22), dt.time(6))  # from, until; checked for DAYTIME_ROLES
DAYTIME_ROLES = ("manager", "ministry")
LOOKBACK = dt.timedelta(hours=4)  # the period examined: longer than the job may be delayed
_READING_ACTIONS = ("appeal.view", "call_form.view", "call.view", "recording.listen")


def record_unusual_reading(tz: ZoneInfo) -> str:
    """Record recent unusual reading, each case once; returns a text for the job's log.

    The text is empty without findings. `tz` is the site's time zone, by which it is night.
    """
    since = clock.now() - LOOKBACK
    users = {user.login: user for user in accounts.all_accounts()}
    last_noted_at = _last_findings(since - MANY_REPEAT_INTERVAL)
    findings = 0
    for login, rows in _entries_by_reader(since, users).items():
        for reason, row, detail in _unusual_entries(users[login], rows, tz):
            # "many" is about no single record; the other reasons are noted once per record
            noted_at = last_noted_at.get((login, reason, "" if reason == "many" else row.subject))
            if noted_at and row.at < noted_at + (
                MANY_REPEAT_INTERVAL if reason == "many" else LOOKBACK
            ):
                continue
            record = "" if reason == "many" else row.subject
            audit.record_entry(
                "jobs",
                ACTION,
                login,
                why=reason,
                at=row.at.isoformat(),
                record=record,
                **detail,
            )
            last_noted_at[login, reason, record] = row.at
            findings += 1
    return f"noted {findings}" if findings else ""


def recent_findings(since: dt.datetime, limit: int = 50) -> list[AuditEntry]:
    """Return the findings recorded since `since`, newest first."""
    return entries.list_entries(EntryFilters(action=ACTION, since=since), limit)


def _last_findings(since: dt.datetime) -> dict[tuple[str, str, str], dt.datetime]:
    """Return when the last reading that was recorded as unusual took place.

    Keys are (reader, reason, record): a login, a key of REASONS, and the subject of the audit
    entry, "" for the reason "many". Only findings recorded since `since` are searched.
    """
    rows = reversed(entries.list_entries(EntryFilters(action=ACTION, since=since), 1000))
    return {
        (row.subject, row.detail["why"], row.detail["record"]): dt.datetime.fromisoformat(
            row.detail["at"]
        )
        for row in rows
    }


def _entries_by_reader(since: dt.datetime, users: dict[str, User]) -> dict[str, list[AuditEntry]]:
    """Return the audit entries of what each of the `users` opened since a time, by login.

    `users` are accounts by login. The earliest entries are first.
    """
    entries_by_login: dict[str, list[AuditEntry]] = {}
    for batch in entries.entry_batches(EntryFilters(since=since)):
        for row in batch:
            if row.action in _READING_ACTIONS and row.who in users:
                entries_by_login.setdefault(row.who, []).append(row)
    return entries_by_login


def _unusual_entries(
    user: User, rows: list[AuditEntry], tz: ZoneInfo
) -> Iterator[tuple[str, AuditEntry, dict[str, int]]]:
    """Yield the reason, the audit entry that shows it, and further details for each finding.

    `rows` are the audit entries of what the user opened, earliest first. The reason is a key of
    REASONS; the details are stored with the finding. `tz` is the site's time zone.
    """
    recent: deque[AuditEntry] = deque()
    own_surnames = _own_surname_stems(user)
    surname_stems_by_number = _applicant_surname_stems(
        {row.subject for row in rows if row.action == "appeal.view"}, user
    )
    for row in rows:
        recent.append(row)
        while recent[0].at <= row.at - MANY_RECORDS_WINDOW:
            recent.popleft()
        if (count := len({(entry.action, entry.subject) for entry in recent})) >= MANY_RECORDS:
            yield "many", row, {"count": count}
        if row.action == "appeal.view" and own_surnames & surname_stems_by_number.get(
            row.subject, set()
        ):
            yield "surname", row, {}
        local_time = row.at.astimezone(tz).time()
        if user.role in DAYTIME_ROLES and (
            local_time >= NIGHT_HOURS[0] or local_time < NIGHT_HOURS[1]
        ):
            yield "night", row, {}


def _applicant_surname_stems(numbers: set[str], user: User) -> dict[str, set[str]]:
    """Return the stem of the applicant's surname by the appeal's number, as a set of at most one.

    Appeals that the user registered are left out, because operators have to read their own ones.
    """
    rows = Appeal.select(Appeal.number, Appeal.surname).where(
        Appeal.number.in_(list(numbers)), Appeal.operator != user
    )
    return {number: {_surname_stem(surname)} - {""} for number, surname in rows.tuples()}


def _own_surname_stems(user: User) -> set[str]:
    """Return the stem of a user's surname, the last word of the name; an empty set without a name.

    It is a set, so that it can be intersected with those of _applicant_surname_stems().
    """
    return {_surname_stem(user.name.split()[-1])} if user.name.split() else set()


def _surname_stem(surname: str) -> str:
    """Return a surname folded and without a final "a": Karimov and Karimova are one family."""
    return fold_text(surname).removesuffix("a")
