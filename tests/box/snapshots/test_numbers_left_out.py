"""After a restore no number is assigned again: the ministry's system may have it already."""

import contextlib
import dataclasses
import datetime as dt
import json

import pytest

from appliance.box.snapshots import creating, numbers
from appliance.box.snapshots.numbers import NUMBERS_PER_DAY
from appliance.casework import catalogs
from appliance.casework.appeals import correcting
from appliance.casework.ministry import queue
from appliance.casework.ministry.courier import Courier, ministry_system
from appliance.core import clock, db, db_files, sqlite
from appliance.core.settings import Ministry
from appliance.messaging.casework_hooks import connect_hooks
from appliance.models import Appeal, AuditEntry, Handling, Message, MinistryPackage, User
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.fakes.ministry import MINISTRY_TOKEN, run_ministry
from tests.rig.forging import drop_triggers_in_file


@pytest.fixture
def ministry_server():
    with run_ministry() as running:
        yield running


class SiteWork:
    """The work of people and the courier at a site."""

    def __init__(self, site, server) -> None:
        self.settings = dataclasses.replace(
            site.open(), ministry=Ministry(url=server.url, token=MINISTRY_TOKEN, own_key="ours.pem")
        )
        connect_hooks(self.settings)
        self.calendar = catalogs.working_calendar(self.settings)

    def new(self, gist):
        operator = User.get(User.login == "nilufar")
        return create_appeal(
            self.settings,
            operator,
            FULL_FORM | {"gist": gist},
        )

    def change(self, appeal, gist) -> None:
        correcting.correct_appeal(
            appeal,
            FULL_FORM | {"gist": gist},
            "nilufar",
            Handling.get_by_id(appeal.id).version,
            self.calendar,
        )

    def send(self) -> None:
        ministry_settings = self.settings.ministry
        Courier(
            ministry_system(ministry_settings),
            self.settings,
            ministry_settings,
            pause_seconds=0,
        ).send_due_messages()


@pytest.fixture
def lost_numbers(site, ministry_server):
    """A site with an appeal in its snapshot, corrected since, and one registered since.

    Both are at the ministry, with the files made for it. Returns the two numbers and the last
    message id.
    """
    work = SiteWork(site, ministry_server)
    in_snapshot = work.new("Birinchi")
    work.send()
    MinistryPackage.create(way="out", number=1, sha256="", at=clock.now())
    creating.create_snapshots(work.settings, by="rustam")
    after_snapshot = work.new("Ikkinchi")
    work.change(in_snapshot, "Birinchi, tuzatilgan")
    work.send()
    for way, number in (("out", 2), ("out", 3), ("in", 1)):
        MinistryPackage.create(way=way, number=number, sha256="", at=clock.now())
    last = Message.select().order_by(Message.id.desc()).first().id
    db.database.close()
    return in_snapshot.number, after_snapshot.number, last


def test_numbers_assigned_by_the_replaced_database_are_skipped(
    site, ministry_server, lost_numbers
) -> None:
    kept_number, lost_number, last = lost_numbers
    result = site.run("backup", "restore", "--accept-loss", "--json")
    assert result.returncode == 0, result.stderr
    left_out = json.loads(result.stdout)["numbers"]
    year, count = lost_number.split("-")
    assert left_out == {
        "known": True,
        "appeals": {year: int(count)},
        "messages": last,
        "files": 3,
        "versions": 1,
    }
    work = SiteWork(site, ministry_server)
    entry = AuditEntry.get(AuditEntry.action == "snapshot.restore")
    assert entry.detail["numbers"] == left_out
    next_appeal = work.new("Uchinchi")
    assert next_appeal.number == f"{year}-{int(count) + 1:06d}"
    appeal = Appeal.get(Appeal.number == kept_number)
    work.change(appeal, "Birinchi, yana")
    work.send()
    assert {number: document["gist"] for number, document in ministry_server.appeals.items()} == {
        kept_number: "Birinchi, yana",
        lost_number: "Ikkinchi",
        next_appeal.number: "Uchinchi",
    }
    assert (
        min(m.id for m in Message.select().where(Message.cause == next_appeal.number)) == last + 1
    )
    assert not queue.unacknowledged_messages()


FAULTS = ("", "gone", "empty", "half", "one page", "another's", "goes on")


