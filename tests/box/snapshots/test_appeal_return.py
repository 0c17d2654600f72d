"""One appeal is restored from a real snapshot, completely, and never over existing data."""

import json
from pathlib import Path

import pytest

from appliance.box import mask_journal
from appliance.box.snapshots import appeal_restoring, creating, reading, restoring
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import RestoreRequest
from appliance.casework import catalogs
from appliance.casework.appeals import correcting, exporting, handling, listing, queries
from appliance.casework.forms import drafts
from appliance.core import audit, clock, db, outbox
from appliance.models import (
    Appeal,
    AppealStep,
    AppealWording,
    AuditEntry,
    Call,
    CallForm,
    Handling,
    Message,
    QueueVisit,
    Recording,
    Ring,
    Talk,
    User,
)
from tests.rig.appeals import FULL_FORM, create_appeal

PHONE, CALL = "+998935550147", "hotline-8.0"
CORRECTED = "Tikuv mashinasi uchun subsidiya, tuzatilgan."


def create_talk(operator: User) -> Call:
    now = clock.now()
    call = Call.create(
        id=CALL,
        direction="inbound",
        arrived_at=now,
        ended_at=now,
        caller=PHONE,
        stage="ended",
        outcome="answered",
    )
    visit = QueueVisit.create(call=call, position=1, queue="uz", joined_at=now, result="answered")
    Ring.create(visit=visit, operator=operator.login, extension="101", started_at=now)
    Talk.create(call=call, position=1, party="operator", who=operator.login, started_at=now)
    Recording.create(file="2026/11/eight.wav", call_id=CALL, seconds=4.0)
    return call


def create_message(number: str, state: str, key: str) -> None:
    message = outbox.queue_message(
        "sms", "registered", PHONE, key=key, text="Murojaatingiz qabul qilindi", cause=number
    )
    Message.update(state=state).where(Message.id == message.id).execute()


def register_appeal(settings, **changes: str) -> Appeal:
    operator = User.get(User.login == "nilufar")
    call = Call.get_or_none(Call.id == CALL) or create_talk(operator)
    return create_appeal(
        settings, operator, FULL_FORM | changes, token=drafts.token_for(operator, call)
    )


def appeal_contents(number: str) -> dict:
    """An appeal with all records that belong to it, as exported to other programs."""
    [row] = listing.appeals_with_handling().where(Appeal.number == number)
    contents = exporting.appeal_json(row, personal=True, detailed=True)
    for name in ("version", "changed_at"):
        del contents[name]
    earlier_wordings = AppealWording.select().where(AppealWording.appeal == row.id)
    forms = CallForm.select().where(CallForm.appeal_number == number)
    contents |= {
        "wordings": [
            (record.number, record.values, record.replaced_by) for record in earlier_wordings
        ],
        "forms": [
            (record.number, record.call_id, record.gist, record.operator.login) for record in forms
        ],
        "messages": [
            (record.id, record.key, record.text)
            for record in Message.select().where(Message.cause == number).order_by(Message.id)
        ],
    }
    return json.loads(json.dumps(contents, default=str, sort_keys=True))


def call_contents() -> dict:
    call = Call.get_by_id(CALL)
    visits = [(v.queue, [r.operator for r in v.rings]) for v in call.visits]
    sounds = [r.file for r in Recording.select().where(Recording.call_id == CALL)]
    return {"at": call.arrived_at, "visits": visits, "talks": len(call.talks), "sounds": sounds}


@pytest.fixture
def lost_appeal(site):
    """(site, number, snapshot, its contents): an appeal that a restore has lost."""
    settings = site.open()
    older = reading.find_snapshot(reading.open_repository(settings)).id
    appeal = register_appeal(settings)
    create_message(appeal.number, "delivered", "sms:one")
    create_message(appeal.number, "pending", "sms:two")
    correcting.correct_appeal(
        appeal,
        FULL_FORM | {"gist": CORRECTED},
        "nilufar",
        Handling.get_by_id(appeal.id).version,
        catalogs.working_calendar(settings),
    )
    contents = appeal_contents(appeal.number), call_contents()
    [created] = creating.create_snapshots(settings, by="rustam")
    db.database.close()
    restoring.restore_site(settings, RestoreRequest(id=older, accept_loss=True))
    site.open()
    assert not Appeal.select().exists()
    return site, appeal.number, created.snapshot.id, contents


