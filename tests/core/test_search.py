"""The search: keys of words, the index, and the ranking by similarity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core import search
from appliance.core.db import write_transaction
from appliance.core.search import keys

LETTERS = st.text(
    alphabet="abdefghijklmnopqrstuvxyzʻ' абвгдежзийклмнопрстуфхцчшъэюяёўқғҳ-1", max_size=30
)


def search_cost(typed: str, *names: str) -> float:
    return search.ranking.match_cost(search.parse_query(typed), search.fold_names(*names))


@pytest.mark.parametrize(
    "spellings",
    [
        ("Toshkent", "Тошкент", "Ташкент", "toshkent", "Tashkent"),
        ("Joʻrayev", "Jo'rayev", "Жўраев", "Джураев", "Jurayev", "Zhuraev"),
        ("Xoʻjayev", "Хўжаев", "Ходжаев", "Khodjaev", "Xojayev"),
        ("Gʻulomov", "Ғуломов", "Гулямов", "Gulomov"),
        ("Yoʻldoshev", "Йўлдошев", "Юлдашев"),
        ("Qarshi", "Қарши", "Карши", "Karshi"),
        ("Eshmatov", "Эшматов", "Yeshmatov"),
    ],
)
def test_spellings_of_a_name_sound_the_same(spellings: tuple[str, ...]) -> None:
    assert len({word.sound for name in spellings for word in keys.text_words(name)}) == 1


@pytest.mark.parametrize(
    ("typed", "base_word"),
    [
        *(("subsidiyalarni", "subsidiya"), ("субсидияларнинг", "subsidiya")),
        *(("ishlar", "ish"), ("nafaqasidan", "nafaqa"), ("qishlogʻi", "qishloq")),
        *(("Каримовой", "Karimov"), ("Ташкентская", "Toshkent"), ("пособиями", "пособие")),
    ],
)
def test_a_word_is_found_with_any_ending(typed: str, base_word: str) -> None:
    assert search_cost(typed, base_word) < 1
    assert search_cost(base_word, typed) < 1


@given(LETTERS)
def test_keys_are_ascii_and_stable(text: str) -> None:
    for word in keys.text_words(text):
        assert all(token.isascii() and token.isalnum() for token in word.tokens)
        assert keys.word_from_spelling(word.spelling) is word


@given(LETTERS)
def test_every_text_is_found_by_itself(text: str) -> None:
    words = search.parse_query(text).words
    assert not words or search_cost(text, text) <= 0.25


def test_more_errors_cost_more() -> None:
    costs = [
        search_cost(t, "Toshkent") for t in ("toshkent", "Ташкент", "toshk", "toshknt", "toshknd")
    ]
    assert costs == sorted(costs)
    assert costs[0] == 0
    assert 1 <= costs[3] < 2 <= costs[4] < 3


@pytest.mark.parametrize("typed", ["a", "ab", "xyz", "q w", "", "—"])
def test_short_words_are_not_corrected(typed: str) -> None:
    assert search.best_matches(["toshkent", "ishsizlar"], typed, search.fold_names) == (
        [] if search.parse_query(typed).words else ["toshkent", "ishsizlar"]
    )


def put_entry(kind: str, ref: str, title: str, **more: str) -> None:
    with write_transaction():
        search.index_item(search.SearchItem(kind, ref, title, **more))


def found_refs(typed: str, kind: str = "article") -> list[str]:
    return [hit.ref for hit in search.find_entries(search.parse_query(typed), kind, 10)]


@pytest.mark.usefixtures("settings")
def test_an_entry_is_added_replaced_and_removed() -> None:
    put_entry("article", "a", "Ishsizlik nafaqasi", text="Ariza beriladi")
    put_entry("article", "b", "Subsidiya", text="Nafaqa emas")
    put_entry("script", "a", "Ishsizlik")
    assert found_refs("nafaqa") == ["a", "b"]
    assert found_refs("arizani") == ["a"]
    put_entry("article", "a", "Monomarkaz")
    assert found_refs("nafaqa") == ["b"]
    assert found_refs("ishsizlik", "script") == ["a"]
    with write_transaction():
        search.drop_entry("article", "a")
        search.drop_entry("article", "nothing")
    assert found_refs("monomarkaz") == []
    assert found_refs("monomakraz") == []


@pytest.mark.usefixtures("settings")
def test_words_are_found_in_any_order_abbreviated_or_misspelt() -> None:
    put_entry("mahalla", "1", "Navroʻz MFY", about="Urgut tumani")
    put_entry("mahalla", "2", "Navroʻz MFY", about="Oltinkoʻl tumani")
    for typed in ("urgut navroz", "nav urg", "навруз ургут", "navrz urgt", "navroz urgut qqqqq"):
        assert found_refs(typed, "mahalla")[:1] == ["1"], typed
    assert found_refs("nav roz", "mahalla") == found_refs("navrozmfy", "mahalla") == ["1", "2"]


@pytest.mark.usefixtures("settings")
def test_a_number_is_found_by_any_part_of_it() -> None:
    put_entry("appeal", "2026-000123", "2026-000123", text="998935550147")
    for typed in ("5550147", "935", "2026-000123", "000123", "123"):
        assert found_refs(typed, "appeal") == ["2026-000123"], typed
    assert found_refs("5550148", "appeal") == []


@pytest.mark.parametrize("typed", ['"', "' OR 1", "a* NOT b", "NEAR(a b)", "names:x", "\x00", "^a"])
@pytest.mark.usefixtures("settings")
def test_typed_text_is_never_a_query_expression(typed: str) -> None:
    put_entry("article", "a", "Subsidiya")
    assert found_refs(typed) == []
    assert found_refs(f"subsidiya {typed}") == ["a"]


def test_a_snippet_marks_the_matching_words() -> None:
    text = f"{'Boshqa gap. ' * 40}Ishsizlarga subsidiyalarni berish tartibi. {'Yana gap. ' * 40}"
    pieces = search.build_snippet(text, search.parse_query("субсидия бериш"))
    assert [piece.text for piece in pieces if piece.marked] == ["subsidiyalarni", "berish"]
    assert len("".join(piece.text for piece in pieces)) < 170
    assert search.build_snippet("Bir. Ikki.", search.parse_query("nothing")) == [
        search.TextPiece("Bir. Ikki.")
    ]
    assert search.first_match_span("Oltinkoʻl tumani", search.parse_query("tumni")) == (10, 16)


@given(LETTERS, LETTERS)
def test_a_snippet_is_a_part_of_its_text(text: str, typed: str) -> None:
    pieces = search.build_snippet(text, search.parse_query(typed))
    snippet_text = "".join(piece.text for piece in pieces).removesuffix(" …").removeprefix("… ")
    assert snippet_text in " ".join(text.split())
