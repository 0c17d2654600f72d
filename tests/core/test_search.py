"""The one search: keys of words, the index, what is near what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core import search
from appliance.core.db import writing
from appliance.core.search import keys

LETTERS = st.text(
    alphabet="abdefghijklmnopqrstuvxyzʻ' абвгдежзийклмнопрстуфхцчшъэюяёўқғҳ-1", max_size=30
)


def cost(typed: str, *names: str) -> float:
    return search.ranking.cost(search.query(typed), search.key(*names))


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
    assert len({word.sound for name in spellings for word in keys.words(name)}) == 1


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(("subsidiyalarni", "subsidiya"), ("субсидияларнинг", "subsidiya")),
        *(("ishlar", "ish"), ("nafaqasidan", "nafaqa"), ("qishlogʻi", "qishloq")),
        *(("Каримовой", "Karimov"), ("Ташкентская", "Toshkent"), ("пособиями", "пособие")),
    ],
)
def test_an_ending_hides_no_word(typed: str, meant: str) -> None:
    assert cost(typed, meant) < 1
    assert cost(meant, typed) < 1


@given(LETTERS)
def test_keys_are_plain_and_steady(text: str) -> None:
    for word in keys.words(text):
        assert all(token.isascii() and token.isalnum() for token in word.tokens)
        assert keys.key(word.written) is word


@given(LETTERS)
def test_everything_is_found_by_itself(text: str) -> None:
    words = search.query(text).words
    assert not words or cost(text, text) <= 0.25


def test_what_is_wrong_costs_more() -> None:
    told = [cost(t, "Toshkent") for t in ("toshkent", "Ташкент", "toshk", "toshknt", "toshknd")]
    assert told == sorted(told)
    assert told[0] == 0
    assert 1 <= told[3] < 2 <= told[4] < 3


@pytest.mark.parametrize("typed", ["a", "ab", "xyz", "q w", "", "—"])
def test_short_words_are_not_read_otherwise(typed: str) -> None:
    assert search.best(["toshkent", "ishsizlar"], typed, search.key) == (
        [] if search.query(typed).words else ["toshkent", "ishsizlar"]
    )


def put(kind: str, ref: str, title: str, **more: str) -> None:
    with writing():
        search.put(search.Entry(kind, ref, title, **more))


def refs(typed: str, kind: str = "article") -> list[str]:
    return [found.ref for found in search.find(search.query(typed), kind, 10)]


@pytest.mark.usefixtures("settings")
def test_an_entry_is_put_replaced_and_dropped() -> None:
    put("article", "a", "Ishsizlik nafaqasi", text="Ariza beriladi")
    put("article", "b", "Subsidiya", text="Nafaqa emas")
    put("script", "a", "Ishsizlik")
    assert refs("nafaqa") == ["a", "b"]
    assert refs("arizani") == ["a"]
    put("article", "a", "Monomarkaz")
    assert refs("nafaqa") == ["b"]
    assert refs("ishsizlik", "script") == ["a"]
    with writing():
        search.drop("article", "a")
        search.drop("article", "nothing")
    assert refs("monomarkaz") == []
    assert refs("monomakraz") == []


@pytest.mark.usefixtures("settings")
def test_words_stand_in_any_order_begun_misspelt_or_one_too_many() -> None:
    put("mahalla", "1", "Navroʻz MFY", about="Urgut tumani")
    put("mahalla", "2", "Navroʻz MFY", about="Oltinkoʻl tumani")
    for typed in ("urgut navroz", "nav urg", "навруз ургут", "navrz urgt", "navroz urgut qqqqq"):
        assert refs(typed, "mahalla")[:1] == ["1"], typed
    assert refs("nav roz", "mahalla") == refs("navrozmfy", "mahalla") == ["1", "2"]


@pytest.mark.usefixtures("settings")
def test_a_number_is_found_by_any_part_of_it() -> None:
    put("appeal", "2026-000123", "2026-000123", text="998935550147")
    for typed in ("5550147", "935", "2026-000123", "000123", "123"):
        assert refs(typed, "appeal") == ["2026-000123"], typed
    assert refs("5550148", "appeal") == []


@pytest.mark.parametrize("typed", ['"', "' OR 1", "a* NOT b", "NEAR(a b)", "names:x", "\x00", "^a"])
@pytest.mark.usefixtures("settings")
def test_nothing_typed_is_an_expression(typed: str) -> None:
    put("article", "a", "Subsidiya")
    refs(typed)


def test_a_snippet_marks_what_was_meant() -> None:
    text = f"{'Boshqa gap. ' * 40}Ishsizlarga subsidiyalarni berish tartibi. {'Yana gap. ' * 40}"
    pieces = search.snippet(text, search.query("субсидия бериш"))
    assert [piece.text for piece in pieces if piece.marked] == ["subsidiyalarni", "berish"]
    assert len("".join(piece.text for piece in pieces)) < 170
    assert search.snippet("Bir. Ikki.", search.query("nothing")) == [search.Piece("Bir. Ikki.")]
    assert search.marked("Oltinkoʻl tumani", search.query("tumni")) == (10, 16)


@given(LETTERS, LETTERS)
def test_a_snippet_is_a_part_of_its_text(text: str, typed: str) -> None:
    pieces = search.snippet(text, search.query(typed))
    shown = "".join(piece.text for piece in pieces).removesuffix(" …").removeprefix("… ")
    assert shown in " ".join(text.split())
