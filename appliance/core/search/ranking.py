"""How near a name is to what was typed: the cost of reading the one as the other.

A word costs nothing when it is written the same, a little when it only sounds the same, begins so
or has another ending, and 1 for each letter that is wrong, lacks, is too many or changed places.
Of two spellings of one sound each letter that differs costs a third of that. A thing's cost is the
sum over the words typed; words of its name that were not typed cost next to nothing.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz import process
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
_SHORT = 3  # letters up to which a word is compared with all


class _Costs(dict[Word, float]):
    """The cost of one word that was typed read as each word that it was compared with."""

    def __init__(self, typed: Word) -> None:
        super().__init__()
        self._typed = typed

    def __missing__(self, name: Word) -> float:
        self[name] = cost = _cost(self._typed, name)
        return cost

    def least(self, names: Iterable[Word]) -> float:
        """The least of what some words cost; NOWHERE for none."""
        return min(map(self.__getitem__, names), default=NOWHERE)

    def compare(self, names: Iterable[Word]) -> None:
        """Compare with many words at once, most of which have nothing in common with it."""
        new = [name for name in names if name not in self]
        if len(self._typed.written) > _SHORT:
            self.update(dict.fromkeys(new, NOWHERE))
            new = [new[place] for place in set(_perhaps(self._typed, new))]
        for name in new:
            self[name] = _cost(self._typed, name)


@dataclass(frozen=True)
class Query:
    """What was typed, as words; the costs of words once met are remembered."""

    words: tuple[Word, ...]
    joined: Word | None  # all words as one, for those who put in a blank

    @functools.cached_property
    def costs(self) -> tuple[_Costs, ...]:
        """Of each word."""
        return tuple(map(_Costs, self.words))

    @functools.cached_property
    def whole(self) -> _Costs:
        """Of all as one word."""
        return _Costs(self.joined) if self.joined else self.costs[0]

    def word_cost(self, number: int, name: Word) -> float:
        """The cost of one word of the query read as a word of a name."""
        return self.costs[number][name]

    def compare(self, names: Collection[str], abouts: Iterable[str] = ()) -> None:
        """Compare the words with those of many names at once, and of what is beside them."""
        read = [_names(one) for one in names]
        told = {word for name in read for word in name.words}
        told.update(word for about in set(abouts) if about for word in _names(about).words)
        for costs in self.costs:
            costs.compare(told)
        self.whole.compare({word for name in read for word in name.joined})


def query(typed: str) -> Query:
    """What was typed, as a query; of a long text only its first words."""
    found = keys.words(typed)[:MOST_WORDS]
    one = keys.words("".join(word.written for word in found)) if len(found) > 1 else []
    return Query(tuple(found), one[0] if one else None)


def cost(asked: Query, names: str, about: str = "", elsewhere: float = NOWHERE) -> float:
    """The cost of reading a query as names, folded and parted by bars.

    `about`: folded words beside the names; `elsewhere`: what a word costs that is in none of them.
    """
    name = _names(names)
    beside = _names(about).words if about else ()
    total, first = 0.0, False
    for number, costs in enumerate(asked.costs):
        best = costs.least(name.words)
        if number == 0:
            first = best < NOWHERE and costs.least(name.firsts) == best
        if best > BESIDE:
            best = min(best, elsewhere)
            if beside:
                best = min(best, costs.least(beside) + BESIDE)
        total += best
    total += _UNTYPED * max(0, name.size - len(asked.words)) + (0 if first else _INSIDE)
    whole = asked.whole.least(name.joined)
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
    keyed = [(key_of(thing), about(thing), thing) for thing in things]
    asked.compare([names for names, _about, _thing in keyed], {about for _names, about, _ in keyed})
    costs = ((cost(asked, names, about), thing) for names, about, thing in keyed)
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
    alike = name.sound.startswith(typed.heads) and not typed.token_set.isdisjoint(name.tokens)
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


def _perhaps(typed: Word, names: list[Word]) -> Iterator[int]:
    """The places of those words as which one may be read at some cost, and of a few more."""
    sounds = [name.sound for name in names]
    begins = typed.heads
    yield from (place for place, sound in enumerate(sounds) if sound.startswith(begins))
    most, size = typed.errors, len(typed.sound)
    if not most:
        return
    yield from _places(typed.sound, sounds, most)
    yield from _places(typed.written, [name.written for name in names], min(most, 2))
    for stem in typed.stems:
        yield from _places(stem, sounds, 1 if len(stem) < 7 else 2)
    if size >= UNFINISHED:
        letter, longer = typed.sound[0], size + 1
        begun = {
            place: sound[:size]
            for place, sound in enumerate(sounds)
            if sound[0] == letter and len(sound) > longer
        }
        yield from _places(typed.sound, begun, 2 if size < 7 else 3)


def _places(word: str, words: list[str] | dict[int, str], most: int) -> list[int]:
    """The places of words that differ by so many errors at most."""
    found = process.extract(word, words, scorer=OSA.distance, score_cutoff=most, limit=None)
    return [place for _word, _errors, place in found]


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


@dataclass(frozen=True, slots=True)
class _Names:
    """Names as words: all, each name as one, first words, and of how many the first name is."""

    words: tuple[Word, ...]
    joined: tuple[Word, ...]
    firsts: tuple[Word, ...]
    size: int


@functools.lru_cache(maxsize=20_000)
def _names(names: str) -> _Names:
    """The words of names that are parted by bars."""
    told = [[keys.key(word) for word in name.split()] for name in names.split("|")]
    joined = [keys.key("".join(word.written for word in name)) for name in told if len(name) > 1]
    flat = tuple(dict.fromkeys(word for name in told for word in name))
    return _Names(flat, tuple(joined), tuple(name[0] for name in told if name), len(told[0]))
