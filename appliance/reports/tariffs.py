"""Tariffs: which tariff applies to a call, and what the call costs.

Money is in whole tiyin. A talk's duration is first rounded to the millisecond, so that the
inaccuracy of a float does not start another charged minute.
"""

import datetime as dt
import math
from collections.abc import Sequence

from peewee import SQL, Node, fn

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.statements import find_row
from appliance.models import Tariff

ROUNDINGS = ("second", "minute", "call")  # talk rounded up to seconds or minutes; or per call
DIRECTIONS = ("inbound", "outbound")


def add_tariff(
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
    """Add a tariff with a price in tiyin, per minute or per call.

    `direction` is one of DIRECTIONS, `rounding` one of ROUNDINGS, `number` the number that an
    incoming caller dialled; an empty `trunk` or `number` means any. Without `valid_to` there is no
    last day. `by` is the login of the user who adds the tariff. An earlier tariff for the same
    calls without a last day is ended the day before `valid_from`.

    Raises Refused with the code "direction", "rounding" or "price" if that value is invalid, "days"
    if the last day is before the first, "overlap" if another tariff for the same calls applies on
    these days.
    """
    for code, is_wrong in (
        ("direction", direction not in DIRECTIONS),
        ("rounding", rounding not in ROUNDINGS),
        ("price", price < 0),
        ("days", valid_to is not None and valid_to < valid_from),
    ):
        if is_wrong:
            raise Refused(code, f"no such {code}")
    same_calls = (Tariff.direction == direction, Tariff.trunk == trunk, Tariff.number == number)
    with write_transaction():
        for other_tariff in Tariff.select().where(*same_calls):
            if other_tariff.valid_to is None and other_tariff.valid_from < valid_from:
                _end_tariff(other_tariff, valid_from - dt.timedelta(days=1), by)
            elif other_tariff.valid_from <= (valid_to or dt.date.max) and valid_from <= (
                other_tariff.valid_to or dt.date.max
            ):
                raise Refused("overlap", "another tariff holds for these calls on these days")
        tariff: Tariff = Tariff.create(
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
        audit.record_entry(by, "tariff.add", str(tariff.id), price=price, rounding=rounding)
    return tariff


def close_tariff(tariff: Tariff, last: dt.date, by: str) -> None:
    """Set a tariff's last day; `by` is the login of the user who sets it.

    Raises Refused with the code "days" if the tariff begins after that day.
    """
    if last < tariff.valid_from:
        raise Refused("days", "it would end before it begins")
    with write_transaction():
        _end_tariff(tariff, last, by)


def find_tariff(number: int) -> Tariff | None:
    """Return the tariff with this id, if it exists."""
    return find_row(Tariff, id=number)


def all_tariffs() -> list[Tariff]:
    """Return all tariffs, the newest first."""
    return list(Tariff.select().order_by(Tariff.valid_from.desc(), Tariff.id.desc()))


def matching_tariff(
    tariffs: Sequence[Tariff], day: dt.date, direction: str, trunk: str, number: str
) -> Tariff | None:
    """Return the tariff, if any, that applies to a call on a day.

    `tariffs` are those to choose from. `trunk` is "" if it is unknown; `number` is the number that
    an incoming caller dialled, "" for an outgoing call. A tariff for the call's trunk takes
    precedence over one for any trunk; then a tariff for the call's number takes precedence over one
    for any number; then the one that began last.
    """
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
    """Return the seconds billed for a talk, rounded up to whole minutes or else whole seconds.

    `rounding` is one of ROUNDINGS; "call" counts like "second". Up to half a millisecond above a
    whole unit is rounded down, because a float is not exact.
    """
    unit = _rounding_unit_seconds(rounding)
    return math.ceil((talk_seconds * 1000 - 0.5) / (unit * 1000)) * unit


def billed_seconds_sql(talk_seconds: Node, rounding: str) -> Node:
    """Return the SQL for billed_seconds() of a column of talk durations."""
    unit = _rounding_unit_seconds(rounding)
    begun_units = fn.CEIL((talk_seconds * SQL("1000") - SQL("0.5")) / SQL(str(unit * 1000)))
    return begun_units.cast("INTEGER") * SQL(str(unit))


def _rounding_unit_seconds(rounding: str) -> int:
    """Return the seconds to whose multiples a talk is rounded up; `rounding` is of ROUNDINGS."""
    return 60 if rounding == "minute" else 1


def talk_cost(tariff: Tariff, talk_seconds: float) -> int:
    """Return the cost of a talk in whole tiyin; halves are rounded up.

    The tariff's price is per minute, or per call if its rounding is "call".
    """
    price: int = tariff.price
    if tariff.rounding == "call":
        return price
    return (2 * billed_seconds(talk_seconds, tariff.rounding) * price + 60) // 120


def total_cost_sql(tariff: Tariff, talk_seconds: Node) -> Node:
    """Return the SQL for the sum of talk_cost() over the rows, from a column of talk durations."""
    if tariff.rounding == "call":
        return fn.COUNT(SQL("*")) * SQL(str(tariff.price))
    doubled_cost = billed_seconds_sql(talk_seconds, tariff.rounding) * SQL(str(2 * tariff.price))
    return fn.SUM((doubled_cost + SQL("60")) / SQL("120"))


def _end_tariff(tariff: Tariff, last: dt.date, by: str) -> None:
    """Store a tariff's last day, and record that in the audit."""
    Tariff.update(valid_to=last).where(Tariff.id == tariff.id).execute()
    audit.record_entry(by, "tariff.close", str(tariff.id), last=last.isoformat())