def spoil_database(database, fault) -> None:
    """Damage the database of the site in a way that a restore may find."""
    drop_triggers_in_file(database)
    with contextlib.closing(sqlite.connect(database)) as connection, connection:
        if fault == "another's":
            connection.execute("UPDATE audit_entry SET hash = 'other'")
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'call'")
    size = database.stat().st_size
    if fault == "gone":
        database.unlink()
    elif fault == "empty":
        database.write_bytes(b"")
    elif fault in ("half", "one page"):
        begin, length = (size // 2, size // 2) if fault == "half" else (4096 * (page[0] - 1), 4096)
        with database.open("r+b") as file:
            file.seek(begin)
            file.write(bytes(length))


@pytest.mark.parametrize("fault", FAULTS)
def test_without_a_readable_database_a_days_worth_is_skipped_per_started_day(
    site, ministry_server, fault
) -> None:
    work, copy, database = (
        SiteWork(site, ministry_server),
        site.folder / "copy.db",
        site.folder / "site.db",
    )
    in_copy = work.new("Birinchi")
    work.send()
    db.copy_database(copy)
    db_files.merge_write_ahead_log(copy)
    after_copy = work.new("Ikkinchi")
    work.change(in_copy, "Birinchi, tuzatilgan")
    work.send()
    last = queue.latest_message(in_copy).id
    db.database.close()
    spoil_database(database, fault)
    end = numbers.history_end(copy)
    left_out = numbers.skip_issued_numbers(
        work.settings, copy, end, site_continues=fault == "goes on"
    )
    assert left_out["known"] is not bool(fault)
    year, count = after_copy.number.split("-")
    until = left_out["appeals"][year]
    assert until >= (NUMBERS_PER_DAY["appeals"] if fault else int(count))
    if fault in ("one page", "another's", "goes on"):
        assert until == int(count) + NUMBERS_PER_DAY["appeals"]
    assert left_out["messages"] >= last
    copy.rename(database)
    for name in ("site.db-wal", "site.db-shm"):
        (site.folder / name).unlink(missing_ok=True)
    work = SiteWork(site, ministry_server)
    next_appeal = work.new("Uchinchi")
    work.change(in_copy, "Birinchi, yana")
    work.send()
    assert next_appeal.number == f"{year}-{until + 1:06d}"
    assert {number: document["gist"] for number, document in ministry_server.appeals.items()} == {
        in_copy.number: "Birinchi, yana",
        after_copy.number: "Ikkinchi",
        next_appeal.number: "Uchinchi",
    }
    [row] = Message.select().where(Message.channel == "none")
    assert row.id == left_out["messages"]
    assert not queue.unacknowledged_messages()


def test_nothing_is_skipped_if_nothing_was_lost(site, ministry_server) -> None:
    work, copy = SiteWork(site, ministry_server), site.folder / "copy.db"
    work.new("Birinchi")
    db.copy_database(copy)
    db_files.merge_write_ahead_log(copy)
    assert (
        numbers.skip_issued_numbers(
            work.settings, copy, numbers.history_end(copy), site_continues=False
        )
        == {}
    )


def test_more_numbers_are_skipped_the_longer_ago_the_copy_is_in_the_current_year(
    site, ministry_server, monkeypatch
) -> None:
    work = SiteWork(site, ministry_server)
    before = work.new("Birinchi").number
    work.send()
    copy = site.folder / "copy.db"
    db.copy_database(copy)
    db_files.merge_write_ahead_log(copy)
    db.database.close()
    (site.folder / "site.db").unlink()
    end = numbers.history_end(copy)
    year = int(before.partition("-")[0]) + 1
    then = dt.datetime(year, 1, 2, 12, tzinfo=work.settings.tz)
    monkeypatch.setattr(clock, "now", lambda: then.astimezone(dt.UTC))
    left_out = numbers.skip_issued_numbers(work.settings, copy, end, site_continues=False)
    days = (then - end.at).days + 1
    assert left_out["appeals"] == {f"{year}": days * NUMBERS_PER_DAY["appeals"]}
    assert left_out["files"] == days * NUMBERS_PER_DAY["files"]
    assert left_out["messages"] > days * NUMBERS_PER_DAY["messages"]
    db_files.merge_write_ahead_log(copy)
    copy.rename(site.folder / "site.db")
    later = SiteWork(site, ministry_server).new("Ikkinchi")
    assert later.number == f"{year}-{days * NUMBERS_PER_DAY['appeals'] + 1:06d}"