def test_a_lost_appeal_is_restored_completely(lost_appeal) -> None:
    site, number, snapshot, contents = lost_appeal
    before = AuditEntry.select().count()
    version = 1
    [mark] = Message.select().where(Message.channel == "none")
    result = site.run("backup", "restore-appeal", number, "--from", snapshot, "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["number"], report["snapshot"], report["on_hold"]) == (number, snapshot, 1)
    assert report["rows"]["appeal"] == report["rows"]["call"] == report["rows"]["ring"] == 1
    assert (appeal_contents(number), call_contents()) == contents
    assert [m.state for m in Message.select().where(Message.cause == number)] == [
        "delivered",
        "held",
    ]
    assert [row.message.key for row in outbox.messages_to_review()] == ["sms:two"]
    # Messages queued about the time before the restore are put on hold as before.
    late = outbox.queue_message("sms", "missed", PHONE, key="missed:1", text="Salom", cause=CALL)
    assert outbox.hold_if_old(late, mark.created_at)
    assert late.id > max(m.id for m in Message.select().where(Message.cause == number))
    entry = AuditEntry.get(AuditEntry.action == "appeal.restore")
    assert (entry.subject, entry.detail["snapshot"]) == (number, snapshot)
    assert entry.detail["rows"] == report["rows"]
    assert AuditEntry.select().count() == before + 1
    assert audit.first_broken_id() is None
    # The appeal can be found and handled, and no number is assigned twice.
    appeal = Appeal.get(Appeal.number == number)
    assert [
        visible.number for visible in queries.visible_appeals(User.get(User.login == "sherzod"))
    ] == [number]
    now = Handling.get_by_id(appeal.id)
    assert now.version > version
    handling.take_over(appeal, "sherzod", now.version)
    assert (
        AppealStep.select().where(AppealStep.appeal == appeal.id).count()
        == len(contents[0]["steps"]) + 1
    )
    later = register_appeal(site.settings, gist="Keyingi")
    assert later.number > number
    assert not list(site.settings.paths.backups.glob(".read-*"))


def test_restoring_an_appeal_a_second_time_is_refused(lost_appeal) -> None:
    site, number, snapshot, _held = lost_appeal
    assert site.run("backup", "restore-appeal", number, "--from", snapshot).returncode == 0
    before = {name: hash_ for name, hash_ in site.fingerprint().items() if name != "site.db"}
    rows = Appeal.select().count(), Message.select().count(), AuditEntry.select().count()
    result = site.run("backup", "restore-appeal", number, "--from", snapshot)
    assert result.returncode == 1
    assert f"appeal {number} is there already" in result.stderr
    assert rows == (Appeal.select().count(), Message.select().count(), AuditEntry.select().count())
    assert before == {n: h for n, h in site.fingerprint().items() if n != "site.db"}


def test_a_call_restored_from_the_log_stays_unchanged(lost_appeal) -> None:
    site, number, snapshot, contents = lost_appeal
    create_talk(User.get(User.login == "nilufar"))
    Call.update(outcome="abandoned").where(Call.id == CALL).execute()
    report = appeal_restoring.restore_appeal(
        site.settings, number, RestoreRequest(snapshot), "rustam", "Sud"
    )
    assert report.present == [f"call {CALL}"]
    assert "call" not in report.rows
    assert "recording" not in report.rows
    assert Call.get_by_id(CALL).outcome == "abandoned"
    assert Talk.select().where(Talk.call == CALL).count() == 1
    assert appeal_contents(number) == contents[0]
    assert AuditEntry.get(AuditEntry.action == "appeal.restore").detail["reason"] == "Sud"


def test_the_applicant_receives_no_data_from_other_appeals(lost_appeal, monkeypatch) -> None:
    """Other appeals may have been masked since; the snapshot still has the data from them."""
    site, number, snapshot, contents = lost_appeal
    take_original = appeal_restoring._read_appeal_copy

    def take_more(number: str):
        copy = take_original(number)
        copy.applicant |= {"passport": "AC7654321", "phone": "+998901112233"}
        return copy

    monkeypatch.setattr(appeal_restoring, "_read_appeal_copy", take_more)
    appeal_restoring.restore_appeal(site.settings, number, RestoreRequest(snapshot), "rustam")
    appeal = Appeal.get(Appeal.number == number)
    person = appeal.applicant
    assert (person.passport, person.phone) == (appeal.passport, appeal.phone)
    assert person.surname == appeal.surname
    assert appeal_contents(number) == contents[0]


def register_other_form(site, number: str) -> str:
    """The operator has registered another form of that call since; returns the expected code."""
    operator = User.get(User.login == "nilufar")
    now = clock.now()
    CallForm.create(
        number="Q-2026-000009", call_id=CALL, operator=operator, received_at=now, registered_at=now
    )
    return "there"


def mask_appeal(site, number: str) -> str:
    mask = mask_journal.Mask("appeal_person", number, f"{mask_journal.DATA_REQUEST_RULE}1")
    mask_journal.append_masks(site.settings.paths.backups / mask_journal.JOURNAL_FILE_NAME, [mask])
    return "masked"


def rename_operator(site, number: str) -> str:
    User.update(login="other").where(User.login == "nilufar").execute()
    return "unknown"


@pytest.mark.parametrize("create_obstacle", [register_other_form, mask_appeal, rename_operator])
def test_an_obstacle_leaves_the_database_unchanged(lost_appeal, create_obstacle) -> None:
    site, number, snapshot, _held = lost_appeal
    code = create_obstacle(site, number)
    tables = (Appeal, Call, CallForm, Message, AuditEntry, Recording)
    before = [table.select().count() for table in tables]
    with pytest.raises(SnapshotError) as error:
        appeal_restoring.restore_appeal(site.settings, number, RestoreRequest(snapshot), "rustam")
    assert error.value.code == code
    assert [table.select().count() for table in tables] == before


def test_an_appeal_missing_from_the_snapshot_is_reported(site) -> None:
    result = site.run("backup", "restore-appeal", "2026-000077")
    assert result.returncode == 1
    assert "has no appeal 2026-000077" in result.stderr
    assert Path(site.settings.paths.database).exists()
