"""The plan: what it may not say, as it is typed, its versions and their differences."""

import dataclasses

import pytest

from appliance.core.settings import Settings
from appliance.telephony import routing
from appliance.telephony.routing import Number, Plan, Queueing, Route, Topic, Trunk

CARRIER = Trunk("carrier", address="10.0.0.1")
WHOLE = Plan(
    trunks=(CARRIER, Trunk("e1", kind="e1", spans="1-15,17-31")),
    routes=(Route("+99871", ("carrier", "e1")), Route("", ("e1",))),
    numbers=(Number("+998712000000", ("uz",)), Number("")),
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
        ("numbers", (Number("12a"),), ("numbers.0.number", "number")),
        ("numbers", (Number("", ()),), ("numbers.0.languages", "required")),
        ("topics", (Topic("21", "a", "b"),), ("topics.0.keys", "unknown")),
        ("topics", (Topic("1", "", "b"),), ("topics.0.uz", "required")),
        ("topics", (Topic("1", "a", "b", action="employee"),), ("topics.0.target", "required")),
        ("topics", (Topic("1", "a", "b", action="own_queue"),), ("topics.0.code", "required")),
        ("queueing", Queueing(ring=0), ("queueing.ring", "range")),
        ("blocked", ("abc",), ("blocked", "number")),
        ("shown", "1006\n[evil]", ("shown", "number")),
    ],
)
def test_each_fault_is_told_with_its_field(
    settings: Settings, part: str, value: object, fault: tuple[str, str]
) -> None:
    assert routing.check(WHOLE) == {}
    field, code = fault
    assert routing.check(dataclasses.replace(WHOLE, **{part: value}))[field] == code


@pytest.mark.parametrize("section", routing.SECTIONS)
def test_what_is_shown_reads_as_the_same_plan(section: str) -> None:
    assert routing.read(WHOLE, section, routing.shown(WHOLE, section)) == WHOLE


@pytest.mark.usefixtures("settings")
def test_blank_rows_are_left_out_and_numbers_are_written_one_way() -> None:
    typed = routing.shown(WHOLE, "trunks")
    typed = {name: text for name, text in typed.items() if not name.startswith("trunks.0.")}
    assert [t.name for t in routing.read(WHOLE, "trunks", typed).trunks] == ["e1"]
    typed = {"blocked": "90 111 22 33\n8 90 1112244, 102".replace(" ", ""), "anonymous": "refuse"}
    read = routing.read(WHOLE, "blocked", typed)
    assert read.blocked == ("+998901112233", "+998901112244", "102")
    with pytest.raises(routing.Faults) as faults:
        routing.read(WHOLE, "limits", routing.shown(WHOLE, "limits") | {"limits.calls": "many"})
    assert faults.value.by_field == {"limits.calls": "digits"}


def test_a_password_is_never_shown_and_stays_when_left_empty() -> None:
    secret = dataclasses.replace(CARRIER, user="u", password="hidden")
    kept = Plan(trunks=(secret,))
    typed = routing.shown(kept, "trunks")
    assert "hidden" not in typed.values()
    assert routing.read(kept, "trunks", typed | {"trunks.0.port": "5070"}).trunks[0] == (
        dataclasses.replace(secret, port=5070)
    )
    told = routing.differences(kept, dataclasses.replace(kept, trunks=(CARRIER,)))
    assert "hidden" not in str(told)


def test_a_plan_is_read_once_and_another_one_at_once(settings: Settings) -> None:
    routing.save(WHOLE, "rustam")
    assert routing.current(settings) is routing.current(settings)
    changed = dataclasses.replace(WHOLE, queueing=Queueing(ring=20))
    routing.save(changed, "rustam")
    assert routing.current(settings) == changed


def test_versions_are_kept_and_told_apart(settings: Settings) -> None:
    first = routing.current(settings)
    assert first.trunks[0].name == "carrier"
    assert routing.newest() is None
    routing.save(WHOLE, "rustam", "more trunks")
    changed = dataclasses.replace(WHOLE, queueing=Queueing(ring=20))
    routing.save(changed, "dilnoza")
    assert routing.current(settings) == changed
    assert [(v.author, v.note) for v in routing.versions()] == [
        ("dilnoza", ""),
        ("rustam", "more trunks"),
    ]
    (told,) = routing.differences(WHOLE, changed)
    assert (told.part, told.field, told.before, told.after) == ("queueing", "ring", "15", "20")
    with pytest.raises(routing.Faults):
        routing.save(dataclasses.replace(WHOLE, anonymous="?"), "rustam")
    assert routing.current(settings) == changed
