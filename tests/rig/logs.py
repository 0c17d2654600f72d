"""An event log of many calls, as Asterisk would have written it on a busy day."""

import heapq
import random
from collections.abc import Iterator
from pathlib import Path

from tests.pbx import stories, story
from tests.pbx.story import BEGIN

_APART = 4.0  # seconds between two callers: some 17 speak or wait at once
_CALL, _CALLER, _PHONES = "hotline-1.0", "998935550147", ("1001", "1002")
_KINDS: tuple[tuple[int, str], ...] = (  # how often of a hundred, and what becomes of them
    (55, stories.RATED),
    (20, stories.LEFT_BY_CALLER),
    (12, stories.GONE_IN_QUEUE),
    (10, stories.DEAD_PHONE),
    (3, stories.GONE_IN_MENU),
)
_OPERATORS = 30


def write(file: Path, calls: int, seed: int = 1) -> int:
    """Write a log of so many calls; returns how many records that are.

    A caller comes every four seconds, each fifth of them has called before, and their records
    stand among each other by time.
    """
    written = 0
    with file.open("wb") as stream:
        for _moment, _call, _place, line in _in_order(_calls(calls, random.Random(seed))):  # noqa: S311
            stream.write(line)
            written += 1
    return written


type _Line = tuple[float, int, int, bytes]  # second, call, place in its call, record


def _calls(calls: int, chance: random.Random) -> Iterator[tuple[float, list[_Line]]]:
    """(when it begins, its records) of one call after the other."""
    weights, tables = [often for often, _ in _KINDS], [table for _, table in _KINDS]
    told = {
        table: [(_second(line), line) for line in story.records(table, _CALL)] for table in tables
    }
    begin = BEGIN.timestamp()
    for number in range(calls):
        since = begin + number * _APART
        table = chance.choices(tables, weights)[0]
        named = f"hotline-{since:.0f}.{number}".encode()
        caller = f"99890{chance.randrange(calls * 4):07}".encode()
        first = number % (_OPERATORS - 1) + 1
        lines = []
        for place, (second, line) in enumerate(told[table]):
            at = since + second - begin
            text = line.replace(f"{second:.6f}".encode(), f"{at:.6f}".encode(), 1)
            text = text.replace(_CALL.encode(), named).replace(_CALLER.encode(), caller)
            for further, phone in enumerate(_PHONES):
                own = f"{1000 + first + further}".encode()
                text = text.replace(b"/" + phone.encode(), b"/" + own)
                text = text.replace(f'"op{phone[2:]}"'.encode(), b'"op' + own[2:] + b'"')
            lines.append((at, number, place, text))
        yield since, lines


def _second(line: bytes) -> float:
    return float(line[1 : line.index(b'"', 1)])


def _in_order(calls: Iterator[tuple[float, list[_Line]]]) -> Iterator[_Line]:
    """Records of all calls by their time, no more at hand than belong to calls that last."""
    waiting: list[_Line] = []
    for since, lines in calls:
        while waiting and waiting[0][0] < since:
            yield heapq.heappop(waiting)
        for line in lines:
            heapq.heappush(waiting, line)
    while waiting:
        yield heapq.heappop(waiting)
