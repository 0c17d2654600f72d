"""What would become of a call, from the dialplan itself."""

import dataclasses
import datetime as dt

import pytest

from appliance.core.settings import Settings
from appliance.pbx import rehearsal
from appliance.pbx.rehearsal import Rehearsed, rehearse
from appliance.telephony import routing
from appliance.telephony.routing import Hours, Number, Plan, Queueing, Topic

CALLER = "+998901112233"
WHOLE = Plan(
    numbers=(Number(""), Number("+998712000600", ("ru",))),
    topics=(
        Topic("1", "Ish", "Работа", "jobs", "own_queue"),
        Topic("2", "Boshqa", "Другое", "other", "employee", "+998712000001"),
    ),
    hours=Hours(closed=True),
    queueing=Queueing(fall_back_after=60, max_wait=300),
)


def day(settings: Settings, hour: int) -> dt.datetime:
    """A working Wednesday."""
    return dt.datetime(2027, 2, 3, hour, tzinfo=settings.tz)


def road(site: Settings, wanted: Plan, hour: int, keys: str = "", **call: str) -> list[tuple]:
    asked = Rehearsed(
        **({"caller": CALLER, "dialled": "1006"} | call), at=day(site, hour), keys=keys
    )
    return [(s.kind, s.what) for s in rehearse(site, wanted, asked) if s.kind != "prompts"]


def test_the_road_of_a_call_that_presses_nothing(site: Settings) -> None:
    assert road(site, WHOLE, 12) == [
        ("key", ""),
        ("key", ""),
        ("language", "uz"),
        ("key", ""),
        ("queue", "uz"),
        ("queue", "any"),
        ("key", ""),
    ]


def test_keys_hours_and_topics(site: Settings) -> None:
    assert road(site, WHOLE, 22, "21") == [
        ("key", "2"),
        ("language", "ru"),
        ("closed", "closed"),
        ("key", "1"),
        ("topic", "jobs"),
        ("queue", "ru-jobs"),
        ("queue", "any"),
        ("key", ""),
    ]


def test_a_callback_is_asked_for_while_waiting(site: Settings) -> None:
    wanted = dataclasses.replace(WHOLE, topics=())
    stations = road(site, wanted, 12, "9", dialled="+998712000600")
    assert stations == [
        ("language", "ru"),
        ("queue", "ru"),
        ("key", "9"),
        ("callback", CALLER),
    ]


@pytest.mark.parametrize(("caller", "why"), [(CALLER, "blocked"), ("", "anonymous")])
def test_who_is_refused(site: Settings, caller: str, why: str) -> None:
    wanted = dataclasses.replace(WHOLE, blocked=(CALLER,), anonymous="refuse")
    assert road(site, wanted, 12, caller=caller) == [("refused", why)]


def test_nobody_is_rung_and_no_carrier_spoken_to(site: Settings) -> None:
    stations = road(site, WHOLE, 12, "12")
    assert ("employee", "+998712000001") in stations
    alone = rehearsal._alone(dataclasses.replace(WHOLE, trunks=routing.current(site).trunks))
    assert (alone.trunks, alone.routes) == ((), ())
