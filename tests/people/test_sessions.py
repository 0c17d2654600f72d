"""Sign-ins as rows: found by their cookie alone, ended one by one."""

import datetime as dt

import pytest

from appliance.core import clock, live
from appliance.models import AuditEntry, Desk, LiveEvent, Session
from appliance.people import accounts, pins, sessions


def topics() -> list[str]:
    return [event.topic for event in LiveEvent.select().order_by(LiveEvent.id)]


def test_the_database_does_not_hold_what_opens_a_session(nilufar) -> None:
    begun, secret = sessions.begin(nilufar, "10.0.0.5", "Firefox", "desk")
    assert sessions.found(secret) == begun
    row = Session.select().dicts().get()
    assert secret not in map(str, row.values())
    assert sessions.found(row["hash"]) is None
    assert sessions.found("") is None


def test_one_ends_and_the_others_stay(nilufar) -> None:
    (first, one), (_second, two) = (sessions.begin(nilufar, "10.0.0.5") for _ in range(2))
    before = live.newest()
    sessions.end(first, "rustam")
    sessions.end(first, "rustam")  # again: nothing more is said
    assert sessions.found(one) is None
    assert sessions.found(two)
    assert topics()[-2:] == [sessions.TOPIC, sessions.topic(first)]
    assert live.newest() == before + 2
    [entry] = AuditEntry.select().where(AuditEntry.action == "session.end")
    assert (entry.who, entry.subject) == ("rustam", "nilufar")


@pytest.mark.parametrize("why", ["disabled", "password", "old", "removed"])
def test_it_holds_no_more(nilufar, monkeypatch, why) -> None:
    begun, secret = sessions.begin(nilufar, "10.0.0.5")
    later = clock.now() + sessions.LASTS
    match why:
        case "disabled":
            accounts.disable(nilufar, by="test")
        case "password":
            accounts.set_password(nilufar, "yangi-parol", by="test")
        case "removed":
            sessions.end_all(nilufar)
        case "old":
            monkeypatch.setattr(clock, "now", lambda: later)
    assert sessions.found(secret) is None
    assert sessions.find(begun.id) is None
    assert sessions.of(nilufar) == []


def test_old_ones_are_cleared_away_when_one_begins(nilufar, sardor, monkeypatch) -> None:
    sessions.begin(nilufar, "10.0.0.5")
    later = clock.now() + sessions.LASTS + dt.timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    sessions.begin(sardor, "10.0.0.5")
    assert [row.user.login for row in Session.select()] == ["sardor"]


def test_use_is_noted_once_a_minute_and_from_where(nilufar, monkeypatch) -> None:
    begun, secret = sessions.begin(nilufar, "10.0.0.5")
    monkeypatch.setattr(clock, "now", lambda: begun.seen_at + dt.timedelta(seconds=30))
    sessions.see(begun, "10.0.0.5")
    assert sessions.found(secret).seen_at == begun.seen_at
    sessions.see(begun, "10.0.0.6")
    assert sessions.found(secret).address == "10.0.0.6"


def test_all_but_one(nilufar) -> None:
    kept, secret = sessions.begin(nilufar, "10.0.0.5")
    others = [sessions.begin(nilufar, "10.0.0.6") for _ in range(2)]
    assert sessions.end_others(kept) == 2
    assert sessions.found(secret)
    assert not any(sessions.found(other) for _, other in others)


def test_that_it_is_used_is_noted_of_it_alone(nilufar, sardor, monkeypatch) -> None:
    (used, _), (own, _), (others, _) = (
        sessions.begin(user, "10.0.0.5") for user in (nilufar, nilufar, sardor)
    )
    before, later = used.seen_at, clock.now() + dt.timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    sessions.see(used, "10.0.0.6")
    noted = {row.id: (row.seen_at, row.address) for row in Session.select()}
    assert noted[used.id] == (later, "10.0.0.6")
    assert noted[own.id][1] == noted[others.id][1] == "10.0.0.5"
    assert noted[own.id][0] < later
    assert noted[others.id][0] < later
    assert before < later


@pytest.mark.parametrize(
    ("ends", "left"),
    [
        (lambda here: sessions.end(here, "rustam"), {("nilufar", "b"), ("sardor", "a")}),
        (lambda here: sessions.end_others(here), {("nilufar", "a"), ("sardor", "a")}),
        (lambda here: sessions.end_all(here.user), {("sardor", "a")}),
    ],
    ids=("end", "end_others", "end_all"),
)
def test_desks_of_others_stay_when_one_is_signed_out(nilufar, sardor, ends, left) -> None:
    """A desk is where the PIN signs in; two people share device a."""
    here, _ = sessions.begin(nilufar, "10.0.0.5", device="a")
    for user, device in ((nilufar, "b"), (sardor, "a")):
        other, _ = sessions.begin(user, "10.0.0.5", device=device)
        pins.remember(other)
    pins.remember(here)
    ends(here)
    assert {(desk.user.login, desk.device) for desk in Desk.select()} == left
    assert [one.user.login for one in sessions.every() if one.user == sardor] == ["sardor"]
