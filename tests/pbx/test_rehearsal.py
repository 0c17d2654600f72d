"""The steps that a call would take, from the dialplan itself."""

import dataclasses
import datetime as dt

import pytest

from appliance.core.settings import Settings
from appliance.pbx import rehearsal
from appliance.pbx.rehearsal import RehearsalCall, rehearse_call
from appliance.telephony import routing
from appliance.telephony.routing import HotlineNumber, Hours, Plan, Queueing, Topic

CALLER_NUMBER = "+998901112233"
FULL_PLAN = Plan(
    numbers=(HotlineNumber(""), HotlineNumber("+998712000600", ("ru",))),
    topics=(
        Topic("1", "Ish", "Работа", "jobs", "own_queue"),
        Topic("2", "Boshqa", "Другое", "other", "employee", "+998712000001"),
    ),
    hours=Hours(closed=True),
    queueing=Queueing(fall_back_after=60, max_wait=300),
)


def working_day(settings: Settings, hour: int) -> dt.datetime:
    """Return that hour of a working Wednesday."""
    return dt.datetime(2027, 2, 3, hour, tzinfo=settings.tz)


def rehearsed_steps(
    site: Settings, plan: Plan, hour: int, keys: str = "", **options: str
) -> list[tuple]:
    rehearsed_call = RehearsalCall(
        **({"caller": CALLER_NUMBER, "dialled": "1006"} | options),
        at=working_day(site, hour),
        keys=keys,
    )
    return [
        (s.kind, s.detail) for s in rehearse_call(site, plan, rehearsed_call) if s.kind != "prompts"
    ]


def test_a_call_without_keys_waits_in_the_queue(site: Settings) -> None:
    assert rehearsed_steps(site, FULL_PLAN, 12) == [
        ("key", ""),
        ("key", ""),
        ("language", "uz"),
        ("key", ""),
        ("queue", "uz"),
        ("queue", "any"),
        ("key", ""),
    ]


def test_keys_hours_and_topics_decide_the_queue(site: Settings) -> None:
    assert rehearsed_steps(site, FULL_PLAN, 22, "21") == [
        ("key", "2"),
        ("language", "ru"),
        ("closed", "closed"),
        ("key", "1"),
        ("topic", "jobs"),
        ("queue", "ru-jobs"),
        ("queue", "any"),
        ("key", ""),
    ]


def test_a_callback_is_requested_while_waiting(site: Settings) -> None:
    plan = dataclasses.replace(FULL_PLAN, topics=())
    steps = rehearsed_steps(site, plan, 12, "9", dialled="+998712000600")
    assert steps == [
        ("language", "ru"),
        ("queue", "ru"),
        ("key", "9"),
        ("callback", CALLER_NUMBER),
    ]


@pytest.mark.parametrize(("caller", "why"), [(CALLER_NUMBER, "blocked"), ("", "anonymous")])
def test_blocked_and_anonymous_callers_are_refused(site: Settings, caller: str, why: str) -> None:
    plan = dataclasses.replace(FULL_PLAN, blocked=(CALLER_NUMBER,), anonymous="refuse")
    assert rehearsed_steps(site, plan, 12, caller=caller) == [("refused", why)]


def test_a_rehearsal_rings_no_phone_and_contacts_no_carrier(site: Settings) -> None:
    steps = rehearsed_steps(site, FULL_PLAN, 12, "12")
    assert ("employee", "+998712000001") in steps
    isolated_plan = rehearsal._rehearsal_plan(
        dataclasses.replace(FULL_PLAN, trunks=routing.current_plan(site).trunks)
    )
    assert (isolated_plan.trunks, isolated_plan.routes) == ((), ())
