"""What a masked appeal leaves behind: nothing that tells who the citizen was; and nobody waits."""

import dataclasses

import pytest

from appliance.box import retention
from appliance.casework import appeals, call_forms
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
from tests.box.retained import DAY, MINUTE, years

CALLER = "+998935550147"


@pytest.fixture
def site(settings):
    retained.night(clock.now() - DAY)
    return dataclasses.replace(settings, retention=Retention(2, 2))


@pytest.fixture
def old(site):
    return years(site, 2) - DAY


@pytest.fixture
def appeal_of_today(settings, nilufar) -> Appeal:
    token = appeals.token_for(nilufar, None)
    return appeals.register(retained.FULL, operator=nilufar, token=token, tz=settings.tz)


@pytest.fixture
def masked(site, nilufar, sardor, bahodir, old):
    """An appeal that is due, with the call that two operators spoke on."""
    call = Call.create(
        id="1.1", direction="inbound", arrived_at=old, ended_at=old, stage="ended", caller=CALLER
    )
    for position, operator in enumerate((nilufar, sardor)):
        Talk.create(
            call=call, position=position, party="operator", who=operator.login, started_at=old
        )
    appeal = retained.register(site, nilufar, "1.1")
    retained.close(appeal, old)
    return appeal


def draft(operator, call_id, updated_at, values):
    call = Call.get_or_none(Call.id == call_id) if call_id else None
    appeals.save_draft(operator, appeals.token_for(operator, call), values)
    made = Draft.select().order_by(Draft.id.desc()).first()
    Draft.update(updated_at=updated_at).where(Draft.id == made.id).execute()
    return made.id


def test_another_operators_draft_of_the_call_goes_with_it(site, masked, sardor) -> None:
    draft(sardor, "1.1", clock.now(), {"surname": "Zulfiqorov"})
    other = draft(sardor, None, clock.now(), {"surname": "Karimova"})
    assert retention.remove_due(site).appeals == 1
    assert [row.id for row in Draft.select()] == [other]


def test_an_appeal_without_a_call_takes_nothing_else_along(
    site, nilufar, sardor, bahodir, old
) -> None:
    retained.close(retained.register(site, nilufar), old)
    kept = draft(sardor, None, clock.now(), {"surname": "Karimova"})
    other = message("", "sms", "delivered", "3")
    assert retention.remove_due(site).appeals == 1
    assert [row.id for row in Draft.select()] == [kept]
    assert told(other)[1] == CALLER


def test_a_registered_call_goes_with_its_appeal_or_by_its_age(site, masked, sardor, old) -> None:
    call = Call.create(
        id="2.1", direction="inbound", arrived_at=old, ended_at=old, stage="ended", caller=CALLER
    )
    Talk.create(call=call, position=0, party="operator", who="sardor", started_at=old)
    said = {"surname": "Zulfiqorov", "gist": "soʻradi", "call_type": "question"}
    token = appeals.token_for(sardor, call)
    alone = call_forms.register(said, operator=sardor, token=token, tz=site.tz)
    CallForm.update(registered_at=old).where(CallForm.id == alone.id).execute()
    with_appeal = CallForm.create(
        **{"number": "Q-2024-000009", "call_id": "1.1", "operator": sardor, "received_at": old},
        **{"registered_at": clock.now(), "appeal_number": masked.number, "surname": "Zulfiqorov"},
    )
    removed = retention.remove_due(site)
    assert (removed.appeals, removed.call_forms) == (1, 1)
    for form in (alone, with_appeal):
        left = CallForm.get_by_id(form.id)
        assert (left.surname, left.gist, left.phone, left.search_key) == ("", "", "", "")
    assert CallForm.get_by_id(alone.id).call_type == "question"
    assert "call_form" in {row.kind for row in retention.removals()}


