"""Search keys that ignore script, apostrophe and case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.i18n import (
    base_language,
    equals_ignoring_spelling,
    fold_text,
    normalize_apostrophes,
)


@pytest.mark.parametrize(
    "spellings",
    [
        ["Oʻzbekiston", "O'zbekiston", "O‘zbekiston", "O`zbekiston", "Ўзбекистон", "Özbekiston"],
        ["G'ijduvon", "Gʻijduvon", "Ғиждувон", "Ğijduvon"],
        ["Shavkat", "Шавкат", "Şavkat", "SHAVKAT"],
        ["san'at", "sanʼat", "санъат", "sanat"],
        ["Ishoq", "Is'hoq", "Исҳоқ"],
        ["Yevropa", "Европа"],
        ["Choyxona", "Чойхона", "Çoyxona"],
        ["Ёзёвон", "Yozyovon"],
        ["Тошкент", "Toшкент"],  # the second has Latin T and o
    ],
)
def test_spellings_of_one_word_have_the_same_key(spellings: list[str]) -> None:
    assert len({fold_text(spelling) for spelling in spellings}) == 1


@given(st.text())
def test_a_key_is_plain_and_folds_to_itself(text: str) -> None:
    key = fold_text(text)
    assert key == "" or all(word.isascii() and word.isalnum() for word in key.split(" "))
    assert fold_text(key) == key


@pytest.mark.parametrize(
    ("typed", "spelling"),
    [
        ("Yo'ldosheva", "Yoʻldosheva"),
        ("G`ulomov  O‘ktam", "Gʻulomov Oʻktam"),
        ("Ma'ruf  Is’hoqov", "Maʼruf Isʼhoqov"),
        ("Moʼmin", "Moʻmin"),
        ("Yoʻldosheva Maʼrufa", "Yoʻldosheva Maʼrufa"),
        ("«'Baraka' MCHJ»", "«'Baraka' MCHJ»"),
        ("Йўлдошева О'ктам", "Йўлдошева О'ктам"),
        ("Bog'", "Bogʻ"),
        ("", ""),
    ],
)
def test_names_are_spelt_with_uzbek_letters(typed, spelling):
    assert normalize_apostrophes(typed) == spelling
    assert normalize_apostrophes(spelling) == spelling
    assert equals_ignoring_spelling(typed, spelling)


@given(st.text(alphabet="oOgGaʻʼ'`’ bЎў-", max_size=30))
def test_spelling_keeps_the_search_key_and_is_idempotent(typed):
    spelling = normalize_apostrophes(typed)
    assert normalize_apostrophes(spelling) == spelling
    assert equals_ignoring_spelling(typed, spelling)
    assert fold_text(spelling) == fold_text(typed)


@pytest.mark.parametrize(
    ("code", "language"),
    [("ru", "ru"), ("uz", "uz"), ("uz_Latn", "uz"), ("uz_Cyrl", "uz"), ("", "uz"), (None, "uz")],
)
def test_everybody_but_a_russian_speaker_is_spoken_to_in_uzbek(code, language):
    assert base_language(code) == language
