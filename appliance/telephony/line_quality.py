"""The sound quality of operators' calls where the phone is in the browser page."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from peewee import fn

from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.models import LineQuality

MAX_LOSS_PERCENT, MAX_JITTER_MS, MAX_DELAY_MS = 3.0, 40.0, 300.0  # above any of these, it is bad
MIN_TALK_SECONDS = 30  # a line with less measured talk is not judged
_MAX_TALK_SECONDS = 24 * 3600  # of one talk
_MAX_PLAUSIBLE_MS = 60_000.0
_CALL_ID_PATTERN = re.compile(r"[\w.-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class TalkQuality:
    """One talk: seconds measured, loss in percent, jitter and, if known, delay in ms."""

    call: str
    seconds: int
    loss: float
    jitter: float
    delay: float | None

    @classmethod
    def from_browser(cls, values: Mapping[str, object]) -> "TalkQuality":
        """The figures that a browser sent. Raises ValueError for invalid ones."""
        call = values.get("call")
        if not isinstance(call, str) or not _CALL_ID_PATTERN.fullmatch(call):
            raise ValueError("no call")
        delay = values.get("delay")
        return cls(
            call,
            int(_bounded_number(values.get("seconds"), _MAX_TALK_SECONDS)),
            _bounded_number(values.get("loss"), 100.0),
            _bounded_number(values.get("jitter"), _MAX_PLAUSIBLE_MS),
            None if delay is None else _bounded_number(delay, _MAX_PLAUSIBLE_MS),
        )


@dataclass(frozen=True)
class LineSummary:
    """An operator's line in a period; loss, jitter and delay are means weighted by `seconds`."""

    operator: str  # login
    talks: int
    seconds: int
    loss: float
    jitter: float
    delay: float | None

    @property
    def is_bad(self) -> bool:
        """Returns True if caller and operator notice the bad quality."""
        return (
            self.loss > MAX_LOSS_PERCENT
            or self.jitter > MAX_JITTER_MS
            or (self.delay or 0.0) > MAX_DELAY_MS
        )


def record_talk(operator: str, quality: TalkQuality) -> None:
    """Store the figures of a talk that is over."""
    with write_transaction():
        LineQuality.create(
            call_id=quality.call,
            operator=operator,
            at=clock.now(),
            seconds=quality.seconds,
            loss=quality.loss,
            jitter=quality.jitter,
            delay=quality.delay,
        )


def line_summaries(begin: dt.datetime, end: dt.datetime) -> dict[str, LineSummary]:
    """Return the summary of each operator's line in [begin, end), by login.

    Operators with less than MIN_TALK_SECONDS of measured talk are left out.
    """
    table = LineQuality
    rows = (
        table.select(
            table.operator,
            fn.COUNT(table.id),
            fn.SUM(table.seconds),
            fn.SUM(table.loss * table.seconds).coerce(False),
            fn.SUM(table.jitter * table.seconds).coerce(False),
            fn.SUM(table.delay * table.seconds).coerce(False),
            fn.SUM(table.seconds).filter(table.delay.is_null(False)),
        )
        .where(table.at >= begin, table.at < end)
        .group_by(table.operator)
        .having(fn.SUM(table.seconds) >= MIN_TALK_SECONDS)
        .tuples()
    )
    return {
        operator: LineSummary(
            operator,
            talks,
            seconds,
            loss / seconds,
            jitter / seconds,
            delay / delay_seconds if delay_seconds else None,
        )
        for operator, talks, seconds, loss, jitter, delay, delay_seconds in rows
    }


def lines_worst_first(begin: dt.datetime, end: dt.datetime) -> list[LineSummary]:
    """The lines of the period, bad ones first."""
    summaries = line_summaries(begin, end).values()
    return sorted(summaries, key=lambda line: (not line.is_bad, -line.loss, -line.jitter))


def _bounded_number(value: object, maximum: float) -> float:
    """Return `value` as a float. Raises ValueError if it is not a number from 0 to `maximum`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a figure")
    if not math.isfinite(value) or not 0 <= value <= maximum:
        raise ValueError("out of bounds")
    return float(value)
