"""The first phone: until one is registered, the self-checks warn that a call rings nobody."""

import datetime as dt
from collections.abc import Callable

import pytest

from appliance.box import health
from appliance.core import clock
from appliance.models import AsteriskWatch, Call, Talk, User
from appliance.people import accounts
from appliance.telephony import devices
from appliance.telephony.devices import Seen


@pytest.fixture
def reach(settings) -> Callable[[], tuple[str, str]]:
    """State and words of the check, on a site whose exchange answers."""
    AsteriskWatch.create(started_at=clock.now(), seen_at=clock.now())

    def state_and_words() -> tuple[str, str]:
        [check] = [
            each_check
            for each_check in health.checks(settings)
            if each_check.code == "phones.reach"
        ]
        assert bool(check.advice) == (check.state != "ok")
        return check.state, check.seen.format(**check.values)

    return state_and_words


def test_a_call_that_rings_nobody_is_a_warning(reach: Callable[[], tuple[str, str]]) -> None:
    [user, *others] = accounts.operators()
    never = "no phone is registered, and none has answered a call yet: a call rings nobody"
    assert reach() == ("warn", never)
    devices.see([Seen(user.extension, "phone", False, 0)])
    assert reach() == ("warn", never)
    devices.see([Seen(user.extension, "phone", True, 0), Seen("carrier", "trunk", True, 0)])
    assert reach() == ("ok", "phones registered: 1")
    devices.see([Seen(user.extension, "phone", False, 0), Seen("carrier", "trunk", True, 0)])
    begun = clock.now() - dt.timedelta(hours=1)
    call = Call.create(id="1", direction="inbound", stage="ended", arrived_at=begun)
    Talk.create(call=call, position=1, party="operator", who=user.login, started_at=begun)
    assert reach() == ("warn", "no operator's phone is registered: a call rings nobody")
    User.update(active=False).where(
        User.id.in_([each_check.id for each_check in (user, *others)])
    ).execute()
    assert reach() == ("warn", "no operator has an extension: a call rings nobody")
