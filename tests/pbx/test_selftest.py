"""The site calls itself: by a real Asterisk, through the real dialplan, with sound."""

import threading
from collections.abc import Iterator

import pytest
from box import Box
from waiting import until

from appliance import calls, clock, followups, health, selftests, staff
from appliance.models import Call, FollowUp, QueueVisit, Ring, SelfTest, Talk, User
from appliance.pbx import actions, finishing, selftest
from appliance.pbx.follow import Follower
from appliance.pbx.selftest import call as by_call

pytestmark = pytest.mark.calls


@pytest.fixture(scope="module")
def following(box: Box) -> Iterator[Box]:
    """What `appliance pbx` does with the event log."""
    from appliance.db import database

    stop = threading.Event()

    def follow() -> None:
        with database.connection_context():
            follower = Follower(box.settings)
            while not stop.wait(0.05):
                follower.step()
                finishing.measure(box.settings)

    thread = threading.Thread(target=follow)
    thread.start()
    staff.choose_state(User.get(User.login == "op01"), "ready")
    actions.put_states_in_force(box.settings)
    yield box
    stop.set()
    thread.join()


def test_a_test_call_goes_the_whole_road(following: Box) -> None:
    began = clock.now()
    found = selftest.synthetic_call(following.settings)
    assert (found.failed, found.seen) == ("", "")
    print([(s.step, s.seconds) for s in found.steps])
