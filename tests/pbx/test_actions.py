"""Commands to a real Asterisk: done, refused, or given up in time."""

import datetime as dt
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.core import clock, db
from appliance.models import User
from appliance.pbx import actions, ami
from appliance.pbx.actions import states
from appliance.people import presence
from tests.pbx.box import Box, stands
from tests.rig.waiting import until


def members(box: Box) -> dict[str, dict[str, bool]]:
    """Queue that several operators serve → login → paused."""
    found: dict[str, dict[str, bool]] = {}
    with ami.Connection(box.settings) as asterisk:
        for event in asterisk.listed("QueueStatus", "QueueStatusComplete"):
            shared = event.get("Queue") in ("uz", "ru")
            if event["Event"] == "QueueMember" and shared:
                found.setdefault(event["Queue"], {})[event["Name"]] = event["Paused"] == "1"
    return found


def reasons(box: Box, login: str) -> set[str]:
    """Why an operator's phone does not ring, as each of his queues tells; "" where it does."""
    with ami.Connection(box.settings) as asterisk:
        listed = asterisk.listed("QueueStatus", "QueueStatusComplete")
    return {event["PausedReason"] for event in listed if event.get("Name") == login}


def choose(box: Box, login: str, state: str, reason: str = "") -> None:
    actions.choose_state(box.settings, User.get(User.login == login), state, reason=reason)


def test_states_become_members_of_the_queues(box: Box) -> None:
    choose(box, "op01", "ready")
    choose(box, "op02", "ready")
    assert members(box) == {"uz": {"op01": False}, "ru": {"op01": False, "op02": False}}
    choose(box, "op01", "pause")
    assert members(box) == {"uz": {"op01": True}, "ru": {"op01": True, "op02": False}}
    choose(box, "op01", "off")
    choose(box, "op02", "off")
    assert members(box) == {}


def test_the_queues_tell_why_a_phone_does_not_ring(box: Box) -> None:
    for state, reason, told in (
        ("pause", "lunch", "lunch"),
        ("pause", "break", "break"),
        ("pause", presence.NO_ANSWER, actions.states.AUTOPAUSE),
        ("pause", "", "pause"),
        ("back_office", "", "back_office"),
        ("ready", "", ""),
    ):
        choose(box, "op01", state, reason)
        assert reasons(box, "op01") == {told}
        assert members(box)["uz"] == {"op01": state != "ready"}
    choose(box, "op01", "off")
    assert reasons(box, "op01") == set()


def test_what_was_chosen_while_asterisk_was_away_is_in_force_when_it_is_back(box: Box) -> None:
    choose(box, "op01", "ready")
    choose(box, "op02", "pause", "lunch")
    box.kill()
    for login, state in (("op01", "back_office"), ("op02", "ready")):
        with pytest.raises(actions.Unreachable):
            choose(box, login, state)
    box.start_again()
    until(box.answers, limit=60)
    actions.put_states_in_force(box.settings)
    assert reasons(box, "op01") == {"back_office"}
    assert reasons(box, "op02") == {""}
    choose(box, "op01", "off")
    choose(box, "op02", "off")


def test_states_chosen_at_the_same_moment_are_all_in_force(box: Box) -> None:
    def choose_many(login: str) -> None:
        with db.database.connection_context():
            for state in ("ready", "pause", "off") * 15 + ("ready",):
                choose(box, login, state)

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(choose_many, login) for login in ("op01", "op02")]:
            done.result()
    assert members(box) == {"uz": {"op01": False}, "ru": {"op01": False, "op02": False}}
    choose(box, "op01", "off")
    choose(box, "op02", "off")


def test_who_reloads_while_another_does_waits(box: Box) -> None:
    def reload_often() -> None:
        with db.database.connection_context():
            for _ in range(10):
                actions.reload(box.settings)

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(reload_often) for _ in range(3)]:
            done.result()


def test_a_frozen_asterisk_is_given_up_and_the_state_is_kept(box: Box) -> None:
    box.process.send_signal(signal.SIGSTOP)
    try:
        until(lambda: stands(box.process.pid))
        begin = time.monotonic()
        with pytest.raises(actions.Unreachable):
            choose(box, "op01", "pause")
    finally:
        box.process.send_signal(signal.SIGCONT)
    assert time.monotonic() - begin < 2 * ami.TIMEOUT
    assert presence.states()["op01"] == "pause"
    actions.put_states_in_force(box.settings)
    assert members(box)["uz"] == {"op01": True}


