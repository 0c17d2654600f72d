"""Tariffs: which one a call falls under, and what it comes to (T11).

Money is whole tiyin. A call's length is taken to the millisecond, so that a sum of fractions does
not begin another minute.
"""

import datetime as dt
import math
from collections.abc import Sequence

from peewee import SQL, Node, fn

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.models import Tariff

ROUNDINGS = ("second", "minute", "call")  # up to the whole second, up to the minute, by the call
DIRECTIONS = ("inbound", "outbound")


class TariffError(ValueError):
    """A tariff cannot be; `code` names why for the page to say it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def add(
    direction: str,
    rounding: str,
    price: int,
    valid_from: dt.date,
    *,
    trunk: str = "",
    number: str = "",
    valid_to: dt.date | None = None,
    by: str,
) -> Tariff:
    """Set a price (tiyin) from a day on; an open one for the same calls is closed the day before.

    Raises TariffError: "direction", "rounding", "price", "days", "overlap".
    """
    for code, wrong in (
        ("direction", direction not in DIRECTIONS),
        ("rounding", rounding not in ROUNDINGS),
        ("price", price < 0),
        ("days", valid_to is not None and valid_to < valid_from),
    ):
        if wrong:
            raise TariffError(code, f"no such {code}")
    same = (Tariff.direction == direction, Tariff.trunk == trunk, Tariff.number == number)
    with writing():
        for other in Tariff.select().where(*same):
            if other.valid_to is None and other.valid_from < valid_from:
                _close(other, valid_from - dt.timedelta(days=1), by)
            elif other.valid_from <= (valid_to or dt.date.max) and valid_from <= (
                other.valid_to or dt.date.max
            ):
                raise TariffError("overlap", "another tariff holds for these calls on these days")
        made = Tariff.create(
            direction=direction,
            trunk=trunk,
            number=number,
            rounding=rounding,
            price=price,
            valid_from=valid_from,
            valid_to=valid_to,
            made_by=by,
            made_at=clock.now(),
        )
        audit.record(by, "tariff.add", str(made.id), price=price, rounding=rounding)
    return made


def close(tariff: Tariff, last: dt.date, by: str) -> None:
    """Let a tariff end with a day. Raises TariffError "days" when it begins later."""
    if last < tariff.valid_from:
        raise TariffError("days", "it would end before it begins")
    with writing():
        _close(tariff, last, by)


def tariff(number: int) -> Tariff | None:
    """The tariff with this id; None when there is none."""
    return Tariff.get_or_none(Tariff.id == number)


def every() -> list[Tariff]:
    """All tariffs, the newest first."""
    return list(Tariff.select().order_by(Tariff.valid_from.desc(), Tariff.id.desc()))


def find(
    tariffs: Sequence[Tariff], day: dt.date, direction: str, trunk: str, number: str
) -> Tariff | None:
    """The one that a call of a day falls under: for its trunk before for any, then its number."""
    valid = [
        tariff
        for tariff in tariffs
        if tariff.direction == direction
        and tariff.valid_from <= day
        and (tariff.valid_to is None or day <= tariff.valid_to)
        and tariff.trunk in ("", trunk)
        and tariff.number in ("", number)
    ]
    return max(valid, key=lambda t: (t.trunk != "", t.number != "", t.valid_from), default=None)


def billed_seconds(talk_seconds: float, rounding: str) -> int:
    """The seconds that a talk is billed as: whole ones, or whole minutes."""
    unit = _unit(rounding)
    return math.ceil((talk_seconds * 1000 - 0.5) / (unit * 1000)) * unit


def billed(talk_seconds: Node, rounding: str) -> Node:
    """The same of a column, counted by the database."""
    unit = _unit(rounding)
    begun = fn.CEIL((talk_seconds * SQL("1000") - SQL("0.5")) / SQL(str(unit * 1000)))
    return begun.cast("INTEGER") * SQL(str(unit))


def _unit(rounding: str) -> int:
    return 60 if rounding == "minute" else 1


def amount(tariff: Tariff, talk_seconds: float) -> int:
    """What a talk costs: whole tiyin, half ones up."""
    if tariff.rounding == "call":
        return tariff.price
    return (2 * billed_seconds(talk_seconds, tariff.rounding) * tariff.price + 60) // 120


def amounts(tariff: Tariff, talk_seconds: Node) -> Node:
    """The same of many talks, added up by the database."""
    if tariff.rounding == "call":
        return fn.COUNT(SQL("*")) * SQL(str(tariff.price))
    twice = billed(talk_seconds, tariff.rounding) * SQL(str(2 * tariff.price))
    return fn.SUM((twice + SQL("60")) / SQL("120"))


def _close(tariff: Tariff, last: dt.date, by: str) -> None:
    Tariff.update(valid_to=last).where(Tariff.id == tariff.id).execute()
    audit.record(by, "tariff.close", str(tariff.id), last=last.isoformat())
