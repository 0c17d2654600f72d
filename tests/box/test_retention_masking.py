"""A masked appeal contains nothing that identifies the citizen; masking blocks no writer."""

import dataclasses

import pytest

from appliance.box import retention
from appliance.casework import call_forms
from appliance.casework.appeals import registering
from appliance.casework.forms import drafts
from appliance.core import clock, db, outbox
from appliance.core.settings import Retention
from appliance.models import (
    Appeal,
    Call,
    CallForm,
    Draft,
    FollowUp,
    FollowUpMark,
    JobRun,
    LiveEvent,
    Message,
    Removal,
    SmsRating,
    Talk,
)
from appliance.telephony import followups
from tests.box import retained
from tests.box.retained import DAY, MINUTE, midnight_years_ago

CALLER = "+998935550147"


@pytest.fixture
def site(settings):
    retained.create_run(clock.now() - DAY)
    return dataclasses.replace(settings, retention=Retention(2, 2))


@pytest.fixture
def old(site):
    return midnight_years_ago(site, 2) - DAY


@pytest.fixture
def appeal_of_today(settings, nilufar) -> Appeal:
    token = drafts.token_for(nilufar, None)
    return registering.register(retained.FULL_FORM, operator=nilufar, token=token, tz=settings.tz)


@pytest.fixture
def masked(site, nilufar, sardor, bahodir, old):
    """A closed appeal due for masking, with a call in which two operators talked."""
    call = Call.create(
        id="1.1", direction="inbound", arrived_at=old, ended_at=old, stage="ended", caller=CALLER
    )
    for position, operator in enumerate((nilufar, sardor)):
        Talk.create(
            call=call, position=position, party="operator", who=operator.login, started_at=old
        )
    appeal = retained.register_appeal(site, nilufar, "1.1")
    retained.close_appeal(appeal, old)
    return appeal


def create_draft(operator, call_id, updated_at, values):
    call = Call.get_or_none(Call.id == call_id) if call_id else None
    drafts.save_draft(operator, drafts.token_for(operator, call), values)
    stored_draft = Draft.select().order_by(Draft.id.desc()).first()
    Draft.update(updated_at=updated_at).where(Draft.id == stored_draft.id).execute()
    return stored_draft.id


def test_another_operators_draft_of_the_call_is_removed_with_it(site, masked, sardor) -> None:
    create_draft(sardor, "1.1", clock.now(), {"surname": "Zulfiqorov"})
    unrelated = create_draft(sardor, None, clock.now(), {"surname": "Karimova"})
    assert retention.remove_due(site).appeals == 1
    assert [row.id for row in Draft.select()] == [unrelated]


def test_masking_an_appeal_without_a_call_affects_no_other_data(
    site, nilufar, sardor, bahodir, old
) -> None:
    retained.close_appeal(retained.register_appeal(site, nilufar), old)
    other_draft = create_draft(sardor, None, clock.now(), {"surname": "Karimova"})
    unrelated = create_message("", "sms", "delivered", "3")
    assert retention.remove_due(site).appeals == 1
    assert [row.id for row in Draft.select()] == [other_draft]
    assert message_contents(unrelated)[1] == CALLER


def test_a_registered_call_is_masked_with_its_appeal_or_by_its_age(
    site, masked, sardor, old
) -> None:
    call = Call.create(
        id="2.1", direction="inbound", arrived_at=old, ended_at=old, stage="ended", caller=CALLER
    )
    Talk.create(call=call, position=0, party="operator", who="sardor", started_at=old)
    values = {"surname": "Zulfiqorov", "gist": "soʻradi", "call_type": "question"}
    token = drafts.token_for(sardor, call)
    without_appeal = call_forms.register(values, operator=sardor, token=token, tz=site.tz)
    CallForm.update(registered_at=old).where(CallForm.id == without_appeal.id).execute()
    with_appeal = CallForm.create(
        **{"number": "Q-2024-000009", "call_id": "1.1", "operator": sardor, "received_at": old},
        **{"registered_at": clock.now(), "appeal_number": masked.number, "surname": "Zulfiqorov"},
    )
    removed = retention.remove_due(site)
    assert (removed.appeals, removed.call_forms) == (1, 1)
    for form in (without_appeal, with_appeal):
        masked_form = CallForm.get_by_id(form.id)
        assert (
            masked_form.surname,
            masked_form.gist,
            masked_form.phone,
            masked_form.search_key,
        ) == ("", "", "", "")
    assert CallForm.get_by_id(without_appeal.id).call_type == "question"
    assert "call_form" in {row.kind for row in retention.recent_removals()}


