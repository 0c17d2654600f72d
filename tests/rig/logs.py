"""An event log of many calls, as Asterisk writes it on a busy day."""

import heapq
import random
from collections.abc import Iterator
from pathlib import Path

from tests.pbx import stories, story
from tests.pbx.story import TABLE_START

_SECONDS_BETWEEN_CALLS = 4.0  # between two callers: about 17 speak or wait at once
_STORY_CALL, _STORY_CALLER, _STORY_PHONES = "hotline-1.0", "998935550147", ("1001", "1002")
_WEIGHTED_STORIES: tuple[tuple[int, str], ...] = (  # weight in per cent, and the story of the call
    (55, stories.RATED_CALL),
    (20, stories.LEFT_BY_CALLER),
    (12, stories.ABANDONED_IN_QUEUE),
    (10, stories.DEAD_PHONE),
    (3, stories.ABANDONED_IN_MENU),
)
_OPERATOR_COUNT = 30


def write_log(file: Path, calls: int, seed: int = 1) -> int:
    """Write a log of `calls` calls; returns the number of its records.

    A caller comes every four seconds, every fifth of them has called before, and the records of all
    calls are mixed by time.
    """
    record_count = 0
    with file.open("wb") as stream:
        records = _call_records(calls, random.Random(seed))  # noqa: S311
        for _second, _call, _place, line in _records_in_order(records):
            stream.write(line)
            record_count += 1
    return record_count


# second, number of the call, position in its call, record
type _Line = tuple[float, int, int, bytes]


def _call_records(call_count: int, chance: random.Random) -> Iterator[tuple[float, list[_Line]]]:
    """Yields (the second at which it begins, its records) of one call after the other."""
    weights, tables = (
        [weight for weight, _ in _WEIGHTED_STORIES],
        [table for _, table in _WEIGHTED_STORIES],
    )
    timed_lines = {
        table: [(_record_second(line), line) for line in story.log_records(table, _STORY_CALL)]
        for table in tables
    }
    begin = TABLE_START.timestamp()
    for number in range(call_count):
        begins_at = begin + number * _SECONDS_BETWEEN_CALLS
        table = chance.choices(tables, weights)[0]
        call_id = f"hotline-{begins_at:.0f}.{number}".encode()
        caller = f"99890{chance.randrange(call_count * 4):07}".encode()
        first_operator = number % (_OPERATOR_COUNT - 1) + 1
        lines = []
        for place, (second, line) in enumerate(timed_lines[table]):
            second_in_log = begins_at + second - begin
            text = line.replace(f"{second:.6f}".encode(), f"{second_in_log:.6f}".encode(), 1)
            text = text.replace(_STORY_CALL.encode(), call_id).replace(
                _STORY_CALLER.encode(), caller
            )
            for phone_number, phone in enumerate(_STORY_PHONES):
                extension = f"{1000 + first_operator + phone_number}".encode()
                text = text.replace(b"/" + phone.encode(), b"/" + extension)
                text = text.replace(f'"op{phone[2:]}"'.encode(), b'"op' + extension[2:] + b'"')
            lines.append((second_in_log, number, place, text))
        yield begins_at, lines


def _record_second(line: bytes) -> float:
    return float(line[1 : line.index(b'"', 1)])


def _records_in_order(calls: Iterator[tuple[float, list[_Line]]]) -> Iterator[_Line]:
    """Records of all calls by time; only those of calls still in progress are in memory."""
    waiting: list[_Line] = []
    for begins_at, lines in calls:
        while waiting and waiting[0][0] < begins_at:
            yield heapq.heappop(waiting)
        for line in lines:
            heapq.heappush(waiting, line)
    while waiting:
        yield heapq.heappop(waiting)
