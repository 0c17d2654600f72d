"""Where in a text what was typed stands: for a page to mark it."""

import functools
import re
from dataclasses import dataclass

from appliance.core.i18n import fold
from appliance.core.search import keys
from appliance.core.search.ranking import NOWHERE, Query

LENGTH = 160  # letters of a snippet
_WORD = re.compile(r"\w+(?:['\u2018\u2019\u02bb\u02bc\u0060\u00b4]\w+|[\u02bb\u02bc'`])*")
_MISSPELT = 1.0  # the cost from which a word is only read so when nothing else is there


@dataclass(frozen=True)
class Piece:
    """A piece of a text; `marked` when it is what was looked for."""

    text: str
    marked: bool = False


def snippet(text: str, asked: Query, length: int = LENGTH) -> list[Piece]:
    """A part of a text about the first place with most of what was typed; its beginning if none."""
    text = " ".join(text.split())
    spans = _spans(text, asked)
    begin = 0
    if spans:
        starts = [start for start, _end, _number in spans]
        begin = max(starts, key=lambda at: (_within(spans, at, length), -at))
        begin = 0 if begin < length // 2 else text.rfind(" ", 0, begin - length // 4) + 1
    end = min(len(text), begin + length)
    if end < len(text) and (blank := text.rfind(" ", begin, end)) > begin:
        end = blank
    pieces = [Piece("… ")] if begin else []
    for start, stop, _number in spans:
        if start >= begin and stop <= end:
            pieces += [Piece(text[begin:start]), Piece(text[start:stop], True)]
            begin = stop
    pieces += [Piece(text[begin:end]), Piece(" …" if end < len(text) else "")]
    return [piece for piece in pieces if piece.text]


def marked(name: str, asked: Query) -> tuple[int, int]:
    """From which letter to which a name is what was typed first; (0, 0) for nowhere."""
    spans = _spans(name, asked)
    return spans[0][:2] if spans else (0, 0)


def _spans(text: str, asked: Query) -> list[tuple[int, int, int]]:
    """(from, to, which word of the query) of the words in a text that were meant."""
    sure: list[tuple[int, int, int]] = []
    doubtful: list[tuple[int, int, int]] = []
    for found in _WORD.finditer(text):
        for one in _keys(found[0]):
            costs = [asked.word_cost(number, one) for number in range(len(asked.words))]
            least = min(costs, default=NOWHERE)
            if least < NOWHERE:
                span = (*found.span(), costs.index(least))
                (sure if least < _MISSPELT else doubtful).append(span)
                break
    return sure or doubtful


def _within(spans: list[tuple[int, int, int]], at: int, length: int) -> int:
    return len({number for start, _end, number in spans if at <= start < at + length})


@functools.lru_cache(maxsize=50_000)
def _keys(word: str) -> tuple[keys.Word, ...]:
    return tuple(keys.key(one) for one in fold(word).split())
