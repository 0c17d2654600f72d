"""Several fragments of a page in one response: equal to each on its own, under the same rights."""

from urllib.parse import urlencode

import pytest

from appliance.core import db
from appliance.models import AuditEntry
from tests.rig.citizen import Citizen

FRAGMENT_HEADERS = {"HX-Request": "true"}
BAR_PATH, STATE_PATH, QUEUE_PATH = "/operator/bar", "/operator/state", "/operator/queue"


def fetch_fragments(browser, *addresses: str, status: int = 200) -> list[str | None]:
    answer = browser.get(
        f"/pieces?{urlencode([('at', fragment_address) for fragment_address in addresses])}",
        headers=FRAGMENT_HEADERS,
    )
    assert answer.status_code == status, answer.text
    return answer.json if status == 200 else []


def test_fragments_equal_the_responses_of_their_addresses(login_as) -> None:
    browser = login_as("nilufar")
    together = fetch_fragments(browser, BAR_PATH, STATE_PATH, QUEUE_PATH)
    assert together == [
        browser.get(at, headers=FRAGMENT_HEADERS).text for at in (BAR_PATH, STATE_PATH, QUEUE_PATH)
    ]
    assert all(together)


def test_each_fragment_has_its_own_arguments(login_as) -> None:
    browser = login_as("supervisor")
    one_operator, all_operators = fetch_fragments(
        browser, "/floor/operators?who=nilufar", "/floor/operators"
    )
    assert (
        one_operator == browser.get("/floor/operators?who=nilufar", headers=FRAGMENT_HEADERS).text
    )
    assert one_operator != all_operators


def test_forbidden_addresses_and_non_fragments_are_null(login_as) -> None:
    browser = login_as("nilufar")
    excluded_paths = ("/floor/figures", "/nothing", "/operator/session", "/live", "/static/app.js")
    assert (
        fetch_fragments(browser, STATE_PATH, *excluded_paths, "/pieces?at=/operator/bar")[1:]
        == [None] * 6
    )


def test_long_running_reports_are_null(login_as) -> None:
    assert fetch_fragments(login_as("manager"), "/reports/telephony") == [None]


@pytest.mark.parametrize(
    "at",
    [
        (),
        ("",),
        ("operator/bar",),
        ("//elsewhere/x",),
        ("/operator/bar\n",),
        ("/oʻ",),
        ("/" + "x" * 3000,),
        (BAR_PATH,) * 25,
    ],
)
def test_invalid_addresses_are_refused(login_as, at) -> None:
    fetch_fragments(login_as("nilufar"), *at, status=400)


def test_fragments_are_only_for_requests_of_an_open_page(login_as) -> None:
    assert login_as("nilufar").get(f"/pieces?at={BAR_PATH}").status_code == 400


def test_a_locked_page_receives_no_fragments(login_as) -> None:
    browser = login_as("nilufar")
    browser.send("/lock")
    fetch_fragments(browser, BAR_PATH, status=401)


def test_fragments_audit_the_view_that_shows_the_data(login_as, nilufar) -> None:
    Citizen("1764000000.1").ring_operator(nilufar)
    browser = login_as("nilufar")
    before = AuditEntry.select().count()
    fetch_fragments(browser, BAR_PATH, STATE_PATH)
    [row] = AuditEntry.select().offset(before).order_by(AuditEntry.id)
    assert (row.action, row.detail["page"]) == ("call.view", "operator.show_bar")


def test_no_database_connection_stays_open_afterwards(login_as) -> None:
    fetch_fragments(login_as("nilufar"), BAR_PATH, STATE_PATH)
    assert db.database.is_closed()
