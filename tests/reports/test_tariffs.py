"""Tariffs: which one holds, and what a talk comes to."""

import datetime as dt
from types import SimpleNamespace

import pytest
from peewee import fn

from appliance.core.settings import Settings
from appliance.models import Call, Tariff
from appliance.reports import tariffs
from appliance.reports.tariffs import TariffError

DAY = dt.date(2026, 10, 1)


@pytest.mark.parametrize(
    ("rounding", "price", "talk", "seconds", "tiyin"),
    [
        ("second", 15_000, 60.0, 60, 15_000),
        ("second", 15_000, 60.001, 61, 15_250),
        ("second", 15_000, 60.0000001, 60, 15_000),  # a sum of fractions is no second more
        ("second", 100, 0.3, 1, 2),  # 1.67
        ("second", 90, 1.0, 1, 2),  # 1.5: half up
        ("minute", 12_050, 60.0, 60, 12_050),
        ("minute", 12_050, 60.001, 120, 24_100),
        ("call", 30_000, 900.5, 901, 30_000),
        ("minute", 12_050, 0.0, 0, 0),
    ],
)
def test_rounding(rounding, price, talk, seconds, tiyin) -> None:
    tariff = SimpleNamespace(rounding=rounding, price=price)
    assert tariffs.billed_seconds(talk, rounding) == seconds
    assert tariffs.amount(tariff, talk) == tiyin  # type: ignore[arg-type]


def test_the_database_bills_the_same(world) -> None:
    talks = [0.0, 0.3, 0.9994, 0.9995, 1.0, 1.0005, 1.5, 59.9995, 60.0, 60.0005, 60.001, 333.333]
    for second, talk in enumerate(talks):
        world.call(f"7 09:00:{second:02}", talk_seconds=talk)
    for rounding in tariffs.ROUNDINGS:
        tariff = Tariff(rounding=rounding, price=90)
        billed = fn.SUM(tariffs.billed(Call.talk_seconds, rounding))
        seconds, tiyin = Call.select(billed, tariffs.amounts(tariff, Call.talk_seconds)).tuples()[0]
        assert seconds == sum(tariffs.billed_seconds(talk, rounding) for talk in talks)
        assert tiyin == sum(tariffs.amount(tariff, talk) for talk in talks)
    assert tariffs.billed_seconds(60.0005, "second") == 60  # half a millisecond is none


def test_the_closest_one_that_is_valid_holds(settings: Settings) -> None:
    for price, known in enumerate(
        ({}, {"number": "1282"}, {"trunk": "e1"}, {"trunk": "e1", "number": "1282"})
    ):
        tariffs.add("inbound", "second", price, DAY, by="x", **known)
    every = tariffs.every()

    def price(day: dt.date, trunk: str, number: str) -> int | None:
        found = tariffs.find(every, day, "inbound", trunk, number)
        return found.price if found else None

    assert price(DAY, "sip", "1") == 0
    assert price(DAY, "sip", "1282") == 1
    assert price(DAY, "e1", "1") == 2
    assert price(DAY, "e1", "1282") == 3
    assert price(DAY - dt.timedelta(days=1), "e1", "1282") is None
    assert tariffs.find(every, DAY, "outbound", "e1", "") is None


def test_a_new_price_closes_the_former_one(settings: Settings) -> None:
    tariffs.add("inbound", "second", 100, DAY, by="x")
    tariffs.add("inbound", "second", 200, DAY + dt.timedelta(days=31), by="x")
    former = Tariff.get(Tariff.price == 100)
    assert former.valid_to == DAY + dt.timedelta(days=30)
    with pytest.raises(TariffError, match="another tariff"):
        tariffs.add("inbound", "minute", 1, DAY, valid_to=DAY, by="x")
    with pytest.raises(TariffError):
        tariffs.add("inbound", "hour", 1, DAY, by="x")
    with pytest.raises(TariffError):
        tariffs.close(former, DAY - dt.timedelta(days=1), "x")
