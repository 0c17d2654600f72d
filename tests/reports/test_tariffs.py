"""Tariffs: which one applies, and what a talk costs."""

import datetime as dt
from types import SimpleNamespace

import pytest
from peewee import fn

from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.models import Call, Tariff
from appliance.reports import tariffs

FIRST_DAY = dt.date(2026, 10, 1)


@pytest.mark.parametrize(
    ("rounding", "price", "talk", "seconds", "tiyin"),
    [
        ("second", 15_000, 60.0, 60, 15_000),
        ("second", 15_000, 60.001, 61, 15_250),
        (
            "second",
            15_000,
            60.0000001,
            60,
            15_000,
        ),  # a rounding error of a sum is not another second
        ("second", 100, 0.3, 1, 2),  # 1.67
        ("second", 90, 1.0, 1, 2),  # 1.5: half up
        ("minute", 12_050, 60.0, 60, 12_050),
        ("minute", 12_050, 60.001, 120, 24_100),
        ("call", 30_000, 900.5, 901, 30_000),
        ("minute", 12_050, 0.0, 0, 0),
    ],
)
def test_seconds_and_amounts_are_rounded_by_the_tariff(
    rounding, price, talk, seconds, tiyin
) -> None:
    tariff = SimpleNamespace(rounding=rounding, price=price)
    assert tariffs.billed_seconds(talk, rounding) == seconds
    assert tariffs.talk_cost(tariff, talk) == tiyin  # type: ignore[arg-type]


def test_the_database_bills_the_same_amounts(world) -> None:
    talks = [0.0, 0.3, 0.9994, 0.9995, 1.0, 1.0005, 1.5, 59.9995, 60.0, 60.0005, 60.001, 333.333]
    for second, talk in enumerate(talks):
        world.add_call(f"7 09:00:{second:02}", talk_seconds=talk)
    for rounding in tariffs.ROUNDINGS:
        tariff = Tariff(rounding=rounding, price=90)
        billed = fn.SUM(tariffs.billed_seconds_sql(Call.talk_seconds, rounding))
        seconds, tiyin = Call.select(
            billed, tariffs.total_cost_sql(tariff, Call.talk_seconds)
        ).tuples()[0]
        assert seconds == sum(tariffs.billed_seconds(talk, rounding) for talk in talks)
        assert tiyin == sum(tariffs.talk_cost(tariff, talk) for talk in talks)
    assert tariffs.billed_seconds(60.0005, "second") == 60  # half a millisecond does not count


def test_the_most_specific_valid_tariff_applies(settings: Settings) -> None:
    for price_of_call, scope in enumerate(
        ({}, {"number": "1282"}, {"trunk": "e1"}, {"trunk": "e1", "number": "1282"})
    ):
        tariffs.add_tariff("inbound", "second", price_of_call, FIRST_DAY, by="x", **scope)
    all_tariffs = tariffs.all_tariffs()

    def price_of_call(day: dt.date, trunk: str, number: str) -> int | None:
        tariff = tariffs.matching_tariff(all_tariffs, day, "inbound", trunk, number)
        return tariff.price if tariff else None

    assert price_of_call(FIRST_DAY, "sip", "1") == 0
    assert price_of_call(FIRST_DAY, "sip", "1282") == 1
    assert price_of_call(FIRST_DAY, "e1", "1") == 2
    assert price_of_call(FIRST_DAY, "e1", "1282") == 3
    assert price_of_call(FIRST_DAY - dt.timedelta(days=1), "e1", "1282") is None
    assert tariffs.matching_tariff(all_tariffs, FIRST_DAY, "outbound", "e1", "") is None


def test_a_new_price_closes_the_former_one(settings: Settings) -> None:
    tariffs.add_tariff("inbound", "second", 100, FIRST_DAY, by="x")
    tariffs.add_tariff("inbound", "second", 200, FIRST_DAY + dt.timedelta(days=31), by="x")
    former = Tariff.get(Tariff.price == 100)
    assert former.valid_to == FIRST_DAY + dt.timedelta(days=30)
    with pytest.raises(Refused, match="another tariff"):
        tariffs.add_tariff("inbound", "minute", 1, FIRST_DAY, valid_to=FIRST_DAY, by="x")
    with pytest.raises(Refused):
        tariffs.add_tariff("inbound", "hour", 1, FIRST_DAY, by="x")
    with pytest.raises(Refused):
        tariffs.close_tariff(former, FIRST_DAY - dt.timedelta(days=1), "x")
