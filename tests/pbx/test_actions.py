"""Commands to a real Asterisk: carried out, refused, or abandoned in time."""

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
from tests.pbx.box import Box, is_stopped
from tests.rig.waiting import wait_until


def queue_members(box: Box) -> dict[str, dict[str, bool]]:
    """Return queue → login → paused, for the queues that several operators serve."""
    paused_by_queue: dict[str, dict[str, bool]] = {}
    with ami.Connection(box.settings) as asterisk:
        for event in asterisk.list_events("QueueStatus", "QueueStatusComplete"):
            shared = event.get("Queue") in ("uz", "ru")
            if event["Event"] == "QueueMember" and shared:
                paused_by_queue.setdefault(event["Queue"], {})[event["Name"]] = (
                    event["Paused"] == "1"
                )
    return paused_by_queue


def pause_reasons(box: Box, login: str) -> set[str]:
    """Return an operator's pause reasons in their queues; "" where the phone rings."""
    with ami.Connection(box.settings) as asterisk:
        listed = asterisk.list_events("QueueStatus", "QueueStatusComplete")
    return {event["PausedReason"] for event in listed if event.get("Name") == login}


def choose_state(box: Box, login: str, state: str, reason: str = "") -> None:
    actions.choose_state(box.settings, User.get(User.login == login), state, reason=reason)


def test_states_change_the_members_of_the_queues(box: Box) -> None:
    choose_state(box, "op01", "ready")
    choose_state(box, "op02", "ready")
    assert queue_members(box) == {"uz": {"op01": False}, "ru": {"op01": False, "op02": False}}
    choose_state(box, "op01", "pause")
    assert queue_members(box) == {"uz": {"op01": True}, "ru": {"op01": True, "op02": False}}
    choose_state(box, "op01", "off")
    choose_state(box, "op02", "off")
    assert queue_members(box) == {}


def test_the_queues_report_why_a_phone_does_not_ring(box: Box) -> None:
    for state, reason, expected in (
        ("pause", "lunch", "lunch"),
        ("pause", "break", "break"),
        ("pause", presence.NO_ANSWER, actions.states.AUTOPAUSE),
        ("pause", "", "pause"),
        ("back_office", "", "back_office"),
        ("ready", "", ""),
    ):
        choose_state(box, "op01", state, reason)
        assert pause_reasons(box, "op01") == {expected}
        assert queue_members(box)["uz"] == {"op01": state != "ready"}
    choose_state(box, "op01", "off")
    assert pause_reasons(box, "op01") == set()


def test_a_state_chosen_during_an_outage_of_asterisk_takes_effect_afterwards(box: Box) -> None:
    choose_state(box, "op01", "ready")
    choose_state(box, "op02", "pause", "lunch")
    box.kill_process()
    for login, state in (("op01", "back_office"), ("op02", "ready")):
        with pytest.raises(actions.Unreachable):
            choose_state(box, login, state)
    box.restart_process()
    wait_until(box.accepts_commands, limit=60)
    actions.apply_states(box.settings)
    assert pause_reasons(box, "op01") == {"back_office"}
    assert pause_reasons(box, "op02") == {""}
    choose_state(box, "op01", "off")
    choose_state(box, "op02", "off")


def test_states_chosen_at_the_same_time_all_take_effect(box: Box) -> None:
    def choose_many(login: str) -> None:
        with db.database.connection_context():
            for state in ("ready", "pause", "off") * 15 + ("ready",):
                choose_state(box, login, state)

    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(choose_many, login) for login in ("op01", "op02")]:
            future.result()
    assert queue_members(box) == {"uz": {"op01": False}, "ru": {"op01": False, "op02": False}}
    choose_state(box, "op01", "off")
    choose_state(box, "op02", "off")


def test_concurrent_reloads_wait_for_each_other(box: Box) -> None:
    def reload_often() -> None:
        with db.database.connection_context():
            for _ in range(10):
                actions.reload_asterisk(box.settings)

    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(reload_often) for _ in range(3)]:
            future.result()


def test_a_frozen_asterisk_times_out_and_the_state_is_saved(box: Box) -> None:
    box.process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: is_stopped(box.process.pid))
        begin = time.monotonic()
        with pytest.raises(actions.Unreachable):
            choose_state(box, "op01", "pause")
    finally:
        box.process.send_signal(signal.SIGCONT)
    assert time.monotonic() - begin < 2 * ami.TIMEOUT_SECONDS
    assert presence.states_by_login()["op01"] == "pause"
    actions.apply_states(box.settings)
    assert queue_members(box)["uz"] == {"op01": True}


