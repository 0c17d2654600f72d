"""Words as a hurried person types them: one error or two, another script, another spelling."""

import random
from collections.abc import Callable

from appliance.core import script

_LATIN_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_CYRILLIC_ROWS = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_UZBEK_ROWS = ("йцукенгшўзхъ", "фқвапролджэ", "ячсмитьбю")
_RUSSIAN = {  # as a Russian speaker spells by ear
    **dict(zip("abdefgijklmnoprstuvz", "абдефгижклмнопрстувз", strict=True)),
    **{"h": "х", "q": "к", "x": "х", "y": "й", "ʼ": ""},
}
_LETTERS = (
    *(("oʻ", "у"), ("gʻ", "г"), ("sh", "ш"), ("ch", "ч"), ("yo", "ё"), ("yu", "ю"), ("ya", "я")),
    *(("ye", "е"), ("ts", "ц"), ("j", "дж")),
)


def _neighbouring_keys() -> dict[str, str]:
    neighbours: dict[str, str] = {}
    for rows in (_LATIN_ROWS, _CYRILLIC_ROWS, _UZBEK_ROWS):
        for row in rows:
            for left_key, right_key in zip(row, row[1:], strict=False):
                neighbours[left_key] = neighbours.get(left_key, "") + right_key
                neighbours[right_key] = neighbours.get(right_key, "") + left_key
    return neighbours


_NEIGHBOURS = _neighbouring_keys()


def swap_letters(word: str, chance: random.Random) -> str:
    """Swap two different adjacent letters."""
    places = [i for i in range(len(word) - 1) if word[i].isalpha() and word[i + 1].isalpha()]
    places = [i for i in places if word[i] != word[i + 1]]
    if not places:
        return word
    place = chance.choice(places)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def drop_letter(word: str, chance: random.Random) -> str:
    """Leave out a letter."""
    place = chance.choice([i for i, char in enumerate(word) if char.isalpha()])
    return word[:place] + word[place + 1 :]


def double_letter(word: str, chance: random.Random) -> str:
    """Type a letter twice."""
    place = chance.choice([i for i, char in enumerate(word) if char.isalpha()])
    return word[:place] + word[place] + word[place:]


def press_neighbouring_key(word: str, chance: random.Random) -> str:
    """Replace a letter by the one of a neighbouring key."""
    places = [i for i, char in enumerate(word) if char.lower() in _NEIGHBOURS]
    if not places:
        return word
    place = chance.choice(places)
    wrong_key = chance.choice(_NEIGHBOURS[word[place].lower()])
    return word[:place] + wrong_key + word[place + 1 :]


def replace_apostrophe(word: str, chance: random.Random) -> str:
    """Replace the sign of oʻ, gʻ and the glottal stop by another one, or leave it out."""
    sign = chance.choice(["'", "`", "‘", "’", "´", ""])
    return word.replace("ʻ", sign).replace("ʼ", sign)


def as_uzbek_cyrillic(word: str, _chance: random.Random) -> str:
    """The word in Uzbek Cyrillic."""
    return script.transliterate_for_locale(word, "uz_Cyrl")


def as_russian_spelling(word: str, _chance: random.Random) -> str:
    """The word as a Russian speaker writes an Uzbek name."""
    word = word.lower()
    for letters, replacement in (*_LETTERS, *_RUSSIAN.items()):
        word = word.replace(letters, replacement)
    return word


ERRORS: tuple[Callable[[str, random.Random], str], ...] = (
    swap_letters,
    drop_letter,
    double_letter,
    press_neighbouring_key,
)
SPELLINGS: tuple[Callable[[str, random.Random], str], ...] = (
    replace_apostrophe,
    as_uzbek_cyrillic,
    as_russian_spelling,
)


def misspell_name(name: str, errors: int, chance: random.Random) -> str:
    """A name in some spelling and with `errors` errors; another spelling counts as one.

    Errors are made only in words of at least four letters.
    """
    if errors and chance.random() < 0.4:
        name, errors = chance.choice(SPELLINGS)(name, chance), errors - 1
    for _ in range(errors):
        words = name.split(" ")
        long_words = [i for i, word in enumerate(words) if sum(map(str.isalpha, word)) >= 4]
        if not long_words:
            break
        place = chance.choice(long_words)
        words[place] = chance.choice(ERRORS)(words[place], chance)
        name = " ".join(words)
    return name
