"""How near a name is to the typed text: the cost of reading the typed words as the name's words.

A word costs nothing if it is written the same, a little if it only has the same sound, the same
beginning or another ending, and 1 for each letter that is wrong, missing, extra or transposed. If
two spellings have the same sound, each differing letter costs a third of that. A candidate's cost
is the sum over the typed words; words of its name that were not typed cost next to nothing.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from appliance.core.search import keys
from appliance.core.search.keys import Word
from appliance.core.search.names import parse_names

NO_MATCH_COST = 3.0  # for a word that is found nowhere
_ERROR_COST = 1  # the least for a word with a typing error; a word without one costs less
SPELLING_LETTER_COST = 0.35  # for each letter of another spelling of the same sound
_SAME_SOUND_COST, _PREFIX_COST, _PREFIX_SOUND_COST, _OTHER_ENDING_COST = 0.15, 0.2, 0.35, 0.4
_OMITTED_LETTER_COST = 0.01  # for each letter, up to ten, that an unfinished word lacks
_UNTYPED_WORD_COST = 0.02  # for each word of the name that was not typed
_NOT_AT_START_COST = 0.25  # if the name does not begin with the typed text
_MISSPELT_PREFIX_COST = 1.0  # added if the misspelt word is also unfinished
_WRONG_FIRST_LETTER_COST = 0.2  # people seldom mistake the first letter
CONTEXT_WORD_COST = 0.5  # for a word that is only in the context of the names
_MAX_MISSPELT_DIFFERENCE = 0.5  # the most by which misspelt candidates differ in cost
MIN_UNFINISHED_LETTERS = 5  # letters from which an unfinished word may contain errors
MAX_WORDS = 10
_SHORT_WORD_LETTERS = 3  # letters up to which a word is compared with all others


class _WordCosts(dict[Word, float]):
    """The costs of reading one typed word as other words: a cache, by the other word.

    The more a word differs from the typed one, the higher is its cost.
    """

    def __init__(self, typed: Word) -> None:
        super().__init__()  # an empty cache
        self._typed = typed

    def __missing__(self, name: Word) -> float:
        """Compute and cache the cost of a word that the cache does not contain yet."""
        self[name] = cost = _word_cost(self._typed, name)
        return cost

    def least_cost(self, names: Iterable[Word]) -> float:
        """Return the least cost of reading the typed word as one of `names`.

        Returns NO_MATCH_COST for an empty collection.
        """
        return min(map(self.__getitem__, names), default=NO_MATCH_COST)

    def cache_costs(self, words: Iterable[Word]) -> None:
        """Compute and cache the costs of many words at once, which is faster than one by one.

        Unless the typed word is short, the words unlike it get NO_MATCH_COST without a comparison.
        """
        new = [word for word in words if word not in self]
        if len(self._typed.spelling) > _SHORT_WORD_LETTERS:
            self.update(dict.fromkeys(new, NO_MATCH_COST))
            new = [new[place] for place in set(_possible_positions(self._typed, new))]
        for word in new:
            self[word] = _word_cost(self._typed, word)


@dataclass(frozen=True)
class SearchQuery:
    """What a user typed into a search, as words; it caches the costs of the words compared."""

    words: tuple[Word, ...]  # in the order in which they were typed; may be empty
    # All words as one, in case the user typed a blank within a word; None for fewer than two words.
    joined: Word | None

    @functools.cached_property
    def word_costs(self) -> tuple[_WordCosts, ...]:
        """For each word of the query, the costs of reading it as other words, by the other word."""
        return tuple(map(_WordCosts, self.words))

    @functools.cached_property
    def joined_costs(self) -> _WordCosts:
        """The costs of reading the query's words, joined into one, as names also joined into one.

        With them a query matches a name even if blanks are missing or too many. A query of one word
        is its own joined form; the query must not be empty.
        """
        return _WordCosts(self.joined) if self.joined else self.word_costs[0]

    def word_cost(self, number: int, name: Word) -> float:
        """Return the cost of reading the query's word at the index `number` as the word `name`."""
        return self.word_costs[number][name]

    def cache_word_costs(self, names: Collection[str], contexts: Iterable[str] = ()) -> None:
        """Compute at once, and keep, the word costs that `match_cost` needs for many entries.

        `names` and `contexts` are the `names` and `about` that `match_cost` will receive. The call
        is optional: it saves time, because `match_cost` computes the missing costs one by one.
        """
        parsed_names = [parse_names(name_text) for name_text in names]
        distinct_words = {word for name in parsed_names for word in name.words}
        distinct_words.update(
            word for context in set(contexts) if context for word in parse_names(context).words
        )
        for costs in self.word_costs:
            costs.cache_costs(distinct_words)
        self.joined_costs.cache_costs({word for name in parsed_names for word in name.joined})


