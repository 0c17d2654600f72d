"""The first phone: until one is registered, the self-checks warn that a call rings nobody."""

import datetime as dt
from collections.abc import Callable

import pytest

from appliance.box import health
from appliance.core import clock
from appliance.models import AsteriskWatch, Call, Talk, User
from appliance.people import accounts
from appliance.telephony import devices
from appliance.telephony.devices import DeviceState


@pytest.fixture
def reach(settings) -> Callable[[], tuple[str, str]]:
    """State and text of the check, on a site whose exchange answers."""
    AsteriskWatch.create(started_at=clock.now(), seen_at=clock.now())

    def state_and_text() -> tuple[str, str]:
        [check] = [
            each_check
            for each_check in health.all_checks(settings)
            if each_check.code == "phones.reach"
        ]
        assert bool(check.advice) == (check.state != "ok")
        return check.state, check.seen.format(**check.values)

    return state_and_text


def test_a_call_that_would_ring_nobody_is_a_warning(reach: Callable[[], tuple[str, str]]) -> None:
    [user, *other_operators] = accounts.active_operators()
    never_reachable = (
        "no phone is registered, and no phone has answered a call yet: no phone rings on a call"
    )
    assert reach() == ("warn", never_reachable)
    devices.store_states([DeviceState(user.extension, "phone", False, 0)])
    assert reach() == ("warn", never_reachable)
    devices.store_states(
        [DeviceState(user.extension, "phone", True, 0), DeviceState("carrier", "trunk", True, 0)]
    )
    assert reach() == ("ok", "phones registered: 1")
    devices.store_states(
        [DeviceState(user.extension, "phone", False, 0), DeviceState("carrier", "trunk", True, 0)]
    )
    started_at = clock.now() - dt.timedelta(hours=1)
    call = Call.create(id="1", direction="inbound", stage="ended", arrived_at=started_at)
    Talk.create(call=call, position=1, party="operator", who=user.login, started_at=started_at)
    assert reach() == ("warn", "no operator's phone is registered: no phone rings on a call")
    User.update(active=False).where(
        User.id.in_([each_check.id for each_check in (user, *other_operators)])
    ).execute()
    assert reach() == ("warn", "no operator has an extension: no phone rings on a call")
