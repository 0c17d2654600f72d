"""One appeal comes back out of a real snapshot, whole, and never over anything that is there."""

import json
from pathlib import Path

import pytest

from appliance.box import mask_journal, snapshots
from appliance.box.snapshots import SnapshotError, Wish, appeal_return, reading
from appliance.casework import appeals, catalogs
from appliance.casework.appeals import exporting, handling, listing
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
from tests.casework.test_appeals import FULL

PHONE, CALL = "+998935550147", "hotline-8.0"
CORRECTED = "Tikuv mashinasi uchun subsidiya, tuzatilgan."


def a_talk(operator: User) -> Call:
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


def tell(number: str, state: str, key: str) -> None:
    message = outbox.put(
        "sms", "registered", PHONE, key=key, text="Murojaatingiz qabul qilindi", cause=number
    )
    Message.update(state=state).where(Message.id == message.id).execute()


def register(settings, **changes: str) -> Appeal:
    operator = User.get(User.login == "nilufar")
    call = Call.get_or_none(Call.id == CALL) or a_talk(operator)
    return appeals.register(
        FULL | changes,
        operator=operator,
        token=appeals.token_for(operator, call),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )


def look(number: str) -> dict:
    """An appeal with all that belongs to it, as other programs get it."""
    [row] = listing.whole().where(Appeal.number == number)
    told = exporting.as_json(row, personal=True, whole=True)
    for name in ("version", "changed_at"):
        del told[name]
    former = AppealWording.select().where(AppealWording.appeal == row.id)
    forms = CallForm.select().where(CallForm.appeal_number == number)
    told |= {
        "wordings": [(one.number, one.values, one.replaced_by) for one in former],
        "forms": [(one.number, one.call_id, one.gist, one.operator.login) for one in forms],
        "messages": [
            (one.id, one.key, one.text)
            for one in Message.select().where(Message.cause == number).order_by(Message.id)
        ],
    }
    return json.loads(json.dumps(told, default=str, sort_keys=True))


def the_call() -> dict:
    call = Call.get_by_id(CALL)
    visits = [(v.queue, [r.operator for r in v.rings]) for v in call.visits]
    sounds = [r.file for r in Recording.select().where(Recording.call_id == CALL)]
    return {"at": call.arrived_at, "visits": visits, "talks": len(call.talks), "sounds": sounds}


@pytest.fixture
def lost(site):
    """(site, number, snapshot, what it held): an appeal that a restore has lost."""
    settings = site.open()
    older = reading.find(reading.repository(settings)).id
    appeal = register(settings)
    tell(appeal.number, "delivered", "sms:one")
    tell(appeal.number, "pending", "sms:two")
    appeals.correct(
        appeal,
        FULL | {"gist": CORRECTED},
        "nilufar",
        Handling.get_by_id(appeal.id).version,
        catalogs.working_calendar(settings),
    )
    held = look(appeal.number), the_call()
    [made] = snapshots.create(settings, by="rustam")
    db.database.close()
    snapshots.restore(settings, Wish(id=older, accept_loss=True))
    site.open()
    assert not Appeal.select().exists()
    return site, appeal.number, made.snapshot.id, held


def test_it_comes_back_whole(lost) -> None:
    site, number, snapshot, held = lost
    before = AuditEntry.select().count()
    version = 1
    [mark] = Message.select().where(Message.channel == "none")
    done = site.run("backup", "restore-appeal", number, "--from", snapshot, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["number"], report["snapshot"], report["on_hold"]) == (number, snapshot, 1)
    assert report["rows"]["appeal"] == report["rows"]["call"] == report["rows"]["ring"] == 1
    assert (look(number), the_call()) == held
    assert [m.state for m in Message.select().where(Message.cause == number)] == [
        "delivered",
        "held",
    ]
    assert [row.message.key for row in outbox.messages_to_review()] == ["sms:two"]
    # What is put about the time before the restore is on hold as before.
    late = outbox.put("sms", "missed", PHONE, key="missed:1", text="Salom", cause=CALL)
    assert outbox.hold_if_old(late, mark.created_at)
    assert late.id > max(m.id for m in Message.select().where(Message.cause == number))
    entry = AuditEntry.get(AuditEntry.action == "appeal.restore")
    assert (entry.subject, entry.detail["snapshot"]) == (number, snapshot)
    assert entry.detail["rows"] == report["rows"]
    assert AuditEntry.select().count() == before + 1
    assert audit.broken_at() is None
    # It is found, worked on, and no number is given twice.
    appeal = Appeal.get(Appeal.number == number)
    assert [one.number for one in appeals.visible_to(User.get(User.login == "sherzod"))] == [number]
    now = Handling.get_by_id(appeal.id)
    assert now.version > version
    handling.take(appeal, "sherzod", now.version)
    assert (
        AppealStep.select().where(AppealStep.appeal == appeal.id).count()
        == len(held[0]["steps"]) + 1
    )
    later = register(site.settings, gist="Keyingi")
    assert later.number > number
    assert not list(site.settings.paths.backups.glob(".read-*"))