def parse_query(typed: str) -> SearchQuery:
    """Parse the text that a user typed into a query; only its first MAX_WORDS words are used.

    If the text has no letter or digit, the query has no words.
    """
    typed_words = keys.text_words(typed)[:MAX_WORDS]
    joined_words = (
        keys.text_words("".join(word.spelling for word in typed_words))
        if len(typed_words) > 1
        else []
    )
    return SearchQuery(tuple(typed_words), joined_words[0] if joined_words else None)


def match_cost(
    query: SearchQuery, names: str, about: str = "", text_word_cost: float = NO_MATCH_COST
) -> float:
    """Return how far a query is from the names of an entry: 0 if equal, the higher the farther.

    `names` are in the form that `fold_names` returns. `about`: context of the names, folded words
    such as the district of a mahalla, which users may type too. `text_word_cost`: the cost of a
    typed word that is found neither in the names nor in the context. The query must have a word.
    """
    parsed_names = parse_names(names)
    context_words = parse_names(about).words if about else ()
    total, is_at_start = 0.0, False
    for number, costs in enumerate(query.word_costs):
        least = costs.least_cost(parsed_names.words)
        if number == 0:
            # The first typed word fits the first word of a name as well as any other word.
            is_at_start = (
                least < NO_MATCH_COST and costs.least_cost(parsed_names.first_words) == least
            )
        if least > CONTEXT_WORD_COST:  # to find the word in the text or context may cost less
            least = min(least, text_word_cost)
            if context_words:
                least = min(least, costs.least_cost(context_words) + CONTEXT_WORD_COST)
        total += least
    total += _UNTYPED_WORD_COST * max(0, parsed_names.first_name_size - len(query.words)) + (
        0 if is_at_start else _NOT_AT_START_COST
    )
    joined_cost = query.joined_costs.least_cost(parsed_names.joined)
    # _SAME_SOUND_COST is added for the blanks that are missing or too many.
    return min(total, joined_cost + _SAME_SOUND_COST) if joined_cost < NO_MATCH_COST else total


def rank_candidates[Thing](
    query: SearchQuery,
    candidates: Iterable[Thing],
    names_of: Callable[[Thing], str],
    context_of: Callable[[Thing], str] = lambda _thing: "",
) -> list[tuple[float, Thing]]:
    """Return (cost, candidate) of the candidates whose names match the query, cheapest first.

    These are the ones whose names contain every word, perhaps misspelt: their `match_cost` is below
    NO_MATCH_COST. As each candidate is compared, they should be few. `names_of` returns a
    candidate's names and `context_of` its context words, both in the form that `fold_names`
    returns. The query must have a word.
    """
    keyed = [(names_of(candidate), context_of(candidate), candidate) for candidate in candidates]
    query.cache_word_costs(
        [names for names, _about, _candidate in keyed], {about for _names, about, _ in keyed}
    )
    costs = ((match_cost(query, names, about), candidate) for names, about, candidate in keyed)
    return sorted((pair for pair in costs if pair[0] < NO_MATCH_COST), key=lambda pair: pair[0])


def best_matches[Thing](
    candidates: Iterable[Thing], typed: str, names_of: Callable[[Thing], str]
) -> list[Thing]:
    """Return those of a few candidates that a user probably means by `typed`, the nearest first.

    `names_of` returns a candidate's names in the form that `fold_names` returns. If no word was
    typed, all candidates are returned, in their order. If one matches without misspelling, misspelt
    ones are left out.
    """
    parsed_query = parse_query(typed)
    if not parsed_query.words:
        return list(candidates)
    ranking = rank_candidates(parsed_query, candidates, names_of)
    return [candidate for cost, candidate in ranking if is_likely_match(cost, ranking[0][0])]


def matches_without_errors(query: SearchQuery, names: str) -> bool:
    """Return True if the names contain every word of the query without a typing error.

    Small differences, such as another ending, are allowed: together they cost less than an error.
    `names` are in the form that `fold_names` returns. An empty query matches nothing.
    """
    return bool(query.words) and match_cost(query, names) < _ERROR_COST


