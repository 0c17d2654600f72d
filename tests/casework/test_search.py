"""The search over all kinds: who finds which records, and the share of misspelt queries found."""

import statistics
import time
from collections import Counter

import pytest

from appliance.casework import catalogs, search
from appliance.casework.appeals import correcting, handling, registering
from appliance.casework.forms import drafts
from appliance.core.db import write_transaction
from appliance.models import Appeal, SearchEntry, SearchWord, User
from appliance.telephony import directory
from tests.rig import search_corpus

MIN_SHARES = {1: 0.95, 2: 0.85}  # share found among the first five, by number of errors
QUERIES_PER_KIND = 200  # queries per kind and number of errors: 2,000 in total
SEED = search_corpus.FIRST_FRESH_SEED + 1


@pytest.fixture
def registered(settings, nilufar: User):
    """Registers an appeal of a person with the given surname."""

    def register_appeal(
        surname: str, by: User = nilufar, gist: str = "Subsidiya soʻradi", **more: str
    ):
        token = drafts.token_for(by, None)
        values = {"surname": surname, "first_name": "Aziz", "gist": gist} | more
        return registering.register(values, operator=by, token=token, tz=settings.tz)

    return register_appeal


def hit_refs(text: str, user: User, *kinds: str) -> list[str]:
    return [hit.ref for hit in search.find_hits(text, user=user, kinds=kinds)]


def test_each_kind_is_found(registered, nilufar: User) -> None:
    number = registered("Karimov").number
    employee = directory.save_employee(
        directory.DirectoryEntry("Lola Rashidova", "712390101"), "rustam"
    )
    mahalla = catalogs.get_or_create_mahalla("Navroʻz MFY", "1718236")
    with write_transaction():
        search_corpus.publish_article("nafaqa", "Ishsizlik nafaqasi", "Kimga beriladi")
    for typed, kind, ref in (
        ("Хорезмская", "region", "1733"),
        ("Urgt", "district", "1718236"),
        ("Наврўз маҳалласи", "mahalla", str(mahalla.id)),
        ("молодеж", "value", "group/youth"),
        ("Рашидова", "employee", str(employee.id)),
        ("nafaqani", "article", "nafaqa"),
        ("Каримова", "appeal", number),
    ):
        hit = search.find_hits(typed, user=nilufar)[0]
        assert (hit.kind, hit.ref) == (kind, ref), typed


def test_an_appeal_is_found_only_by_users_who_may_see_it(registered, nilufar, sardor) -> None:
    number = registered("Joʻrayev").number
    assert hit_refs("джураев", nilufar, "appeal") == [number]
    assert hit_refs("джураев", sardor, "appeal") == []
    found_by = {user.login: hit_refs("djuraev", user) == [number] for user in User.select()}
    assert found_by["dilnoza"]
    assert not found_by["rustam"]


def test_a_personal_appeal_leaves_no_word_in_the_index(registered, nilufar, dilnoza, settings):
    calendar = catalogs.working_calendar(settings)
    appeal, second = registered("Qodirxonov"), registered("Karimov")
    assert hit_refs("qodirxonov", dilnoza, "appeal") == [appeal.number]
    values = correcting.values_with_consultation(appeal)
    for openness, expected in (("personal", []), ("open", [appeal.number])):
        version = handling.handling_of_appeal(appeal).version
        values |= {"openness": openness}
        correcting.correct_appeal(appeal, values, nilufar.login, version, calendar)
        appeal = Appeal.get_by_id(appeal.id)
        listed = SearchWord.select().where(SearchWord.word == "qodirxonov")
        for user in User.select():
            assert hit_refs("qodirxonov", user, "appeal") in ([], expected), user.login
        assert hit_refs("qodirxonov", nilufar, "appeal") == expected
        assert listed.exists() == bool(expected)
        # the other appeal contains it
        assert SearchWord.select().where(SearchWord.word == "aziz").exists()
    assert hit_refs("karimov", dilnoza, "appeal") == [second.number]


def test_the_gist_of_a_personal_appeal_is_shown_only_to_its_operator(registered, nilufar, dilnoza):
    number = registered("Qodirxonov", openness="personal").number
    snippets = {}
    for user in (nilufar, dilnoza):
        [hit] = search.find_hits(number, user=user, kinds=["appeal"])
        snippets[user.login] = "".join(piece.text for piece in hit.snippet)
    assert snippets == {"nilufar": "Subsidiya soʻradi", "dilnoza": ""}


def test_the_match_in_a_snippet_is_marked(registered, nilufar: User) -> None:
    registered("Karimov", gist="Tikuv mashinasi uchun subsidiya soʻragan")
    [hit] = search.find_hits("субсидиялар", user=nilufar, kinds=["appeal"])
    assert [piece.text for piece in hit.snippet if piece.marked] == ["subsidiya"]


def test_few_hits_of_the_same_name_are_listed_first(nilufar: User) -> None:
    districts = [district_row.soato for district_row in catalogs.match_districts("", limit=20)]
    for district in districts:
        catalogs.get_or_create_mahalla("Bogʻobod MFY", district)
    catalogs.get_or_create_mahalla("Bogʻibod MFY", districts[0])
    hits = search.find_hits("bog", user=nilufar, kinds=["mahalla"], limit=5)
    assert {hit.title for hit in hits} == {"Bogʻobod MFY", "Bogʻibod MFY"}


def test_the_index_can_be_rebuilt(registered, nilufar: User) -> None:
    number = registered("Karimov").number
    with write_transaction():
        SearchEntry.delete().execute()
    assert hit_refs("karimov", nilufar, "appeal") == []
    assert search.rebuild_index() == 1
    assert hit_refs("karimov", nilufar, "appeal") == [number]
    assert search.fill_empty_kinds() == 0


@pytest.mark.timeout(900)
def test_misspelt_queries_are_found(registered, dilnoza: User, record_property) -> None:
    """A district, mahalla, article or surname is among the first five hits of all kinds."""
    names = search_corpus.fill_index()
    number_of = {registered(surname).number: surname for surname in names["appeal"]}
    durations = []
    for errors, least in MIN_SHARES.items():
        found_counts: Counter[str] = Counter()
        for query in search_corpus.sample_queries(names, errors, QUERIES_PER_KIND, SEED):
            started_at = time.process_time()
            hits = search.find_hits(query.text, user=dilnoza, limit=5)
            durations.append(time.process_time() - started_at)
            hits_found = {(hit.kind, number_of.get(hit.ref, hit.title)) for hit in hits}
            found_counts[query.kind] += (query.kind, query.name) in hits_found
        share = found_counts.total() / (QUERIES_PER_KIND * len(names))
        shares = ", ".join(
            f"{kind} {100 * n / QUERIES_PER_KIND:.1f}" for kind, n in found_counts.items()
        )
        record_property(f"search: found with {errors} errors, %", f"{100 * share:.1f} ({shares})")
        assert share >= least
    p95 = statistics.quantiles(durations, n=20)[-1]
    record_property("search: p95, ms of the processor", f"{1000 * p95:.0f}")
