"""The entries of the audit to be read: by who, action, record, time and address."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass

from peewee import ModelSelect, fn

from appliance.core.audit.table import AuditEntry
from appliance.core.db import in_pieces


@dataclass(frozen=True)
class Filters:
    """Which entries; what is empty does not narrow.

    `action` is one of them, or what begins several, as `appeal.`; `record` is what an entry is
    about, or, when `listed`, one of those that a list showed or that was looked for.
    """

    who: str = ""
    action: str = ""
    record: str = ""
    listed: bool = True
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    address: str = ""


def listed(filters: Filters, limit: int, before: int | None = None) -> list[AuditEntry]:
    """The newest entries, of those with a lower id than `before`."""
    rows = _narrowed(filters)
    if before is not None:
        rows = rows.where(AuditEntry.id < before)
    return list(rows.order_by(AuditEntry.id.desc()).limit(limit))


def pieces(filters: Filters) -> Iterator[list[AuditEntry]]:
    """All of them, oldest first, some at a time."""
    return in_pieces(_narrowed(filters), AuditEntry.id)


def _narrowed(filters: Filters) -> ModelSelect:
    rows = AuditEntry.select()
    if filters.who:
        rows = rows.where(AuditEntry.who == filters.who)
    if filters.action.endswith("."):
        rows = rows.where(fn.SUBSTR(AuditEntry.action, 1, len(filters.action)) == filters.action)
    elif filters.action:
        rows = rows.where(AuditEntry.action == filters.action)
    if filters.record:
        about = AuditEntry.subject == filters.record
        if filters.listed:
            told = json.dumps(filters.record, ensure_ascii=False)
            about |= fn.INSTR(AuditEntry.detail, told) > 0
        rows = rows.where(about)
    if filters.since:
        rows = rows.where(AuditEntry.at >= filters.since)
    if filters.until:
        rows = rows.where(AuditEntry.at < filters.until)
    if filters.address:
        rows = rows.where(AuditEntry.address == filters.address)
    return rows
