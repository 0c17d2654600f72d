"""After a restore no number is given out again: the ministry's system would know it already."""

import contextlib
import dataclasses
import datetime as dt
import json

import pytest

from appliance.box import snapshots
from appliance.box.snapshots import numbers
from appliance.box.snapshots.numbers import A_DAY
from appliance.casework import appeals, catalogs, ministry
from appliance.casework.ministry.courier import Courier, gateway
from appliance.core import clock, db, db_files, sqlite
from appliance.core.settings import Ministry
from appliance.messaging import notices
from appliance.models import Appeal, AuditEntry, Handling, Message, MinistryPackage, User
from tests.casework.test_appeals import FULL
from tests.rig.fakes.ministry import TOKEN, register
from tests.rig.forging import unguard_file


@pytest.fixture
def far():
    with register() as running:
        yield running


class Work:
    """What people and the courier do at a site."""

    def __init__(self, site, far) -> None:
        self.settings = dataclasses.replace(
            site.open(), ministry=Ministry(url=far.url, token=TOKEN, own_key="ours.pem")
        )
        self.calendar = catalogs.working_calendar(self.settings)

    def new(self, gist):
        operator = User.get(User.login == "nilufar")
        return appeals.register(
            FULL | {"gist": gist},
            operator=operator,
            token=appeals.token_for(operator, None),
            tz=self.settings.tz,
            calendar=self.calendar,
            tell=lambda appeal: ministry.registered(self.settings, appeal),
        )

    def change(self, appeal, gist) -> None:
        appeals.correct(
            appeal,
            FULL | {"gist": gist},
            "nilufar",
            Handling.get_by_id(appeal.id).version,
            self.calendar,
            changed=lambda changed: ministry.changed(self.settings, changed),
        )

    def send(self) -> None:
        ours = self.settings.ministry
        Courier(gateway(ours), self.settings, ours, notices.answered, rest=0).send_due()


@pytest.fixture
def lost(site, far):
    """A site with an appeal in its snapshot, changed since, and one registered since; all of it
    is at the ministry, with the files that are made for it."""
    work = Work(site, far)
    kept = work.new("Birinchi")
    work.send()
    MinistryPackage.create(way="out", number=1, sha256="", at=clock.now())
    snapshots.create(work.settings, by="rustam")
    gone = work.new("Ikkinchi")
    work.change(kept, "Birinchi, tuzatilgan")
    work.send()
    for way, number in (("out", 2), ("out", 3), ("in", 1)):
        MinistryPackage.create(way=way, number=number, sha256="", at=clock.now())
    last = Message.select().order_by(Message.id.desc()).first().id
    db.database.close()
    return kept.number, gone.number, last


def test_what_the_replaced_database_gave_out_is_left_out(site, far, lost) -> None:
    kept, gone, last = lost
    done = site.run("backup", "restore", "--accept-loss", "--json")
    assert done.returncode == 0, done.stderr
    left_out = json.loads(done.stdout)["numbers"]
    year, count = gone.split("-")
    assert left_out == {
        "known": True,
        "appeals": {year: int(count)},
        "messages": last,
        "files": 3,
        "versions": 1,
    }
    work = Work(site, far)
    entry = AuditEntry.get(AuditEntry.action == "snapshot.restore")
    assert entry.detail["numbers"] == left_out
    after = work.new("Uchinchi")
    assert after.number == f"{year}-{int(count) + 1:06d}"
    appeal = Appeal.get(Appeal.number == kept)
    work.change(appeal, "Birinchi, yana")
    work.send()
    assert {number: one["gist"] for number, one in far.appeals.items()} == {
        kept: "Birinchi, yana",
        gone: "Ikkinchi",
        after.number: "Uchinchi",
    }
    assert min(m.id for m in Message.select().where(Message.cause == after.number)) == last + 1
    assert not ministry.ageing()


FAULTS = ("", "gone", "empty", "half", "one page", "another's", "goes on")


def spoil(database, fault) -> None:
    """Do to the site's own database what a restore may find."""
    unguard_file(database)
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
def test_where_nothing_tells_a_day_is_left_out_for_each_begun(site, far, fault) -> None:
    work, copy, database = Work(site, far), site.folder / "copy.db", site.folder / "site.db"
    kept = work.new("Birinchi")
    work.send()
    db.copy_to(copy)
    db_files.fold_in(copy)
    gone = work.new("Ikkinchi")
    work.change(kept, "Birinchi, tuzatilgan")
    work.send()
    last = ministry.of_appeal(kept).id
    db.database.close()
    spoil(database, fault)
    end = numbers.mark(copy)
    left_out = numbers.leave_out(work.settings, copy, end, goes_on=fault == "goes on")
    assert left_out["known"] is not bool(fault)
    year, count = gone.number.split("-")
    until = left_out["appeals"][year]
    assert until >= (A_DAY["appeals"] if fault else int(count))
    if fault in ("one page", "another's", "goes on"):
        assert until == int(count) + A_DAY["appeals"]
    assert left_out["messages"] >= last
    copy.rename(database)
    for name in ("site.db-wal", "site.db-shm"):
        (site.folder / name).unlink(missing_ok=True)
    work = Work(site, far)
    after = work.new("Uchinchi")
    work.change(kept, "Birinchi, yana")
    work.send()
    assert after.number == f"{year}-{until + 1:06d}"
    assert {number: one["gist"] for number, one in far.appeals.items()} == {
        kept.number: "Birinchi, yana",
        gone.number: "Ikkinchi",
        after.number: "Uchinchi",
    }
    [row] = Message.select().where(Message.channel == "none")
    assert row.id == left_out["messages"]
    assert not ministry.ageing()


def test_nothing_is_left_out_when_nothing_was_lost(site, far) -> None:
    work, copy = Work(site, far), site.folder / "copy.db"
    work.new("Birinchi")
    db.copy_to(copy)
    db_files.fold_in(copy)
    assert numbers.leave_out(work.settings, copy, numbers.mark(copy), goes_on=False) == {}


def test_the_longer_ago_the_more_and_of_the_year_that_it_is(site, far, monkeypatch) -> None:
    work = Work(site, far)
    before = work.new("Birinchi").number
    work.send()
    copy = site.folder / "copy.db"
    db.copy_to(copy)
    db_files.fold_in(copy)
    db.database.close()
    (site.folder / "site.db").unlink()
    end = numbers.mark(copy)
    year = int(before.partition("-")[0]) + 1
    then = dt.datetime(year, 1, 2, 12, tzinfo=work.settings.tz)
    monkeypatch.setattr(clock, "now", lambda: then.astimezone(dt.UTC))
    left_out = numbers.leave_out(work.settings, copy, end, goes_on=False)
    days = (then - end.at).days + 1
    assert left_out["appeals"] == {f"{year}": days * A_DAY["appeals"]}
    assert left_out["files"] == days * A_DAY["files"]
    assert left_out["messages"] > days * A_DAY["messages"]
    db_files.fold_in(copy)
    copy.rename(site.folder / "site.db")
    later = Work(site, far).new("Ikkinchi")
    assert later.number == f"{year}-{days * A_DAY['appeals'] + 1:06d}"