def test_drafts_go_with_the_recordings_unless_their_call_is_held(site, sardor, old) -> None:
    for id in ("2.1", "2.2"):
        Call.create(id=id, direction="inbound", arrived_at=old, ended_at=old, stage="ended")
        Talk.create(call=id, position=0, party="operator", who=sardor.login, started_at=old)
    before = retained.limit(site)
    draft(sardor, None, before - MINUTE, {"surname": "Zulfiqorov"})
    draft(sardor, "2.1", before - MINUTE, {"gist": "Nafaqa"})
    draft(sardor, None, before - MINUTE, {})  # it goes too, and there is nothing to tell
    held = draft(sardor, "2.2", before - MINUTE, {"gist": "Nafaqa"})
    young = draft(sardor, None, before + MINUTE, {"surname": "Karimova"})
    retention.hold("call", "2.2", "sud", "sherzod")
    assert retention.remove_due(site).drafts == 2
    assert {row.id for row in Draft.select()} == {held, young}
    assert [row.kind for row in retention.removals()] == ["draft", "draft"]
    assert "2.1" in {row.detail["call"] for row in retention.removals()}


def test_a_draft_that_comes_again_is_removed_again(site, sardor, old) -> None:
    before = retained.limit(site) - MINUTE
    call = Call.create(id="2.1", direction="inbound", arrived_at=old, ended_at=old, stage="ended")
    Talk.create(call=call, position=0, party="operator", who=sardor.login, started_at=old)
    for _ in range(2):
        draft(sardor, "2.1", before, {"gist": "Nafaqa"})
        assert retention.remove_due(site).drafts == 1
    token = appeals.token_for(sardor, call)
    assert [row.subject for row in retention.removals()] == [f"{token} (2)", token]


def message(cause, channel, state, key):
    with db.writing():
        made = outbox.put(
            channel,
            "registered",
            CALLER,
            key=key,
            text="Zulfiqorov",
            payload={"surname": "Zulfiqorov"},
            cause=cause,
        )
    Message.update(state=state).where(Message.id == made.id).execute()
    return made.id


def told(id):
    found = Message.get_by_id(id)
    return found.text, found.recipient, found.payload


def test_a_message_that_still_waits_is_masked_when_it_has_ended(site, masked) -> None:
    waits = message(masked.number, "ministry", "pending", "1")
    of_call = message("1.1", "sms", "delivered", "2")
    Appeal.update(token="f" * 32).where(Appeal.id == masked.id).execute()
    of_form = message("f" * 32, "sms", "delivered", "4")
    other = message("", "sms", "delivered", "3")
    retention.remove_due(site)
    assert told(of_call) == told(of_form) == ("", "", {})
    assert told(other)[1] == CALLER
    assert told(waits)[2] == {"surname": "Zulfiqorov"}  # it is needed until it is there
    retention.remove_due(site)
    assert told(waits)[0] == "Zulfiqorov"
    Message.update(state="delivered").where(Message.id == waits).execute()
    retention.remove_due(site)
    assert told(waits) == ("", "", {})
    assert told(other)[1] == CALLER


def test_old_messages_about_no_appeal_say_nothing_more(site, old, appeal_of_today) -> None:
    missed, asked = message("9.9", "sms", "delivered", "1"), message("", "sms", "sent", "2")
    kept = message(appeal_of_today.number, "sms", "delivered", "3")
    of_form = message(appeal_of_today.token, "sms", "delivered", "7")
    held = message("9.6", "sms", "delivered", "6")
    Call.create(id="9.6", direction="inbound", arrived_at=old, stage="ended")
    retention.hold("call", "9.6", "prosecutor", by="sherzod")
    waits, young = message("9.8", "sms", "pending", "4"), message("9.7", "sms", "delivered", "5")
    Message.update(created_at=old).where(Message.id != young).execute()
    retention.remove_due(site)
    assert [told(one)[1] for one in (missed, asked)] == ["", ""]
    assert [told(one)[1] for one in (kept, of_form, held, waits, young)] == [CALLER] * 5