def test_drafts_are_removed_with_the_recordings_unless_their_call_is_held(
    site, sardor, old
) -> None:
    for id in ("2.1", "2.2"):
        Call.create(id=id, direction="inbound", arrived_at=old, ended_at=old, stage="ended")
        Talk.create(call=id, position=0, party="operator", who=sardor.login, started_at=old)
    cutoff = retained.time_two_months_ago(site)
    create_draft(sardor, None, cutoff - MINUTE, {"surname": "Zulfiqorov"})
    create_draft(sardor, "2.1", cutoff - MINUTE, {"gist": "Nafaqa"})
    # it is removed too, but there is nothing to record
    create_draft(sardor, None, cutoff - MINUTE, {})
    held_draft = create_draft(sardor, "2.2", cutoff - MINUTE, {"gist": "Nafaqa"})
    young = create_draft(sardor, None, cutoff + MINUTE, {"surname": "Karimova"})
    retention.set_hold("call", "2.2", "sud", "sherzod")
    assert retention.remove_due(site).drafts == 2
    assert {row.id for row in Draft.select()} == {held_draft, young}
    assert [row.kind for row in retention.recent_removals()] == ["draft", "draft"]
    assert "2.1" in {row.detail["call"] for row in retention.recent_removals()}


def test_a_draft_saved_again_is_removed_again(site, sardor, old) -> None:
    updated_at = retained.time_two_months_ago(site) - MINUTE
    call = Call.create(id="2.1", direction="inbound", arrived_at=old, ended_at=old, stage="ended")
    Talk.create(call=call, position=0, party="operator", who=sardor.login, started_at=old)
    for _ in range(2):
        create_draft(sardor, "2.1", updated_at, {"gist": "Nafaqa"})
        assert retention.remove_due(site).drafts == 1
    token = drafts.token_for(sardor, call)
    assert [row.subject for row in retention.recent_removals()] == [f"{token} (2)", token]


def create_message(cause, channel, state, key):
    with db.write_transaction():
        stored_message = outbox.queue_message(
            channel,
            "registered",
            CALLER,
            key=key,
            text="Zulfiqorov",
            payload={"surname": "Zulfiqorov"},
            cause=cause,
        )
    Message.update(state=state).where(Message.id == stored_message.id).execute()
    return stored_message.id


def message_contents(id):
    stored_message = Message.get_by_id(id)
    return stored_message.text, stored_message.recipient, stored_message.payload


def test_a_waiting_message_is_masked_once_it_has_ended(site, masked) -> None:
    waiting = create_message(masked.number, "ministry", "pending", "1")
    of_call = create_message("1.1", "sms", "delivered", "2")
    Appeal.update(token="f" * 32).where(Appeal.id == masked.id).execute()
    of_form = create_message("f" * 32, "sms", "delivered", "4")
    unrelated = create_message("", "sms", "delivered", "3")
    retention.remove_due(site)
    assert message_contents(of_call) == message_contents(of_form) == ("", "", {})
    assert message_contents(unrelated)[1] == CALLER
    # its data are needed until it is delivered
    assert message_contents(waiting)[2] == {"surname": "Zulfiqorov"}
    retention.remove_due(site)
    assert message_contents(waiting)[0] == "Zulfiqorov"
    Message.update(state="delivered").where(Message.id == waiting).execute()
    retention.remove_due(site)
    assert message_contents(waiting) == ("", "", {})
    assert message_contents(unrelated)[1] == CALLER


def test_old_messages_without_an_appeal_are_masked(site, old, appeal_of_today) -> None:
    missed, question = (
        create_message("9.9", "sms", "delivered", "1"),
        create_message("", "sms", "sent", "2"),
    )
    of_appeal = create_message(appeal_of_today.number, "sms", "delivered", "3")
    of_form = create_message(appeal_of_today.token, "sms", "delivered", "7")
    of_held_call = create_message("9.6", "sms", "delivered", "6")
    Call.create(id="9.6", direction="inbound", arrived_at=old, stage="ended")
    retention.set_hold("call", "9.6", "prosecutor", by="sherzod")
    waiting, young = (
        create_message("9.8", "sms", "pending", "4"),
        create_message("9.7", "sms", "delivered", "5"),
    )
    Message.update(created_at=old).where(Message.id != young).execute()
    retention.remove_due(site)
    assert [message_contents(message_id)[1] for message_id in (missed, question)] == ["", ""]
    assert [
        message_contents(message_id)[1]
        for message_id in (of_appeal, of_form, of_held_call, waiting, young)
    ] == [CALLER] * 5


