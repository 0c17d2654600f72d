"""Sign-ins as rows: found only by their cookie, ended one by one."""

import datetime as dt

import pytest

from appliance.core import clock, live
from appliance.models import AuditEntry, Desk, LiveEvent, Session
from appliance.people import accounts, pins, sessions


def event_topics() -> list[str]:
    return [event.topic for event in LiveEvent.select().order_by(LiveEvent.id)]


def test_the_database_does_not_contain_the_session_secret(nilufar) -> None:
    session, secret = sessions.begin_session(nilufar, "10.0.0.5", "Firefox", "desk")
    assert sessions.session_of_cookie(secret) == session
    row = Session.select().dicts().get()
    assert secret not in map(str, row.values())
    assert sessions.session_of_cookie(row["hash"]) is None
    assert sessions.session_of_cookie("") is None


def test_ending_one_session_keeps_the_others(nilufar) -> None:
    (first, first_secret), (_second, second_secret) = (
        sessions.begin_session(nilufar, "10.0.0.5") for _ in range(2)
    )
    before = live.newest_event_id()
    sessions.end_session(first, "rustam")
    sessions.end_session(first, "rustam")  # no further event is sent
    assert sessions.session_of_cookie(first_secret) is None
    assert sessions.session_of_cookie(second_secret)
    assert event_topics()[-2:] == [sessions.TOPIC, sessions.session_topic(first)]
    assert live.newest_event_id() == before + 2
    [entry] = AuditEntry.select().where(AuditEntry.action == "session.end")
    assert (entry.who, entry.subject) == ("rustam", "nilufar")


@pytest.mark.parametrize("why", ["disabled", "password", "old", "removed"])
def test_a_session_ends_with_account_password_or_age(nilufar, monkeypatch, why) -> None:
    session, secret = sessions.begin_session(nilufar, "10.0.0.5")
    later = clock.now() + sessions.MAX_SESSION_AGE
    match why:
        case "disabled":
            accounts.disable_account(nilufar, by="test")
        case "password":
            accounts.set_password(nilufar, "yangi-parol", by="test")
        case "removed":
            sessions.end_user_sessions(nilufar)
        case "old":
            monkeypatch.setattr(clock, "now", lambda: later)
    assert sessions.session_of_cookie(secret) is None
    assert sessions.find_session(session.id) is None
    assert sessions.user_sessions(nilufar) == []


def test_old_sessions_are_deleted_when_another_begins(nilufar, sardor, monkeypatch) -> None:
    sessions.begin_session(nilufar, "10.0.0.5")
    later = clock.now() + sessions.MAX_SESSION_AGE + dt.timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    sessions.begin_session(sardor, "10.0.0.5")
    assert [row.user.login for row in Session.select()] == ["sardor"]


def test_use_is_recorded_once_a_minute_and_when_the_address_changes(nilufar, monkeypatch) -> None:
    session, secret = sessions.begin_session(nilufar, "10.0.0.5")
    monkeypatch.setattr(clock, "now", lambda: session.seen_at + dt.timedelta(seconds=30))
    sessions.record_use(session, "10.0.0.5")
    assert sessions.session_of_cookie(secret).seen_at == session.seen_at
    sessions.record_use(session, "10.0.0.6")
    assert sessions.session_of_cookie(secret).address == "10.0.0.6"


def test_all_sessions_but_one_can_be_ended(nilufar) -> None:
    current, secret = sessions.begin_session(nilufar, "10.0.0.5")
    other_sessions = [sessions.begin_session(nilufar, "10.0.0.6") for _ in range(2)]
    assert sessions.end_other_sessions(current) == 2
    assert sessions.session_of_cookie(secret)
    assert not any(sessions.session_of_cookie(other) for _, other in other_sessions)


def test_use_is_recorded_only_for_the_session_used(nilufar, sardor, monkeypatch) -> None:
    (used_session, _), (own_session, _), (foreign_session, _) = (
        sessions.begin_session(user, "10.0.0.5") for user in (nilufar, nilufar, sardor)
    )
    before, later = used_session.seen_at, clock.now() + dt.timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    sessions.record_use(used_session, "10.0.0.6")
    seen_by_id = {row.id: (row.seen_at, row.address) for row in Session.select()}
    assert seen_by_id[used_session.id] == (later, "10.0.0.6")
    assert seen_by_id[own_session.id][1] == seen_by_id[foreign_session.id][1] == "10.0.0.5"
    assert seen_by_id[own_session.id][0] < later
    assert seen_by_id[foreign_session.id][0] < later
    assert before < later


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (lambda here: sessions.end_session(here, "rustam"), {("nilufar", "b"), ("sardor", "a")}),
        (lambda here: sessions.end_other_sessions(here), {("nilufar", "a"), ("sardor", "a")}),
        (lambda here: sessions.end_user_sessions(here.user), {("sardor", "a")}),
    ],
    ids=("end", "end_others", "end_all"),
)
def test_ending_a_users_sessions_keeps_the_devices_of_others(
    nilufar, sardor, ends, expected
) -> None:
    """PIN sign-in is stored per user and device; two users share device a."""
    session, _ = sessions.begin_session(nilufar, "10.0.0.5", device="a")
    for user, device in ((nilufar, "b"), (sardor, "a")):
        other, _ = sessions.begin_session(user, "10.0.0.5", device=device)
        pins.remember_desk(other)
    pins.remember_desk(session)
    ends(session)
    assert {(desk.user.login, desk.device) for desk in Desk.select()} == expected
    assert [row.user.login for row in sessions.valid_sessions() if row.user == sardor] == ["sardor"]