def test_each_connection_receives_its_own_answers(box: Box) -> None:
    wrong_answers = []

    def set_and_read_variables(number: int) -> None:
        with ami.Connection(box.settings) as asterisk:
            for turn in range(50):
                name = f"V{number}_{turn}"
                asterisk.send_action("Setvar", Variable=name, Value=f"{number}.{turn}")
                answer = asterisk.send_action("Getvar", Variable=name)
                if answer["Value"] != f"{number}.{turn}":
                    wrong_answers.append(answer)

    threads = [
        threading.Thread(target=set_and_read_variables, args=(number,)) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong_answers == []


def test_a_line_break_cannot_start_another_command(box: Box) -> None:
    with ami.Connection(box.settings) as asterisk:
        with pytest.raises(ValueError, match="line break"):
            asterisk.send_action("Getvar", Variable="X\r\nAction: Logoff")
        assert asterisk.send_action("Ping")["Ping"] == "Pong"


def test_a_wrong_command_is_refused(box: Box) -> None:
    with ami.Connection(box.settings) as asterisk, pytest.raises(ami.ActionRefused):
        asterisk.send_action("NoSuchAction")


def test_the_manager_may_not_run_console_commands(box: Box) -> None:
    denied = pytest.raises(ami.ActionRefused, match="ermission")
    with ami.Connection(box.settings) as asterisk, denied:
        asterisk.send_action("Command", Command="core show version")


def test_hanging_up_an_ended_call_is_refused(box: Box) -> None:
    with pytest.raises(actions.ActionRefused):
        actions.hang_up_phone(box.settings, "hotline-1.0", "1001")


# wrap-up


def test_a_phone_in_wrap_up_does_not_ring_and_the_wrap_up_ends_by_itself(box: Box) -> None:
    operator = User.get(User.login == "op01")
    actions.choose_state(box.settings, operator, presence.WRAP_UP)
    assert queue_members(box)["uz"] == {"op01": True}
    assert presence.end_wrap_ups(dt.timedelta(hours=1)) == []
    assert presence.end_wrap_ups(dt.timedelta()) == ["op01"]
    actions.apply_states(box.settings)
    assert queue_members(box)["uz"] == {"op01": False}
    assert presence.end_wrap_ups(dt.timedelta()) == []
    choose_state(box, "op01", "off")


@pytest.mark.parametrize(
    ("ready_after", "wrap_up", "rests"), [(5, 30, True), (-5, 30, False), (5, 0, False)]
)
def test_an_operator_ready_after_a_talk_gets_calls_at_once(ready_after, wrap_up, rests) -> None:
    ended = clock.now().replace(microsecond=0) - dt.timedelta(seconds=8)
    member = {"LastCall": str(int(ended.timestamp()))}
    since = ended + dt.timedelta(seconds=ready_after)
    assert states._is_resting(member, since, wrap_up) is rests
    assert not states._is_resting({"LastCall": "0"}, since, wrap_up)


def test_a_connection_can_filter_its_events(box: Box) -> None:
    """Asterisk acknowledges an event before it creates it: the next filter waits for it."""
    with (
        ami.Connection(box.settings, "user") as filtered,
        ami.Connection(box.settings, "user") as unfiltered,
        ami.Connection(box.settings) as asterisk,
    ):
        filtered.receive_only("Hold", "Unhold")
        asterisk.send_action("UserEvent", UserEvent="First")
        first = unfiltered.next_event(10.0)
        assert first
        assert first["UserEvent"] == "First"
        filtered.receive_only("UserEvent")
        asterisk.send_action("UserEvent", UserEvent="Second")
        event = filtered.next_event(10.0)
        assert event
        assert event["UserEvent"] == "Second"


def test_events_without_a_receiver_are_not_created(box: Box) -> None:
    event_names: list[str] = []
    with ami.Connection(box.settings, "call,agent,reporting") as event_connection:
        with ami.Connection(box.settings) as asterisk:
            barred = {"Channel": "Local/+883510001234@outgoing-machine/n"}
            asterisk.send_action("Originate", **barred, Application="Wait", Data="1", Async="true")
        while "Hangup" not in event_names:
            event = event_connection.next_event(20.0)
            assert event, event_names
            event_names.append(event["Event"])
    assert "Newchannel" in event_names
    disabled_events = {"LocalBridge", "NewCallerid", "NewConnectedLine", "Newstate", "VarSet"}
    assert disabled_events.isdisjoint(event_names)