def test_it_is_refused_a_second_time(lost) -> None:
    site, number, snapshot, _held = lost
    assert site.run("backup", "restore-appeal", number, "--from", snapshot).returncode == 0
    before = {name: hash_ for name, hash_ in site.fingerprint().items() if name != "site.db"}
    rows = Appeal.select().count(), Message.select().count(), AuditEntry.select().count()
    done = site.run("backup", "restore-appeal", number, "--from", snapshot)
    assert done.returncode == 1
    assert f"appeal {number} is there already" in done.stderr
    assert rows == (Appeal.select().count(), Message.select().count(), AuditEntry.select().count())
    assert before == {n: h for n, h in site.fingerprint().items() if n != "site.db"}


def test_a_call_that_the_log_brought_back_stays_as_it_is(lost) -> None:
    site, number, snapshot, held = lost
    a_talk(User.get(User.login == "nilufar"))
    Call.update(outcome="abandoned").where(Call.id == CALL).execute()
    report = appeal_return.return_appeal(site.settings, number, Wish(snapshot), "rustam", "Sud")
    assert report.present == [f"call {CALL}"]
    assert "call" not in report.rows
    assert "recording" not in report.rows
    assert Call.get_by_id(CALL).outcome == "abandoned"
    assert Talk.select().where(Talk.call == CALL).count() == 1
    assert look(number) == held[0]
    assert AuditEntry.get(AuditEntry.action == "appeal.restore").detail["reason"] == "Sud"


def test_the_applicant_has_nothing_of_other_appeals(lost, monkeypatch) -> None:
    """They may be masked since, and the snapshot has what they told of him."""
    site, number, snapshot, held = lost
    take = appeal_return._take

    def take_more(number: str):
        copy = take(number)
        copy.applicant |= {"passport": "AC7654321", "phone": "+998901112233"}
        return copy

    monkeypatch.setattr(appeal_return, "_take", take_more)
    appeal_return.return_appeal(site.settings, number, Wish(snapshot), "rustam")
    appeal = Appeal.get(Appeal.number == number)
    person = appeal.applicant
    assert (person.passport, person.phone) == (appeal.passport, appeal.phone)
    assert person.surname == appeal.surname
    assert look(number) == held[0]


def other_form(site, number: str) -> str:
    """The operator has registered another form of that call since."""
    operator = User.get(User.login == "nilufar")
    now = clock.now()
    CallForm.create(
        number="Q-2026-000009", call_id=CALL, operator=operator, received_at=now, registered_at=now
    )
    return "there"


def masked(site, number: str) -> str:
    masked = mask_journal.Mask("appeal_person", number, f"{mask_journal.RULE}1")
    mask_journal.write(site.settings.paths.backups / mask_journal.FILE, [masked])
    return "masked"


def no_operator(site, number: str) -> str:
    User.update(login="other").where(User.login == "nilufar").execute()
    return "unknown"


@pytest.mark.parametrize("hinder", [other_form, masked, no_operator])
def test_what_hinders_it_leaves_no_row(lost, hinder) -> None:
    site, number, snapshot, _held = lost
    code = hinder(site, number)
    tables = (Appeal, Call, CallForm, Message, AuditEntry, Recording)
    before = [table.select().count() for table in tables]
    with pytest.raises(SnapshotError) as error:
        appeal_return.return_appeal(site.settings, number, Wish(snapshot), "rustam")
    assert error.value.code == code
    assert [table.select().count() for table in tables] == before


def test_an_appeal_that_the_snapshot_lacks(site) -> None:
    done = site.run("backup", "restore-appeal", "2026-000077")
    assert done.returncode == 1
    assert "has no appeal 2026-000077" in done.stderr
    assert Path(site.settings.paths.database).exists()
