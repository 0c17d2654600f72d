"""The plan: invalid values, plans as typed into the form, versions and their differences."""

import dataclasses

import pytest

from appliance.core.settings import Settings
from appliance.telephony import routing
from appliance.telephony.routing import HotlineNumber, Plan, Queueing, Route, Topic, Trunk

CARRIER = Trunk("carrier", address="10.0.0.1")
FULL_PLAN = Plan(
    trunks=(CARRIER, Trunk("e1", kind="e1", spans="1-15,17-31")),
    routes=(Route("+99871", ("carrier", "e1")), Route("", ("e1",))),
    numbers=(HotlineNumber("+998712000000", ("uz",)), HotlineNumber("")),
    topics=(Topic("1", "Ish", "Работа", "jobs", "own_queue"), Topic("2", "Boshqa", "Другое")),
    blocked=("+998901112233",),
)


@pytest.mark.parametrize(
    ("part", "value", "fault"),
    [
        ("trunks", (Trunk("Bad name", address="10.0.0.1"),), ("trunks.0.name", "name")),
        ("trunks", (Trunk("", address="10.0.0.1"),), ("trunks.0.name", "required")),
        ("trunks", (Trunk("udp", address="10.0.0.1"),), ("trunks.0.name", "name")),
        ("trunks", (CARRIER, CARRIER), ("trunks.0.name", "taken")),
        ("trunks", (CARRIER, Trunk("b", address="10.0.0.1")), ("trunks.1.address", "taken")),
        ("trunks", (Trunk("a", address="x y"),), ("trunks.0.address", "host")),
        ("trunks", (Trunk("a", address="a", port=0),), ("trunks.0.port", "range")),
        ("trunks", (Trunk("a", address="a", password="x;y"),), ("trunks.0.password", "characters")),
        ("trunks", (Trunk("a", address="a", register=True),), ("trunks.0.user", "required")),
        ("trunks", (Trunk("a", kind="e1"),), ("trunks.0.spans", "required")),
        ("trunks", (Trunk("a", kind="isdn", address="a"),), ("trunks.0.kind", "unknown")),
        ("routes", (Route("71x", ("carrier",)),), ("routes.0.prefix", "digits")),
        ("routes", (Route("", ()),), ("routes.0.trunks", "required")),
        ("routes", (Route("", ("lost",)),), ("routes.0.trunks", "unknown")),
        ("numbers", (HotlineNumber("12a"),), ("numbers.0.number", "number")),
        ("numbers", (HotlineNumber("", ()),), ("numbers.0.languages", "required")),
        ("topics", (Topic("21", "a", "b"),), ("topics.0.keys", "unknown")),
        ("topics", (Topic("1", "", "b"),), ("topics.0.uz", "required")),
        ("topics", (Topic("1", "a", "b", action="employee"),), ("topics.0.target", "required")),
        ("topics", (Topic("1", "a", "b", action="own_queue"),), ("topics.0.code", "required")),
        ("queueing", Queueing(ring=0), ("queueing.ring", "range")),
        ("blocked", ("abc",), ("blocked", "number")),
        ("shown", "1006\n[evil]", ("shown", "number")),
    ],
)
def test_each_fault_is_reported_with_its_field(
    settings: Settings, part: str, value: object, fault: tuple[str, str]
) -> None:
    assert routing.find_faults(FULL_PLAN) == {}
    field, code = fault
    assert routing.find_faults(dataclasses.replace(FULL_PLAN, **{part: value}))[field] == code


@pytest.mark.parametrize("section", routing.SECTIONS)
def test_a_displayed_plan_is_read_back_unchanged(section: str) -> None:
    assert (
        routing.parse_section(FULL_PLAN, section, routing.section_fields(FULL_PLAN, section))
        == FULL_PLAN
    )


@pytest.mark.usefixtures("settings")
def test_blank_rows_are_dropped_and_numbers_are_normalised() -> None:
    typed = routing.section_fields(FULL_PLAN, "trunks")
    typed = {name: text for name, text in typed.items() if not name.startswith("trunks.0.")}
    assert [t.name for t in routing.parse_section(FULL_PLAN, "trunks", typed).trunks] == ["e1"]
    typed = {"blocked": "90 111 22 33\n8 90 1112244, 102".replace(" ", ""), "anonymous": "refuse"}
    read = routing.parse_section(FULL_PLAN, "blocked", typed)
    assert read.blocked == ("+998901112233", "+998901112244", "102")
    with pytest.raises(routing.PlanFaults) as faults:
        routing.parse_section(
            FULL_PLAN,
            "limits",
            routing.section_fields(FULL_PLAN, "limits") | {"limits.calls": "many"},
        )
    assert faults.value.by_field == {"limits.calls": "digits"}


def test_a_password_is_never_shown_and_stays_if_the_field_is_empty() -> None:
    secret = dataclasses.replace(CARRIER, user="u", password="hidden")
    plan = Plan(trunks=(secret,))
    typed = routing.section_fields(plan, "trunks")
    assert "hidden" not in typed.values()
    assert routing.parse_section(plan, "trunks", typed | {"trunks.0.port": "5070"}).trunks[0] == (
        dataclasses.replace(secret, port=5070)
    )
    differences = routing.plan_differences(plan, dataclasses.replace(plan, trunks=(CARRIER,)))
    assert "hidden" not in str(differences)


def test_a_plan_is_cached_until_another_is_saved(settings: Settings) -> None:
    routing.save_plan(FULL_PLAN, "rustam")
    assert routing.current_plan(settings) is routing.current_plan(settings)
    changed = dataclasses.replace(FULL_PLAN, queueing=Queueing(ring=20))
    routing.save_plan(changed, "rustam")
    assert routing.current_plan(settings) == changed


def test_versions_are_stored_and_compared(settings: Settings) -> None:
    first = routing.current_plan(settings)
    assert first.trunks[0].name == "carrier"
    assert routing.newest_version() is None
    routing.save_plan(FULL_PLAN, "rustam", "more trunks")
    changed = dataclasses.replace(FULL_PLAN, queueing=Queueing(ring=20))
    routing.save_plan(changed, "dilnoza")
    assert routing.current_plan(settings) == changed
    assert [(v.author, v.note) for v in routing.list_versions()] == [
        ("dilnoza", ""),
        ("rustam", "more trunks"),
    ]
    (difference,) = routing.plan_differences(FULL_PLAN, changed)
    assert (difference.part, difference.field, difference.before, difference.after) == (
        "queueing",
        "ring",
        "15",
        "20",
    )
    with pytest.raises(routing.PlanFaults):
        routing.save_plan(dataclasses.replace(FULL_PLAN, anonymous="?"), "rustam")
    assert routing.current_plan(settings) == changed
