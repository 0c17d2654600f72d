"""An operator finds the appeal of a citizen who calls again, and their own appeals of the day."""

import datetime as dt

import pytest

from appliance.core import clock
from appliance.models import Appeal, AuditEntry
from tests.rig.browser import Browser


@pytest.fixture
def sardor_(login_as) -> Browser:
    """The browser of an operator who has registered nothing."""
    return login_as("sardor")


def listed_numbers(page: str, section: str) -> list[str]:
    """Return the appeal numbers that a section of the page lists."""
    if f'id="{section}"' not in page:
        return []
    section_html = page.split(f'id="{section}"')[1].split("</section>")[0]
    return [
        row.split("</a>")[0].split(">")[-1] for row in section_html.split('class="rowlink"')[1:]
    ]


@pytest.mark.parametrize(
    "typed", ["{number}", "2026000001", "1", "+998 93 555 01 47", "93 555-01-47", "935550147"]
)
def test_an_appeal_is_found_by_its_whole_number_or_phone(at_noon, sardor_, register, typed) -> None:
    appeal, other = register(), register(phone="901112233", surname="Karimov", pinfl="")
    card = f"/appeals/{appeal.number}"
    assert sardor_.get(card).status_code == 404  # operators cannot browse the cards
    query = {"q": typed.format(number=appeal.number)}
    page = sardor_.get("/appeals/mine", query_string=query).text
    assert listed_numbers(page, "found") == [appeal.number]
    answer = sardor_.get(card)
    assert answer.status_code == 200
    assert 'href="/appeals/2026-000001/correct"' not in answer.text  # another operator's appeal
    assert sardor_.get(f"{card}/history").status_code == 200
    assert sardor_.get(f"/appeals/{other.number}").status_code == 404


@pytest.mark.parametrize("typed", ["2026", "0001", "93555", "Yoʻldosheva", "%", "9" * 300, "tikuv"])
def test_nothing_is_found_by_part_of_a_number_or_by_a_name(
    at_noon, sardor_, register, typed
) -> None:
    for _ in range(2):
        register()
    page = sardor_.get("/appeals/mine", query_string={"q": typed})
    assert page.status_code == 200
    assert listed_numbers(page.text, "found") == (["2026-000001"] if typed == "0001" else [])


def test_each_search_is_audited(at_noon, sardor_, register) -> None:
    register()
    for typed in ("1", "77"):
        sardor_.get("/appeals/mine", query_string={"q": typed})
    entries = [e for e in AuditEntry.select() if "asked" in e.detail]
    assert [(e.who, e.subject, e.detail["asked"]["q"]) for e in entries] == [
        ("sardor", "2026-000001", "1"),
        ("sardor", "", "77"),
    ]


def test_the_number_of_searches_is_limited(sardor_) -> None:
    answers = [sardor_.get("/appeals/mine?q=1").status_code for _ in range(21)]
    assert answers == [*[200] * 20, 429]
    assert sardor_.get("/appeals/mine").status_code == 200


def test_operators_see_their_own_appeals_of_the_day(at_noon, login_as, sardor_, register) -> None:
    before, today = register(), register()
    yesterday = at_noon - dt.timedelta(days=1)
    Appeal.update(registered_at=yesterday).where(Appeal.id == before.id).execute()
    page = login_as("nilufar").get("/appeals/mine").text
    assert listed_numbers(page, "own") == [today.number]
    assert 'href="/appeals/mine" aria-current="page"' in page
    assert listed_numbers(sardor_.get("/appeals/mine").text, "own") == []
    assert clock.now() == at_noon


def test_leads_have_the_full_list_instead_of_this_page(login_as) -> None:
    page = login_as("supervisor").get("/appeals").text
    assert "/appeals/mine" not in page
