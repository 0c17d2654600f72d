"""Changes to a person take effect in the queues and for their phone within seconds."""

import dataclasses
import threading
from collections.abc import Iterator

import pytest

from appliance.core import db
from appliance.models import User
from appliance.pbx import actions, ami, config_sync
from appliance.people import staff
from appliance.people.staff import StaffEntry
from appliance.telephony import routing
from appliance.telephony.routing import Topic
from tests.pbx.box import Box
from tests.rig.waiting import wait_until

LIMIT_SECONDS = 30  # a second Asterisk tries the files within this time


@pytest.fixture(scope="module")
def followed(box: Box) -> Iterator[Box]:
    """Two topics with their own queues, and a thread that follows the changes."""
    queue_action = {"action": "own_queue"}
    topics = (
        Topic("1", "A", "А", code="subsidies", **queue_action),
        Topic("2", "B", "Б", code="work", **queue_action),
    )
    current = dataclasses.replace(routing.current_plan(box.settings), topics=topics)
    actions.apply_plan(box.settings, current, "test")
    stop = threading.Event()

    def follow_changes() -> None:
        with db.database.connection_context():
            config_sync.follow_changes(box.settings, stop)

    thread = threading.Thread(target=follow_changes)
    thread.start()
    yield box
    stop.set()
    thread.join()


def user_by_login(login: str) -> User:
    return User.get(User.login == login)


def queues_ringing(box: Box, login: str) -> set[str]:
    """Return the queues whose callers ring this operator."""
    with ami.Connection(box.settings) as asterisk:
        return {
            event["Queue"]
            for event in asterisk.list_events("QueueStatus", "QueueStatusComplete")
            if event["Event"] == "QueueMember" and event["Name"] == login
        }


def permitted_phones(box: Box) -> set[str]:
    """Return the phones that may register."""
    with ami.Connection(box.settings) as asterisk:
        events = asterisk.list_events("PJSIPShowEndpoints", "EndpointListComplete")
        return {event["ObjectName"] for event in events if event["Event"] == "EndpointList"}


def test_the_queues_follow_topics_and_languages(followed: Box) -> None:
    actions.choose_state(followed.settings, user_by_login("op01"), "ready")
    all_queues = {"uz", "ru", "any", "op-1001"}
    all_queues |= {
        f"{language}-{topic}" for language in ("uz", "ru") for topic in ("subsidies", "work")
    }
    assert queues_ringing(followed, "op01") == all_queues
    original = staff.entry_of_user(user_by_login("op01"))
    staff.change_person(
        user_by_login("op01"), dataclasses.replace(original, topics=("work",)), None
    )
    wait_until(
        lambda: queues_ringing(followed, "op01") == all_queues - {"uz-subsidies", "ru-subsidies"},
        limit=LIMIT_SECONDS,
    )
    changed_entry = dataclasses.replace(original, topics=(), speaks=("ru",))
    staff.change_person(user_by_login("op01"), changed_entry, None)
    wait_until(
        lambda: queues_ringing(followed, "op01") == {"ru", "any", "op-1001"}, limit=LIMIT_SECONDS
    )
    staff.change_person(user_by_login("op01"), original, None)
    wait_until(lambda: queues_ringing(followed, "op01") == all_queues, limit=LIMIT_SECONDS)
    assert routing.operators_per_queue(routing.current_plan(followed.settings))["uz-work"] == 1


def test_a_new_operator_gets_a_phone_and_a_disabled_one_loses_it(followed: Box) -> None:
    new = StaffEntry("op03", "Uchinchi", "operator", speaks=("uz",), extension="1003")
    person = staff.add_person(new, None).user
    wait_until(lambda: "1003" in permitted_phones(followed), limit=LIMIT_SECONDS)
    actions.choose_state(followed.settings, person, "ready")
    assert {"uz", "op-1003"} <= queues_ringing(followed, "op03")
    staff.disable_person(person, None)
    wait_until(lambda: not queues_ringing(followed, "op03"), limit=LIMIT_SECONDS)
    wait_until(lambda: "1003" not in permitted_phones(followed), limit=LIMIT_SECONDS)
    staff.enable_person(person, None)
    wait_until(lambda: "1003" in permitted_phones(followed), limit=LIMIT_SECONDS)
    assert not queues_ringing(followed, "op03")


def test_a_new_phone_password_reaches_asterisk(followed: Box) -> None:
    access = staff.issue_phone_password(user_by_login("op02"), None)
    file = followed.settings.paths.asterisk / "pjsip.conf"
    wait_until(lambda: access.phone_password in file.read_text(), limit=LIMIT_SECONDS)
