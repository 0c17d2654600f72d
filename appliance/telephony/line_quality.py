"""How well operators hear their callers where the phone is in the page."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from peewee import fn

from appliance.core import clock
from appliance.core.db import writing
from appliance.models import LineQuality

LOSS, JITTER, DELAY = 3.0, 40.0, 300.0  # percent, ms, ms: a line that has more is bad
LEAST = 30  # seconds of talk by which a line is judged
_LONGEST = 24 * 3600  # seconds of one talk
_SLOWEST = 60_000.0  # ms
_CALL = re.compile(r"[\w.-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Heard:
    """One talk: seconds measured, loss in percent, jitter and delay in ms (delay None: unknown)."""

    call: str
    seconds: int
    loss: float
    jitter: float
    delay: float | None

    @classmethod
    def read(cls, sent: Mapping[str, object]) -> "Heard":
        """What a browser sent. Raises ValueError for what cannot be."""
        call = sent.get("call")
        if not isinstance(call, str) or not _CALL.fullmatch(call):
            raise ValueError("no call")
        delay = sent.get("delay")
        return cls(
            call,
            int(_figure(sent.get("seconds"), _LONGEST)),
            _figure(sent.get("loss"), 100.0),
            _figure(sent.get("jitter"), _SLOWEST),
            None if delay is None else _figure(delay, _SLOWEST),
        )


@dataclass(frozen=True)
class Line:
    """An operator's line in a period: talks and seconds measured, means weighted by the seconds."""

    operator: str  # login
    talks: int
    seconds: int
    loss: float
    jitter: float
    delay: float | None

    @property
    def is_bad(self) -> bool:
        """Whether callers and operator hear that."""
        return self.loss > LOSS or self.jitter > JITTER or (self.delay or 0.0) > DELAY


def record(operator: str, heard: Heard) -> None:
    """Keep what was counted of a talk that is over."""
    with writing():
        LineQuality.create(
            call_id=heard.call,
            operator=operator,
            at=clock.now(),
            seconds=heard.seconds,
            loss=heard.loss,
            jitter=heard.jitter,
            delay=heard.delay,
        )


def lines(begin: dt.datetime, end: dt.datetime) -> dict[str, Line]:
    """Login → line, of those who were heard long enough in [begin, end) to be judged."""
    kept = LineQuality
    rows = (
        kept.select(
            kept.operator,
            fn.COUNT(kept.id),
            fn.SUM(kept.seconds),
            fn.SUM(kept.loss * kept.seconds).coerce(False),
            fn.SUM(kept.jitter * kept.seconds).coerce(False),
            fn.SUM(kept.delay * kept.seconds).coerce(False),
            fn.SUM(kept.seconds).filter(kept.delay.is_null(False)),
        )
        .where(kept.at >= begin, kept.at < end)
        .group_by(kept.operator)
        .having(fn.SUM(kept.seconds) >= LEAST)
        .tuples()
    )
    return {
        operator: Line(
            operator,
            talks,
            seconds,
            loss / seconds,
            jitter / seconds,
            delay / known if known else None,
        )
        for operator, talks, seconds, loss, jitter, delay, known in rows
    }


def worst_first(begin: dt.datetime, end: dt.datetime) -> list[Line]:
    """Those lines, those that are bad before the others."""
    found = lines(begin, end).values()
    return sorted(found, key=lambda line: (not line.is_bad, -line.loss, -line.jitter))


def _figure(value: object, most: float) -> float:
    """A figure from 0 to `most`. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a figure")
    if not math.isfinite(value) or not 0 <= value <= most:
        raise ValueError("out of bounds")
    return float(value)