def is_likely_match(cost: float, least_cost: float) -> bool:
    """Return True if a candidate of this cost is near enough to be shown with the nearest one.

    `least_cost` is the cost of the nearest one. A candidate that costs less than a typing error
    contains no error, and is near enough. Any other is near enough only if the nearest also costs
    as much as an error, and the two costs differ by less than _MAX_MISSPELT_DIFFERENCE.
    """
    return cost < _ERROR_COST or (
        least_cost >= _ERROR_COST and cost < least_cost + _MAX_MISSPELT_DIFFERENCE
    )


def _word_cost(typed: Word, name: Word) -> float:
    """Return the cost of reading `typed` as `name`, a word of a name; NO_MATCH_COST if unlike it.

    The checks go from the same spelling over the same sound, an unfinished word and another ending
    to a misspelling.
    """
    # The beginnings are compared first, because it is quicker and excludes most words.
    shares_stem = name.sound.startswith(typed.match_prefixes) and not typed.token_set.isdisjoint(
        name.tokens
    )
    if not shares_stem and _is_other_word(typed, name):
        return NO_MATCH_COST
    if typed.spelling == name.spelling:
        return 0
    if typed.sound == name.sound:
        return _SAME_SOUND_COST
    # Of words that begin with the typed letters the shortest is nearest; up to three letters say
    # too little for that.
    extra = len(name.spelling) - len(typed.spelling) if len(typed.spelling) > 3 else 0
    omitted_cost = _OMITTED_LETTER_COST * min(10, extra)
    if name.spelling.startswith(typed.spelling):
        return _PREFIX_COST + omitted_cost
    if name.sound.startswith(typed.sound_prefixes):
        # A name whose sound is longer may be spelt with fewer letters: `omitted_cost` is below 0.
        return _PREFIX_SOUND_COST + max(omitted_cost, 0)
    if not typed.max_errors or name.spelling.isdigit():
        return NO_MATCH_COST
    return _OTHER_ENDING_COST if shares_stem else _misspelling_cost(typed, name)


def _possible_positions(typed: Word, names: list[Word]) -> Iterator[int]:
    """Yield the positions in `names` of the words that a typed word may represent.

    Excludes most words quickly, so that `_word_cost` has to be computed for few. A position may be
    yielded twice, and a few positions are those of words that turn out to be others.
    """
    sounds = [name.sound for name in names]
    prefixes = typed.match_prefixes
    yield from (position for position, sound in enumerate(sounds) if sound.startswith(prefixes))
    max_errors, size = typed.max_errors, len(typed.sound)
    if not max_errors:
        return
    yield from _similar_positions(typed.sound, sounds, max_errors)
    yield from _similar_positions(
        typed.spelling, [name.spelling for name in names], typed.max_spelling_errors
    )
    for stem in typed.stems:
        yield from _similar_positions(stem, sounds, keys.max_part_errors(len(stem)))
    if size >= MIN_UNFINISHED_LETTERS:
        first_letter, min_length = typed.sound[0], size + 1
        sound_beginnings = {
            position: sound[:size]
            for position, sound in enumerate(sounds)
            if sound[0] == first_letter and len(sound) > min_length
        }
        # One error more than is allowed: `_misspelt_beginning_cost` also compares with beginnings
        # that are longer or shorter by a letter, which this comparison counts as an error.
        yield from _similar_positions(typed.sound, sound_beginnings, keys.max_part_errors(size) + 1)


def _similar_positions(word: str, words: list[str] | dict[int, str], max_errors: int) -> list[int]:
    """Return the positions of the words that differ from `word` by at most `max_errors` errors.

    The position of a word in a dict is its key.
    """
    matches = process.extract(word, words, scorer=OSA.distance, score_cutoff=max_errors, limit=None)
    return [position for _word, _errors, position in matches]


