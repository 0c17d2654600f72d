"""The words of the index as a process knows them: which begin so, which are near another one.

A word that differs by few errors has some piece unharmed at nearly its place. So the words are
kept by their pieces, and only those that share one with what was typed are compared with it.
"""

import bisect
import threading
from itertools import pairwise

from rapidfuzz import process
from rapidfuzz.distance import OSA

from appliance.core.db import database
from appliance.core.search import keys, ranking
from appliance.core.search.keys import Word

# as SQL, for this is asked at each letter typed
_SINCE = "SELECT id, kind, word FROM search_word WHERE id > ? ORDER BY id"
READINGS = 40  # words as which one is read
_PIECES = ((5, 2), (7, 3))  # words of fewer letters than this are cut in so many pieces
_MOST_PIECES = 4


class _List:
    """Words of one kind, either as they are written or as they sound."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._sorted: list[str] = []
        self._unsorted: list[str] = []
        self._pieces: dict[tuple[int, int, str], list[str]] = {}
        self._begins: dict[tuple[int, str], dict[str, None]] = {}

    def add(self, word: str) -> None:
        if word in self._known:
            return
        self._known.add(word)
        self._unsorted.append(word)
        size = len(word)
        for number, (begin, end) in enumerate(_cuts(size)):
            self._pieces.setdefault((size, number, word[begin:end]), []).append(word)
        for (length, letter), begins in self._begins.items():
            if word[0] == letter and size > length + 1:
                begins[word[:length]] = None

    def begun(self, begin: str, most: int) -> list[str] | None:
        """The words that begin so; None when they are more than `most`."""
        if self._unsorted:
            self._sorted = sorted([*self._sorted, *self._unsorted])
            self._unsorted = []
        first = bisect.bisect_left(self._sorted, begin)
        last = bisect.bisect_left(self._sorted, begin + "\x7f")
        return self._sorted[first:last] if last - first <= most else None

    def near(self, word: str, most: int) -> list[tuple[int, str]]:
        """(errors, word) of the words that differ by so many errors at most, the nearest first."""
        if not most:
            return []
        alike = list(self._alike(word, most))
        found = process.extract(word, alike, scorer=OSA.distance, score_cutoff=most, limit=None)
        return sorted((errors, one) for one, errors, _place in found)[:READINGS]

    def nearly_begun(self, begin: str, most: int) -> list[str]:
        """The words longer than a beginning that begin nearly so, with its first letter."""
        size = len(begin)
        there = size, begin[0]
        if there not in self._begins:
            words = self.begun(begin[0], len(self._known)) or ()
            self._begins[there] = {word[:size]: None for word in words if len(word) > size + 1}
        begins = self._begins[there]
        near = process.extract(
            begin, begins.keys(), scorer=OSA.distance, score_cutoff=most, limit=READINGS
        )
        found: list[str] = []
        for one, _errors, _place in near:
            words = self.begun(one, len(self._known)) or ()
            found += [word for word in words if len(word) > size + 1]
            if len(found) >= READINGS:
                break
        return found[:READINGS]

    def _alike(self, word: str, most: int) -> set[str]:
        """Words of nearly its size that have a piece of it at nearly the same place."""
        found: set[str] = set()
        for longer in range(max(-most, 1 - len(word)), most + 1):
            before, after = (most + longer) // 2, (most - longer) // 2  # letters in excess, lacking
            for number, (begin, end) in enumerate(_cuts(len(word) + longer)):
                for start in range(max(0, begin - before), begin + after + 1):
                    there = len(word) + longer, number, word[start : start + end - begin]
                    if some := self._pieces.get(there):
                        found.update(some)
        return found


def _cuts(size: int) -> list[tuple[int, int]]:
    """From where to where the pieces of a word of so many letters go."""
    return _CUTS[size] if size < len(_CUTS) else _cut(size)


def _cut(size: int) -> list[tuple[int, int]]:
    pieces = next((pieces for below, pieces in _PIECES if size < below), _MOST_PIECES)
    return list(pairwise(size * n // pieces for n in range(pieces + 1)))


_CUTS = [_cut(size) for size in range(40)]


class Words:
    """The words of all kinds that this process has read so far."""

    def __init__(self) -> None:
        self._file = ""
        self._last = 0
        self._written: dict[str, _List] = {}
        self._heard: dict[str, _List] = {}
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Read those that came since; a number is never given to two."""
        with self._lock:
            if self._file != str(database.database):
                self._file, self._last = str(database.database), 0
                self._written, self._heard = {}, {}
            new = database.execute_sql(_SINCE, (self._last,))
            for id, kind, word in new:
                self._written.setdefault(kind, _List()).add(word)
                self._heard.setdefault(kind, _List()).add(keys.sound(word))
                self._last = max(self._last, id)

    def near(self, kind: str, word: Word) -> list[tuple[int, str]]:
        """(errors, sound) of words of a kind as which one may be read, the nearest first."""
        written, heard = self._written.get(kind), self._heard.get(kind)
        if not written or not heard:
            return []
        with self._lock:
            found = heard.near(word.sound, word.errors)
            for errors, one in written.near(word.written, min(word.errors, 2)):
                found.append((errors, keys.sound(one)))
        found.sort(key=lambda pair: (pair[0], pair[1][:1] != word.sound[:1]))
        least: dict[str, int] = {}
        for errors, one in found:
            least.setdefault(one, errors)
        return [(errors, one) for one, errors in least.items()][:READINGS]

    def begun(self, kind: str, sound: str, most: int) -> list[str] | None:
        """The sounds of a kind that begin so; None when they are more than `most`."""
        heard = self._heard.get(kind)
        if not heard:
            return []
        with self._lock:
            return heard.begun(sound, most)

    def nearly_begun(self, kind: str, sound: str) -> list[str]:
        """The sounds of a kind that begin nearly so."""
        heard = self._heard.get(kind)
        if not heard or len(sound) < ranking.UNFINISHED:
            return []
        with self._lock:
            return heard.nearly_begun(sound, 1 if len(sound) < 7 else 2)
