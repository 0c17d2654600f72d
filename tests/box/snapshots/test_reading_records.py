"""Parts of a snapshot are read with the rights of the requesting user, and audited."""

import json

import pytest

from appliance.box.snapshots import creating, records
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.records import RecordQuery
from appliance.box.snapshots.requests import RestoreRequest
from appliance.casework.appeals import personal
from appliance.models import Appeal, AuditEntry, Recording, User, personal_columns
from tests.rig.appeals import FULL_FORM, create_appeal

GIST, PHONE = "Ish haqi", "+998935550177"


def register_appeal(site, **changes) -> Appeal:
    settings = site.open()
    operator = User.get(User.login == "nilufar")
    return create_appeal(settings, operator, FULL_FORM | {"gist": GIST, "phone": PHONE} | changes)


@pytest.fixture
def two_numbers(site) -> tuple[str, str]:
    """An open and a personal appeal of one person in a snapshot; the open one has changed since."""
    plain, closed = register_appeal(site), register_appeal(site, openness=personal.PERSONAL)
    creating.create_snapshots(site.settings, by="rustam")
    Appeal.update(gist="Boshqacha").where(Appeal.id == plain.id).execute()
    return plain.number, closed.number


def read_records(site, query: str, login: str, reason: str = "Sud") -> dict[str, dict]:
    entries = records.read_records(
        site.settings, RecordQuery(query, login, reason, "rustam"), RestoreRequest()
    )
    return {entry["number"]: entry for entry in entries}


def test_a_permitted_user_reads_the_former_data_and_personal_appeals_stay_hidden(
    site, two_numbers
) -> None:
    plain, closed = two_numbers
    before = AuditEntry.select().count()
    entries = read_records(site, "93 555 01 77", "sherzod")
    assert set(entries) == set(two_numbers)
    assert entries[plain]["gist"] == GIST
    assert entries[plain]["applicant"]["phone"] == PHONE
    assert "gist" not in entries[closed]
    assert PHONE not in json.dumps(entries[closed])
    row = AuditEntry.get(AuditEntry.action == "snapshot.read")
    assert (row.who, row.subject, row.detail["for"]) == ("rustam", "93 555 01 77", "sherzod")
    assert set(row.detail["appeal"]) == set(two_numbers)
    assert row.detail["reason"] == "Sud"
    assert AuditEntry.select().count() == before + 1
    assert Appeal.get(Appeal.number == plain).gist == "Boshqacha"  # nothing was restored
    assert not list(site.settings.paths.backups.glob(".read-*"))

    assert read_records(site, closed, "nilufar")[closed]["gist"] == GIST  # their own appeal
    personal.add_reader(
        Appeal.get(Appeal.number == closed), "dilnoza", User.get(User.login == "sherzod")
    )
    creating.create_snapshots(site.settings, by="rustam")
    personal.remove_reader(
        Appeal.get(Appeal.number == closed), "dilnoza", User.get(User.login == "sherzod")
    )
    # named as a reader then, but not now
    assert "gist" not in read_records(site, closed, "dilnoza")[closed]

    columns = personal_columns.column_names(Appeal, *personal_columns.IDENTIFYING)
    empty_values = {name: personal_columns.empty_value(Appeal, name) for name in columns}
    Appeal.update(**empty_values).where(Appeal.number == plain).execute()
    assert "gist" not in read_records(site, plain, "sherzod")[plain]  # its data were removed since


@pytest.mark.parametrize(
    ("login", "what", "reason", "error"),
    [
        ("rustam", "2026-000001", "Sud", PermissionError),  # a technician
        ("nobody", "2026-000001", "Sud", PermissionError),
        ("sherzod", "2026-000001", "  ", ValueError),
        ("sherzod", "2026-999999", "Sud", SnapshotError),
    ],
)
def test_a_user_without_permission_reads_nothing(site, login, what, reason, error) -> None:
    site.open()
    with pytest.raises(error):
        read_records(site, what, login, reason)
    assert not AuditEntry.select().where(AuditEntry.action == "snapshot.read").exists()


def test_a_restore_to_another_place_is_audited(site, tmp_path) -> None:
    site.open()
    name = Recording.select().first().file
    result = site.run("backup", "restore", "--recording", name, "--target", tmp_path / "one")
    assert result.returncode == 0, result.stderr
    result = site.run("backup", "restore", "--target", tmp_path / "all", "--database-only")
    assert result.returncode == 0, result.stderr
    rows = AuditEntry.select().where(AuditEntry.action == "snapshot.restore").order_by("id")
    assert [row.detail.get("recording") for row in rows] == [name, None]
    assert [row.detail["target"] for row in rows] == [
        str(tmp_path / "one"),
        str(tmp_path / "all"),
    ]
    result = site.run("backup", "read", "2026-000001", "--for", "rustam", "--reason", "Sud")
    assert result.returncode == 2
    assert "rustam reads no appeals" in result.stderr
