"""What is changed of a person is in force in the queues and for his phone within seconds."""

import dataclasses
import threading
from collections.abc import Iterator

import pytest

from appliance.core import db
from appliance.models import User
from appliance.pbx import actions, ami, config_sync
from appliance.people import staff
from appliance.people.staff import Entry
from appliance.telephony import routing
from appliance.telephony.routing import Topic
from tests.pbx.box import Box
from tests.rig.waiting import until

SOON = 30  # seconds; a second Asterisk tries the files meanwhile


@pytest.fixture(scope="module")
def followed(box: Box) -> Iterator[Box]:
    """Two topics with operators of their own, and who follows the changes."""
    own = {"action": "own_queue"}
    topics = (
        Topic("1", "A", "А", code="subsidies", **own),
        Topic("2", "B", "Б", code="work", **own),
    )
    current = dataclasses.replace(routing.current(box.settings), topics=topics)
    actions.put_plan(box.settings, current, "test")
    stop = threading.Event()

    def follow() -> None:
        with db.database.connection_context():
            config_sync.follow(box.settings, stop)

    thread = threading.Thread(target=follow)
    thread.start()
    yield box
    stop.set()
    thread.join()


def user(login: str) -> User:
    return User.get(User.login == login)


def rung(box: Box, login: str) -> set[str]:
    """The queues whose callers ring this operator."""
    with ami.Connection(box.settings) as asterisk:
        return {
            event["Queue"]
            for event in asterisk.listed("QueueStatus", "QueueStatusComplete")
            if event["Event"] == "QueueMember" and event["Name"] == login
        }


def phones(box: Box) -> set[str]:
    """The phones that may register."""
    with ami.Connection(box.settings) as asterisk:
        events = asterisk.listed("PJSIPShowEndpoints", "EndpointListComplete")
        return {event["ObjectName"] for event in events if event["Event"] == "EndpointList"}


def test_topics_and_languages_are_those_of_the_queues(followed: Box) -> None:
    actions.choose_state(followed.settings, user("op01"), "ready")
    every = {"uz", "ru", "any", "op-1001"}
    every |= {f"{language}-{topic}" for language in ("uz", "ru") for topic in ("subsidies", "work")}
    assert rung(followed, "op01") == every
    known = staff.entry(user("op01"))
    staff.change(user("op01"), dataclasses.replace(known, topics=("work",)), None)
    until(lambda: rung(followed, "op01") == every - {"uz-subsidies", "ru-subsidies"}, limit=SOON)
    wanted = dataclasses.replace(known, topics=(), speaks=("ru",))
    staff.change(user("op01"), wanted, None)
    until(lambda: rung(followed, "op01") == {"ru", "any", "op-1001"}, limit=SOON)
    staff.change(user("op01"), known, None)
    until(lambda: rung(followed, "op01") == every, limit=SOON)
    assert routing.staffed(routing.current(followed.settings))["uz-work"] == 1


def test_who_comes_and_goes_has_a_phone_and_loses_it(followed: Box) -> None:
    new = Entry("op03", "Uchinchi", "operator", speaks=("uz",), extension="1003")
    person = staff.add(new, None).user
    until(lambda: "1003" in phones(followed), limit=SOON)
    actions.choose_state(followed.settings, person, "ready")
    assert {"uz", "op-1003"} <= rung(followed, "op03")
    staff.disable(person, None)
    until(lambda: not rung(followed, "op03"), limit=SOON)
    until(lambda: "1003" not in phones(followed), limit=SOON)
    staff.enable(person, None)
    until(lambda: "1003" in phones(followed), limit=SOON)
    assert not rung(followed, "op03")


def test_a_new_phone_password_is_the_one_that_opens(followed: Box) -> None:
    given = staff.give_phone_password(user("op02"), None)
    file = followed.settings.paths.asterisk / "pjsip.conf"
    until(lambda: given.phone_password in file.read_text(), limit=SOON)