def _is_other_word(typed: Word, name: Word) -> bool:
    """Return True if `name` is surely another word: too many of the typed letters are not in it.

    It spares `_word_cost` the comparison of words, so it must be quick, and must not exclude a word
    for which that would return less than NO_MATCH_COST. Therefore both the sound and the spelling
    must lack more letters than the errors allowed; each letter that is missing is one error.
    """
    missing_count = (typed.sound_letters & ~name.sound_letters).bit_count()
    # The last letter of an unfinished word may have another sound in the name (sound_prefixes):
    # one missing letter is no error then, and is allowed even if `max_errors` is 0.
    if missing_count <= 1 or missing_count <= typed.max_errors:
        return False
    if (typed.spelling_letters & ~name.spelling_letters).bit_count() <= typed.max_spelling_errors:
        return False
    # A shorter name may be a stem of the typed word, misspelt: it lacks the letters of the ending.
    return not typed.stems or len(name.sound) >= len(typed.sound)


def _misspelling_cost(typed: Word, name: Word) -> float:
    """Return the cost of reading `typed`, taken as misspelt, as `name`, a word of a name.

    The cost grows with the number of typing errors between the two. If there are too many, the stem
    of the typed word is tried, then the beginning of the name, as the typed word may be unfinished;
    after these it returns NO_MATCH_COST. To save time, words are not compared letter by letter if
    `name` lacks too many typed letters. The words must differ in both spelling and sound.
    """
    max_errors = typed.max_errors
    extra_letters = len(name.sound) - len(typed.sound)
    missing_count = (typed.sound_letters & ~name.sound_letters).bit_count()
    is_comparable = (
        missing_count <= max_errors
        or (typed.spelling_letters & ~name.spelling_letters).bit_count()
        <= typed.max_spelling_errors
    )
    if is_comparable and (
        abs(extra_letters) <= max_errors
        or abs(len(name.spelling) - len(typed.spelling)) <= typed.max_spelling_errors
    ):
        # A distance above its `score_cutoff` is returned as the cutoff plus 1. That of the spelling
        # is counted further than is allowed, because it affects the cost even if the sound is near.
        sound_errors = OSA.distance(typed.sound, name.sound, score_cutoff=max_errors)
        spelling_errors = OSA.distance(typed.spelling, name.spelling, score_cutoff=max_errors + 2)
        if sound_errors <= max_errors or spelling_errors <= typed.max_spelling_errors:
            has_other_initial = typed.sound[:1] != name.sound[:1]
            return (
                min(sound_errors, spelling_errors)
                + SPELLING_LETTER_COST * abs(spelling_errors - sound_errors)
                + (_WRONG_FIRST_LETTER_COST if has_other_initial else 0)
            )
    # Only if the name is shorter, the typed word can have an ending that the name lacks.
    if extra_letters < 0 and (cost := _misspelt_stem_cost(typed, name)) < NO_MATCH_COST:
        return cost
    return _misspelt_beginning_cost(typed, name)


def _misspelt_stem_cost(typed: Word, name: Word) -> float:
    """Return the cost of reading a stem of `typed`, taken as misspelt, as the whole of `name`.

    The first stem that is near enough decides; if no stem is, it returns NO_MATCH_COST.
    """
    for stem in typed.stems:
        max_errors = keys.max_part_errors(len(stem))
        if (keys.letter_mask(stem) & ~name.sound_letters).bit_count() > max_errors:
            continue
        error_count = OSA.distance(stem, name.sound, score_cutoff=max_errors)
        if error_count <= max_errors:
            # Twice, so that a complete word with as many errors is nearer.
            return error_count + 2 * _OTHER_ENDING_COST
    return NO_MATCH_COST


def _misspelt_beginning_cost(typed: Word, name: Word) -> float:
    """Return the cost of reading `typed`, taken as misspelt and unfinished, as `name` begins.

    Returns NO_MATCH_COST if `typed` is too short, if its first letter is another one, if the name
    is not longer by two letters at least, or if no beginning of it is near enough.
    """
    size = len(typed.sound)
    is_short = size < MIN_UNFINISHED_LETTERS or len(name.sound) < size + 2
    if is_short or typed.sound[0] != name.sound[0]:
        return NO_MATCH_COST
    max_errors = keys.max_part_errors(size)
    if (typed.sound_letters & ~name.sound_letters).bit_count() > max_errors:
        return NO_MATCH_COST
    # A letter that is extra or missing shifts the place in the name where the typed word ends.
    error_count = min(
        OSA.distance(typed.sound, name.sound[:end], score_cutoff=max_errors)
        for end in (size - 1, size, size + 1)
    )
    return error_count + _MISSPELT_PREFIX_COST if error_count <= max_errors else NO_MATCH_COST
