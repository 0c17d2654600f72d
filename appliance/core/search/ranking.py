"""How near a name is to what was typed: the cost of reading the one as the other.

A word costs nothing when it is written the same, a little when it only sounds the same, begins so
or has another ending, and 1 for each letter that is wrong, lacks, is too many or changed places.
Of two spellings of one sound each letter that differs costs a third of that. A thing's cost is the
sum over the words typed; words of its name that were not typed cost next to nothing.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rapidfuzz.distance import OSA

from appliance.core.i18n import fold
from appliance.core.search import keys
from appliance.core.search.keys import Word

NOWHERE = 3.0  # for a word that stands nowhere
SPELLING = 0.35  # for a letter of another spelling of the same sound
_SOUNDS_SO, _BEGINS, _BEGINS_SO, _ENDS_OTHERWISE = 0.15, 0.2, 0.35, 0.4
_LEFT = 0.01  # for each letter, up to ten, that a beginning of more than three leaves out
_UNTYPED = 0.02  # for each word of the name that was not typed
_INSIDE = 0.25  # when the name does not begin with what was typed
_BEGINS_NEARLY = 1.0  # more than for the whole word
_FIRST_WRONG = 0.2  # people seldom mistake the first letter
BESIDE = 0.5  # for a word that stands beside the names only
_NEARLY = 0.5  # by which what is misspelt may differ from the nearest
UNFINISHED = 5  # letters from which an unfinished word may have errors
MOST_WORDS = 10


@dataclass(frozen=True)
class Query:
    """What was typed, as words; the costs of words once met are remembered."""

    words: tuple[Word, ...]
    joined: Word | None  # all words as one, for those who put in a blank
    costs: dict[int, dict[Word, float]] = field(default_factory=dict, compare=False)

    def word_cost(self, number: int, name: Word) -> float:
        """The cost of one word of the query (-1: the joined one) read as a word of a name."""
        return self.least(number, (name,))

    def least(self, number: int, names: Iterable[Word]) -> float:
        """The least of what the words of a name cost; NOWHERE for no words."""
        known = self.costs.setdefault(number, {})
        typed = self.joined if number < 0 else self.words[number]
        least = NOWHERE
        for name in names:
            cost = known.get(name)
            if cost is None:
                cost = known[name] = _cost(typed, name) if typed else NOWHERE
            if cost < least:
                least = cost
        return least


def query(typed: str) -> Query:
    """What was typed, as a query; of a long text only its first words."""
    found = keys.words(typed)[:MOST_WORDS]
    one = keys.words("".join(word.written for word in found)) if len(found) > 1 else []
    return Query(tuple(found), one[0] if one else None)


def cost(asked: Query, names: str, about: str = "", elsewhere: float = NOWHERE) -> float:
    """The cost of reading a query as names, folded and parted by bars.

    `about`: folded words beside the names; `elsewhere`: what a word costs that is in none of them.
    """
    told, joined, firsts, size = _names(names)
    beside = _names(about)[0] if about else ()
    total, first = 0.0, False
    for number in range(len(asked.words)):
        best = asked.least(number, told)
        if number == 0:
            first = best < NOWHERE and asked.least(0, firsts) == best
        if best > BESIDE:
            best = min(best, elsewhere)
            if beside:
                best = min(best, asked.least(number, beside) + BESIDE)
        total += best
    total += _UNTYPED * max(0, size - len(asked.words)) + (0 if first else _INSIDE)
    number = -1 if asked.joined else 0
    whole = asked.least(number, joined)
    return min(total, whole + _SOUNDS_SO) if whole < NOWHERE else total


def ranked[Thing](
    asked: Query,
    things: Iterable[Thing],
    key_of: Callable[[Thing], str],
    about: Callable[[Thing], str] = lambda _thing: "",
) -> list[tuple[float, Thing]]:
    """(cost, thing) of those of a few things in whose names every word stands, the nearest first.

    `key_of` gives a thing's names and `about` the words beside them, folded (`key`).
    """
    costs = ((cost(asked, key_of(thing), about(thing)), thing) for thing in things)
    return sorted((pair for pair in costs if pair[0] < NOWHERE), key=lambda pair: pair[0])


def best[Thing](things: Iterable[Thing], typed: str, key_of: Callable[[Thing], str]) -> list[Thing]:
    """Those of a few things that were meant, the nearest first; all when nothing was typed.

    Beside those that are not misspelt there are no others.
    """
    asked = query(typed)
    if not asked.words:
        return list(things)
    found = ranked(asked, things, key_of)
    return [thing for cost, thing in found if is_meant(cost, found[0][0])]


def is_near(asked: Query, names: str) -> bool:
    """Whether every word stands in the names without an error, so that nothing else was meant."""
    return bool(asked.words) and cost(asked, names) < 1


def is_meant(cost: float, least: float) -> bool:
    """Whether what costs so much may stay beside what costs least."""
    return cost < 1 or (least >= 1 and cost < least + _NEARLY)


@functools.lru_cache(maxsize=20_000)
def key(*names: str) -> str:
    """Names as `ranked` reads them: each folded, parted by bars."""
    return "|".join(dict.fromkeys(filter(None, map(fold, names))))


def _cost(typed: Word, name: Word) -> float:
    alike = not typed.told.isdisjoint(name.tokens)
    if not alike and _is_another(typed, name):
        return NOWHERE
    if typed.written == name.written:
        return 0
    if typed.sound == name.sound:
        return _SOUNDS_SO
    extra = len(name.written) - len(typed.written) if len(typed.written) > 3 else 0
    left = _LEFT * min(10, extra)
    if name.written.startswith(typed.written):
        return _BEGINS + left
    if name.sound.startswith(typed.prefixes):
        return _BEGINS_SO + max(left, 0)
    if not typed.errors or name.written.isdigit():
        return NOWHERE
    return _ENDS_OTHERWISE if alike else _misspelt(typed, name)


def _is_another(typed: Word, name: Word) -> bool:
    """Whether more letters lack than errors make up for; asked of all words, so it must be quick.

    What has an ending that the name lacks is not told so: its stem may be the name, misspelt.
    """
    lack = (typed.letters & ~name.letters).bit_count()
    if lack <= 1 or lack <= typed.errors:
        return False
    if (typed.signs & ~name.signs).bit_count() <= min(typed.errors, 2):
        return False
    return not typed.stems or len(name.sound) >= len(typed.sound)


def _misspelt(typed: Word, name: Word) -> float:
    """The cost of errors; where too many letters lack it is not compared."""
    most, size = typed.errors, len(typed.sound)
    longer = len(name.sound) - size
    lack = (typed.letters & ~name.letters).bit_count()
    near = lack <= most or (typed.signs & ~name.signs).bit_count() <= min(most, 2)
    if near and (abs(longer) <= most or abs(len(name.written) - len(typed.written)) <= 2):
        heard = OSA.distance(typed.sound, name.sound, score_cutoff=most)
        written = OSA.distance(typed.written, name.written, score_cutoff=most + 2)
        if heard <= most or written <= min(most, 2):
            wrong = min(heard, written) or 1
            other = typed.sound[:1] != name.sound[:1]
            return wrong + SPELLING * abs(written - heard) + (_FIRST_WRONG if other else 0)
    if longer < 0:
        for stem in typed.stems:
            most = 1 if len(stem) < 7 else 2
            if (keys.letters(stem) & ~name.letters).bit_count() > most:
                continue
            wrong = OSA.distance(stem, name.sound, score_cutoff=most)
            if wrong <= most:
                return wrong + 2 * _ENDS_OTHERWISE
    most = 1 if size < 7 else 2
    begun = size >= UNFINISHED and longer > 1 and typed.sound[0] == name.sound[0]
    if begun and lack <= most:
        wrong = min(
            OSA.distance(typed.sound, name.sound[:end], score_cutoff=most)
            for end in (size - 1, size, size + 1)
        )
        if wrong <= most:
            return wrong + _BEGINS_NEARLY
    return NOWHERE


@functools.lru_cache(maxsize=20_000)
def _names(names: str) -> tuple[tuple[Word, ...], tuple[Word, ...], tuple[Word, ...], int]:
    """The words of names, each name as one word, first words, and of how many the first name is."""
    told = [[keys.key(word) for word in name.split()] for name in names.split("|")]
    joined = [keys.key("".join(word.written for word in name)) for name in told if len(name) > 1]
    flat = tuple(dict.fromkeys(word for name in told for word in name))
    return flat, tuple(joined), tuple(name[0] for name in told if name), len(told[0])
