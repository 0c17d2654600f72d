"""Parts of a snapshot are read with the rights of who asks, and the audit of the site says so."""

import json

import pytest

from appliance.box import snapshots
from appliance.box.snapshots import SnapshotError, Wish, records
from appliance.box.snapshots.records import Asked
from appliance.casework import appeals, catalogs
from appliance.casework.appeals import personal
from appliance.models import Appeal, AuditEntry, Recording, User
from tests.casework.test_appeals import FULL

GIST, PHONE = "Ish haqi", "+998935550177"


def register(site, **told) -> Appeal:
    settings = site.open()
    operator = User.get(User.login == "nilufar")
    return appeals.register(
        FULL | {"gist": GIST, "phone": PHONE} | told,
        operator=operator,
        token=appeals.token_for(operator, None),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )


@pytest.fixture
def kept(site) -> tuple[str, str]:
    """An open and a personal appeal of one person in a snapshot; the open one changed since."""
    plain, closed = register(site), register(site, openness=personal.PERSONAL)
    snapshots.create(site.settings, by="rustam")
    Appeal.update(gist="Boshqacha").where(Appeal.id == plain.id).execute()
    return plain.number, closed.number


def read(site, what: str, login: str, reason: str = "Sud") -> dict[str, dict]:
    found = records.read(site.settings, Asked(what, login, reason, "rustam"), Wish())
    return {told["number"]: told for told in found}


def test_who_may_reads_what_it_said_and_a_personal_one_stays_closed(site, kept) -> None:
    plain, closed = kept
    before = AuditEntry.select().count()
    told = read(site, "93 555 01 77", "sherzod")
    assert set(told) == set(kept)
    assert told[plain]["gist"] == GIST
    assert told[plain]["applicant"]["phone"] == PHONE
    assert "gist" not in told[closed]
    assert PHONE not in json.dumps(told[closed])
    row = AuditEntry.get(AuditEntry.action == "snapshot.read")
    assert (row.who, row.subject, row.detail["for"]) == ("rustam", "93 555 01 77", "sherzod")
    assert set(row.detail["appeal"]) == set(kept)
    assert row.detail["reason"] == "Sud"
    assert AuditEntry.select().count() == before + 1
    assert Appeal.get(Appeal.number == plain).gist == "Boshqacha"  # nothing was put back
    assert not list(site.settings.paths.backups.glob(".read-*"))

    assert read(site, closed, "nilufar")[closed]["gist"] == GIST  # her own
    personal.name_reader(
        Appeal.get(Appeal.number == closed), "dilnoza", User.get(User.login == "sherzod")
    )
    snapshots.create(site.settings, by="rustam")
    personal.forget_reader(
        Appeal.get(Appeal.number == closed), "dilnoza", User.get(User.login == "sherzod")
    )
    assert "gist" not in read(site, closed, "dilnoza")[closed]  # named then, not now

    names = dict.fromkeys(("first_name", "surname", "entity_name", "phone", "pinfl"), "")
    Appeal.update(**names).where(Appeal.number == plain).execute()
    assert "gist" not in read(site, plain, "sherzod")[plain]  # its data were removed since


@pytest.mark.parametrize(
    ("login", "what", "reason", "error"),
    [
        ("rustam", "2026-000001", "Sud", PermissionError),  # the technician
        ("nobody", "2026-000001", "Sud", PermissionError),
        ("sherzod", "2026-000001", "  ", ValueError),
        ("sherzod", "2026-999999", "Sud", SnapshotError),
    ],
)
def test_who_may_not_reads_nothing(site, login, what, reason, error) -> None:
    site.open()
    with pytest.raises(error):
        read(site, what, login, reason)
    assert not AuditEntry.select().where(AuditEntry.action == "snapshot.read").exists()


def test_what_is_put_elsewhere_is_audited(site, tmp_path) -> None:
    site.open()
    name = Recording.select().first().file
    done = site.run("backup", "restore", "--recording", name, "--target", tmp_path / "one")
    assert done.returncode == 0, done.stderr
    done = site.run("backup", "restore", "--target", tmp_path / "all", "--database-only")
    assert done.returncode == 0, done.stderr
    rows = AuditEntry.select().where(AuditEntry.action == "snapshot.restore").order_by("id")
    assert [row.detail.get("recording") for row in rows] == [name, None]
    assert [row.detail["target"] for row in rows] == [
        str(tmp_path / "one"),
        str(tmp_path / "all"),
    ]
    done = site.run("backup", "read", "2026-000001", "--for", "rustam", "--reason", "Sud")
    assert done.returncode == 2
    assert "rustam reads no appeals" in done.stderr