def test_the_number_of_a_mark_by_message_is_removed_and_the_mark_kept(site, masked) -> None:
    SmsRating.create(
        call_id="1.1",
        token="t",
        number=CALLER,
        language="uz",
        asked_at=clock.now(),
        expires_at=clock.now(),
        mark=5,
    )
    retention.remove_due(site)
    assert [(row.number, row.mark) for row in SmsRating.select()] == [("", 5)]


def create_written_off_call(id, ended_at, number, monkeypatch):
    """Create a missed call whose task was written off with a note."""
    Call.create(
        id=id,
        direction="inbound",
        arrived_at=ended_at - MINUTE,
        ended_at=ended_at,
        stage="ended",
        outcome="abandoned_queue",
        caller=number,
    )
    with db.write_transaction():
        followups.update_tasks(ended_at - MINUTE, number)
    task = FollowUp.get(FollowUp.number == number)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: ended_at + MINUTE)
        assert followups.close_task(task, "done", "nilufar", "Zulfiqorov, akasi qaytib chaqiradi")


def notes_by_call():
    return {row.call_id: bool(row.note) for row in FollowUp.select()}


def test_notes_about_missed_callers_are_removed_after_years(site, monkeypatch) -> None:
    limit = midnight_years_ago(site, 2)
    for id, ended_at, number in (
        ("3.1", limit - DAY, "+998935550141"),
        ("3.2", limit + DAY, "+998935550142"),
        ("3.3", limit - DAY, "+998935550143"),
    ):
        create_written_off_call(id, ended_at, number, monkeypatch)
    hold = retention.set_hold("call", "3.3", "sud", "sherzod")
    assert retention.remove_due(site).notes == 1
    assert notes_by_call() == {"3.1": False, "3.2": True, "3.3": True}
    followups.rebuild_tasks()  # rebuilt from the ledger and the marks, the notes do not return
    assert notes_by_call() == {"3.1": False, "3.2": True, "3.3": True}
    retention.end_hold(hold.id, "sherzod")
    assert retention.remove_due(site).notes == 1
    assert FollowUpMark.select().where(FollowUpMark.note != "").count() == 1
    assert FollowUp.get(FollowUp.call_id == "3.1").number == "+998935550141"  # it is still counted


# masking does not block other writers


def test_other_writers_can_write_between_two_masked_appeals(site, nilufar, bahodir, old) -> None:
    """The write lock is free between any two appeals; the due ones are found before it is taken."""
    for number in range(3):
        retained.close_appeal(retained.register_appeal(site, nilufar), old - number * MINUTE)
    removals_at_pause = []

    def write_during_pause(seconds):
        assert seconds > 0
        assert not db.database.in_transaction()
        with db.write_transaction():
            LiveEvent.create(topic="x", at=clock.now())
        removals_at_pause.append(Removal.select().count())

    assert retention.remove_due(site, pause=write_during_pause).appeals == 3
    assert removals_at_pause == [1, 2, 3]


def test_due_appeals_are_found_outside_the_lock_and_searched_from_the_last_one(
    site, nilufar, bahodir, old, monkeypatch
) -> None:
    """After years a hundred thousand are masked: searching them again would take seconds."""
    for number in range(3):
        retained.close_appeal(retained.register_appeal(site, nilufar), old - number * MINUTE)
    statements, execute = [], db.database.execute_sql

    def record_statement(sql, *more, **keywords):
        statements.append((sql, db.database.in_transaction()))
        return execute(sql, *more, **keywords)

    monkeypatch.setattr(db.database, "execute_sql", record_statement)
    assert retention.remove_due(site, pause=lambda seconds: None).appeals == 3
    due = [
        (sql, locked)
        for sql, locked in statements
        if 'FROM "appeal"' in sql and '"changed_at" <' in sql
    ]
    assert [locked for _, locked in due] == [False, True, True, True, False]
    assert all('"t1"."id" = ?' in sql for sql, locked in due if locked)
    assert '"t1"."id" > ?' in due[-1][0]


def test_a_hold_set_while_masking_runs_is_respected(site, nilufar, bahodir, old) -> None:
    first, second = (retained.register_appeal(site, nilufar) for _ in range(2))
    for appeal in (first, second):
        retained.close_appeal(appeal, old)
    holds = []

    def hold_during_pause(seconds):
        if not holds:
            holds.append(retention.set_hold("appeal", second.number, "sud", "sherzod"))

    assert retention.remove_due(site, pause=hold_during_pause).appeals == 1
    assert Appeal.get_by_id(second.id).surname
    assert JobRun.select().count() == 1
