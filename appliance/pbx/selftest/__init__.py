"""The site tests itself: a call of its own through the real dialplan; a drill without a network."""

import fcntl

from appliance.box import selftests
from appliance.box.selftests import Result
from appliance.core import clock
from appliance.core.settings import Settings

__all__ = ["over_carriers", "synthetic_call"]


def over_carriers(settings: Settings, name: str = "") -> dict[str, Result]:
    """Place a test call over each trunk for which one is due, or over the named one.

    Returns trunk → result. Each takes some five seconds and waits for other test calls. Raises
    LookupError for no such trunk.
    """
    from appliance.pbx.selftest import carrier  # as below

    listed = [trunk.name for trunk in carrier.eligible(settings)]
    names = [name] if name else [one for one in listed if selftests.is_due_over(settings, one)]
    return {one: carrier.carrier_call(settings, one) for one in names}


def synthetic_call(settings: Settings) -> Result:
    """Place a test call, look at what is kept of it, and write down what was found.

    It arrives as a citizen's does, is marked in the ledger, and rings no operator. It takes some
    twenty seconds; two at once wait for each other.
    """
    from appliance.pbx.selftest.call import Road, follow  # a phone of its own, and its loop
    from appliance.pbx.selftest.steps import StepFailed

    line = selftests.line(settings)
    road = Road(
        settings,
        caller=(line.name, line.secret),
        phone=(line.phone, line.secret),
        from_host=settings.asterisk.address,
    )
    with (settings.paths.database.parent / "self-test.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = clock.now()
        try:
            follow(road)
            with road.steps.step("marked"):
                if not road.row or not road.row.synthetic:
                    raise StepFailed("it counts as a citizen's call")
        except StepFailed:
            pass  # written down in the steps
    found = Result(
        "call",
        started,
        tuple(road.steps.done),
        road.steps.failed,
        road.steps.seen,
        road.row.id if road.row else "",
    )
    selftests.record(found)
    return found