def test_the_number_of_a_mark_by_message_goes_and_the_mark_stays(site, masked) -> None:
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


def written_off(id, at, number, monkeypatch):
    """A missed call whose task was written off with a note."""
    Call.create(
        id=id,
        direction="inbound",
        arrived_at=at - MINUTE,
        ended_at=at,
        stage="ended",
        outcome="abandoned_queue",
        caller=number,
    )
    with db.writing():
        followups.follow(at - MINUTE, number)
    task = FollowUp.get(FollowUp.number == number)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: at + MINUTE)
        assert followups.mark(task, "done", "nilufar", "Zulfiqorov, akasi qaytib chaqiradi")


def notes():
    return {row.call_id: bool(row.note) for row in FollowUp.select()}


def test_notes_at_missed_callers_go_after_years(site, monkeypatch) -> None:
    limit = years(site, 2)
    for id, at, number in (
        ("3.1", limit - DAY, "+998935550141"),
        ("3.2", limit + DAY, "+998935550142"),
        ("3.3", limit - DAY, "+998935550143"),
    ):
        written_off(id, at, number, monkeypatch)
    held = retention.hold("call", "3.3", "sud", "sherzod")
    assert retention.remove_due(site).notes == 1
    assert notes() == {"3.1": False, "3.2": True, "3.3": True}
    followups.rebuild()  # told anew from ledger and marks, they do not come back
    assert notes() == {"3.1": False, "3.2": True, "3.3": True}
    retention.end(held.id, "sherzod")
    assert retention.remove_due(site).notes == 1
    assert FollowUpMark.select().where(FollowUpMark.note != "").count() == 1
    assert FollowUp.get(FollowUp.call_id == "3.1").number == "+998935550141"  # it is counted


# ── nobody waits for it ─────────────────────────────────────────────────────────


def test_others_can_write_while_one_is_masked_after_the_other(site, nilufar, bahodir, old) -> None:
    """Between any two of them the lock is free; what goes is found before it is taken."""
    for number in range(3):
        retained.close(retained.register(site, nilufar), old - number * MINUTE)
    free = []

    def pause(seconds):
        assert seconds > 0
        assert not db.database.in_transaction()
        with db.writing():
            LiveEvent.create(topic="x", at=clock.now())
        free.append(Removal.select().count())

    assert retention.remove_due(site, pause=pause).appeals == 3
    assert free == [1, 2, 3]


def test_what_is_found_is_found_outside_of_the_lock_and_from_the_last_one_on(
    site, nilufar, bahodir, old, monkeypatch
) -> None:
    """After years a hundred thousand are masked: to look through them again takes seconds."""
    for number in range(3):
        retained.close(retained.register(site, nilufar), old - number * MINUTE)
    asked, execute = [], db.database.execute_sql

    def listen(sql, *more, **keywords):
        asked.append((sql, db.database.in_transaction()))
        return execute(sql, *more, **keywords)

    monkeypatch.setattr(db.database, "execute_sql", listen)
    assert retention.remove_due(site, pause=lambda seconds: None).appeals == 3
    due = [
        (sql, locked) for sql, locked in asked if 'FROM "appeal"' in sql and '"changed_at" <' in sql
    ]
    assert [locked for _, locked in due] == [False, True, True, True, False]
    assert all('"t1"."id" = ?' in sql for sql, locked in due if locked)
    assert '"t1"."id" > ?' in due[-1][0]


def test_a_hold_that_comes_meanwhile_is_kept(site, nilufar, bahodir, old) -> None:
    first, second = (retained.register(site, nilufar) for _ in range(2))
    for appeal in (first, second):
        retained.close(appeal, old)
    came = []

    def pause(seconds):
        if not came:
            came.append(retention.hold("appeal", second.number, "sud", "sherzod"))

    assert retention.remove_due(site, pause=pause).appeals == 1
    assert Appeal.get_by_id(second.id).surname
    assert JobRun.select().count() == 1
