"""The audit's entries for reading: filtered by user, action, record, time and address."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass

from peewee import ModelSelect, fn

from appliance.core.audit.table import AuditEntry
from appliance.core.db import row_batches


@dataclass(frozen=True)
class EntryFilters:
    """Which entries to list; an empty field does not filter.

    `who` is a login or the name of a process, and `address` the IP address of a request. `action`
    is one action, or the beginning of several if it ends with a dot (`appeal.`). `record` is the
    subject of an entry. With `include_lists`, entries about a list or a search that showed this
    record count too: they name it in their detail. Entries are from `since` (inclusive) to `until`
    (exclusive).
    """

    who: str = ""
    action: str = ""
    record: str = ""
    include_lists: bool = True
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    address: str = ""


def list_entries(filters: EntryFilters, limit: int, before: int | None = None) -> list[AuditEntry]:
    """Return at most `limit` entries that pass the filters, the newest first.

    `before` continues a list: only entries with an id lower than this are returned.
    """
    rows = _filtered_entries(filters)
    if before is not None:
        rows = rows.where(AuditEntry.id < before)
    return list(rows.order_by(AuditEntry.id.desc()).limit(limit))


def entry_batches(filters: EntryFilters) -> Iterator[list[AuditEntry]]:
    """Return all entries that pass the filters, the oldest first, in lists, to save memory."""
    return row_batches(_filtered_entries(filters), AuditEntry.id)


def _filtered_entries(filters: EntryFilters) -> ModelSelect:
    """Return the query of the entries that pass all filters, in no order yet."""
    rows = AuditEntry.select()
    if filters.who:
        rows = rows.where(AuditEntry.who == filters.who)
    if filters.action.endswith("."):  # for instance "appeal.": all actions on appeals
        rows = rows.where(fn.SUBSTR(AuditEntry.action, 1, len(filters.action)) == filters.action)
    elif filters.action:
        rows = rows.where(AuditEntry.action == filters.action)
    if filters.record:
        concerns_record = AuditEntry.subject == filters.record
        if filters.include_lists:
            # A list names the records that it showed, as JSON texts. With its quotation marks, a
            # number is not found inside a longer one.
            quoted_record = json.dumps(filters.record, ensure_ascii=False)
            concerns_record |= fn.INSTR(AuditEntry.detail, quoted_record) > 0
        rows = rows.where(concerns_record)
    if filters.since:
        rows = rows.where(AuditEntry.at >= filters.since)
    if filters.until:
        rows = rows.where(AuditEntry.at < filters.until)
    if filters.address:
        rows = rows.where(AuditEntry.address == filters.address)
    return rows
