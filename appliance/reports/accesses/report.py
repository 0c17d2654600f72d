"""Counts who listened to which recordings and opened which records in a month (requirement S1).

The report is for the manager and the ministry. Citizens are identified by record numbers, never by
name.
"""

import datetime as dt
from dataclasses import dataclass, field

from appliance.casework import unusual_reading
from appliance.core import clock
from appliance.core.audit import entries
from appliance.core.audit.entries import EntryFilters
from appliance.core.audit.table import AuditEntry
from appliance.core.settings import Settings
from appliance.models import Removal
from appliance.people import accounts
from appliance.reports.periods import Period

FORMULAS_VERSION = "accesses/2"  # changes when the definition of a count changes
_FILE_ACTION_SUFFIXES = (".download", ".export")


@dataclass
class RecordAccess:
    """One person's accesses to one record by the same action."""

    who: str  # login
    what: str  # the audited action, such as "appeal.view"
    record: str  # the subject of the audit entries: an appeal's number, a call's id …
    times: int  # how often it was accessed
    first: dt.datetime
    last: dt.datetime
    reason: str = ""  # the first one given; "" also if the citizen has been masked since


@dataclass
class ReaderActivity:
    """The number of one person's accesses in the period, by kind.

    `records` are the distinct records that were accessed: (kind of record, its number).
    """

    who: str  # login
    records: set[tuple[str, str]] = field(default_factory=set)
    opened: int = 0  # views of a record
    listened: int = 0  # recordings played
    lists: int = 0  # lists viewed
    searches: int = 0  # accesses with a search text; a searched list counts as a list too
    files: int = 0  # downloads and exports
    for_reason: int = 0  # personal appeals opened by giving a reason
    unusual: int = 0  # how often unusual reading was reported


@dataclass(frozen=True)
class AccessReport:
    """The readers of a period, those who accessed most records first, and what they accessed."""

    locale: str
    period: Period
    made_at: dt.datetime
    formulas: str  # FORMULAS_VERSION when it was made
    names: dict[str, str]  # display names by login, in the report's language
    readers: list[ReaderActivity]
    played_recordings: list[RecordAccess]  # calls whose recordings were played
    opened_records: list[RecordAccess]  # records opened, with or without a reason


def build_access_report(settings: Settings, period: Period, locale: str) -> AccessReport:
    """Build the report from the period's audit entries, read in batches.

    `settings` is not used: all reports are built by functions with these parameters (files.FORMS).
    """
    readers: dict[str, ReaderActivity] = {}
    masked_records = {subject for (subject,) in Removal.select(Removal.subject).tuples()}
    accesses: dict[tuple[str, str, str], RecordAccess] = {}
    for batch in entries.entry_batches(EntryFilters(since=period.begin, until=period.end)):
        for entry in batch:
            _add_entry(entry, readers, accesses, masked_records)
    sorted_accesses = sorted(
        accesses.values(), key=lambda access: (access.who, access.first, access.record)
    )
    return AccessReport(
        locale=locale,
        period=period,
        made_at=clock.now(),
        formulas=FORMULAS_VERSION,
        names=accounts.display_names(locale),
        readers=sorted(readers.values(), key=lambda reader: (-len(reader.records), reader.who)),
        played_recordings=[
            access for access in sorted_accesses if access.what == "recording.listen"
        ],
        opened_records=[access for access in sorted_accesses if access.what != "recording.listen"],
    )


def _add_entry(
    entry: AuditEntry,
    readers: dict[str, ReaderActivity],
    accesses: dict[tuple[str, str, str], RecordAccess],
    masked_records: set[str],
) -> None:
    """Add an audit entry to `readers` and `accesses`, in place, if it is about an access.

    `readers` are by login, `accesses` by (login, action, record). A finding of unusual reading is
    added to its reader too. `masked_records` are the records whose citizen has been masked since:
    the reasons for opening them are left out, because a reason may name the citizen.
    """
    action = entry.action
    if action == unusual_reading.ACTION:
        # The job that found it is the entry's user; the reader is its subject.
        readers.setdefault(entry.subject, ReaderActivity(entry.subject)).unusual += 1
        return
    is_listening, is_view = action == "recording.listen", action.endswith(".view")
    is_list, is_reveal = action.endswith(".list"), action == "appeal.reveal"
    is_file = action.endswith(_FILE_ACTION_SUFFIXES)
    if not (is_listening or is_view or is_list or is_reveal or is_file):
        return
    reader = readers.setdefault(entry.who, ReaderActivity(entry.who))
    reader.listened += is_listening
    reader.opened += is_view
    reader.for_reason += is_reveal
    reader.files += is_file
    reader.lists += is_list
    reader.searches += bool((entry.detail.get("asked") or {}).get("q"))
    if is_listening or is_view or is_reveal:
        reader.records.add((action.partition(".")[0], entry.subject))
        key = (entry.who, action, entry.subject)
        access = accesses.setdefault(
            key, RecordAccess(entry.who, action, entry.subject, 0, entry.at, entry.at)
        )
        access.times += 1
        access.last = entry.at
        if entry.subject not in masked_records:
            access.reason = access.reason or str(entry.detail.get("reason", ""))