def test_answers_belong_to_who_asked(box: Box) -> None:
    wrong = []

    def ask(number: int) -> None:
        with ami.Connection(box.settings) as asterisk:
            for turn in range(50):
                name = f"V{number}_{turn}"
                asterisk.act("Setvar", Variable=name, Value=f"{number}.{turn}")
                answer = asterisk.act("Getvar", Variable=name)
                if answer["Value"] != f"{number}.{turn}":
                    wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_line_break_cannot_start_another_command(box: Box) -> None:
    with ami.Connection(box.settings) as asterisk:
        with pytest.raises(ValueError, match="line break"):
            asterisk.act("Getvar", Variable="X\r\nAction: Logoff")
        assert asterisk.act("Ping")["Ping"] == "Pong"


def test_a_wrong_command_is_refused(box: Box) -> None:
    with ami.Connection(box.settings) as asterisk, pytest.raises(ami.Refused):
        asterisk.act("NoSuchAction")


def test_the_console_is_not_for_the_manager(box: Box) -> None:
    with ami.Connection(box.settings) as asterisk, pytest.raises(ami.Refused, match="ermission"):
        asterisk.act("Command", Command="core show version")


def test_hanging_up_a_call_that_is_over_is_refused(box: Box) -> None:
    with pytest.raises(actions.Refused):
        actions.hang_up(box.settings, "hotline-1.0", "1001")


# wrap-up


def test_a_wrap_up_rings_nobody_and_ends_by_itself(box: Box) -> None:
    operator = User.get(User.login == "op01")
    actions.choose_state(box.settings, operator, presence.WRAP_UP)
    assert members(box)["uz"] == {"op01": True}
    assert presence.end_wrap_ups(dt.timedelta(hours=1)) == []
    assert presence.end_wrap_ups(dt.timedelta()) == ["op01"]
    actions.put_states_in_force(box.settings)
    assert members(box)["uz"] == {"op01": False}
    assert presence.end_wrap_ups(dt.timedelta()) == []
    choose(box, "op01", "off")


@pytest.mark.parametrize(
    ("ready_after", "wrap_up", "rests"), [(5, 30, True), (-5, 30, False), (5, 0, False)]
)
def test_who_is_ready_after_a_talk_is_rung_at_once(ready_after, wrap_up, rests) -> None:
    ended = clock.now().replace(microsecond=0) - dt.timedelta(seconds=8)
    member = {"LastCall": str(int(ended.timestamp()))}
    since = ended + dt.timedelta(seconds=ready_after)
    assert states._rests(member, since, wrap_up) is rests
    assert not states._rests({"LastCall": "0"}, since, wrap_up)


def test_a_connection_may_hear_some_events_only(box: Box) -> None:
    """Asterisk acknowledges before it makes the event: the next filter waits for it."""
    with (
        ami.Connection(box.settings, "user") as told,
        ami.Connection(box.settings, "user") as unfiltered,
        ami.Connection(box.settings) as asterisk,
    ):
        told.hear_only("Hold", "Unhold")
        asterisk.act("UserEvent", UserEvent="First")
        first = unfiltered.next_event(10.0)
        assert first
        assert first["UserEvent"] == "First"
        told.hear_only("UserEvent")
        asterisk.act("UserEvent", UserEvent="Second")
        event = told.next_event(10.0)
        assert event
        assert event["UserEvent"] == "Second"


def test_no_event_is_made_that_nobody_hears(box: Box) -> None:
    seen: list[str] = []
    with ami.Connection(box.settings, "call,agent,reporting") as told:
        with ami.Connection(box.settings) as asterisk:
            barred = {"Channel": "Local/+883510001234@outgoing-machine/n"}
            asterisk.act("Originate", **barred, Application="Wait", Data="1", Async="true")
        while "Hangup" not in seen:
            event = told.next_event(20.0)
            assert event, seen
            seen.append(event["Event"])
    assert "Newchannel" in seen
    unheard = {"LocalBridge", "NewCallerid", "NewConnectedLine", "Newstate", "VarSet"}
    assert unheard.isdisjoint(seen)
