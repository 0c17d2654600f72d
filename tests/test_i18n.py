"""Search keys that ignore the script, the apostrophe and the case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.i18n import fold


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
def test_spellings_of_one_word_meet(spellings: list[str]) -> None:
    assert len({fold(spelling) for spelling in spellings}) == 1


@given(st.text())
def test_a_key_is_plain_and_folds_to_itself(text: str) -> None:
    key = fold(text)
    assert key == "" or all(word.isascii() and word.isalnum() for word in key.split(" "))
    assert fold(key) == key
