"""Several pieces of a page in one answer: the same as each by itself, under the same rights."""

from urllib.parse import urlencode

import pytest

from appliance.core import db
from appliance.models import AuditEntry
from tests.rig.citizen import Citizen

FRAGMENT = {"HX-Request": "true"}
BAR, STATE, QUEUE = "/operator/bar", "/operator/state", "/operator/queue"


def pieces(browser, *at: str, status: int = 200) -> list[str | None]:
    answer = browser.get(f"/pieces?{urlencode([('at', one) for one in at])}", headers=FRAGMENT)
    assert answer.status_code == status, answer.text
    return answer.json if status == 200 else []


def test_they_are_what_their_addresses_give(login_as) -> None:
    browser = login_as("nilufar")
    together = pieces(browser, BAR, STATE, QUEUE)
    assert together == [browser.get(at, headers=FRAGMENT).text for at in (BAR, STATE, QUEUE)]
    assert all(together)


def test_each_has_its_own_arguments(login_as) -> None:
    browser = login_as("supervisor")
    chosen, all_of_them = pieces(browser, "/floor/operators?who=nilufar", "/floor/operators")
    assert chosen == browser.get("/floor/operators?who=nilufar", headers=FRAGMENT).text
    assert chosen != all_of_them


def test_what_is_not_for_the_role_or_no_piece_is_left_to_its_own_address(login_as) -> None:
    browser = login_as("nilufar")
    others = ("/floor/figures", "/nothing", "/operator/session", "/live", "/static/app.js")
    assert pieces(browser, STATE, *others, "/pieces?at=/operator/bar")[1:] == [None] * 6


def test_reports_that_work_long_are_none(login_as) -> None:
    assert pieces(login_as("manager"), "/reports/telephony") == [None]


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
        (BAR,) * 25,
    ],
)
def test_what_is_no_address_is_refused(login_as, at) -> None:
    pieces(login_as("nilufar"), *at, status=400)


def test_they_are_for_an_open_page_alone(login_as) -> None:
    assert login_as("nilufar").get(f"/pieces?at={BAR}").status_code == 400


def test_a_locked_page_gets_none(login_as) -> None:
    browser = login_as("nilufar")
    browser.send("/lock")
    pieces(browser, BAR, status=401)


def test_what_they_show_is_written_down_by_the_page_that_shows_it(login_as, nilufar) -> None:
    Citizen("1764000000.1").ring(nilufar)
    browser = login_as("nilufar")
    before = AuditEntry.select().count()
    pieces(browser, BAR, STATE)
    [row] = AuditEntry.select().offset(before).order_by(AuditEntry.id)
    assert (row.action, row.detail["page"]) == ("call.view", "operator.bar")


def test_they_hold_no_connection_afterwards(login_as) -> None:
    pieces(login_as("nilufar"), BAR, STATE)
    assert db.database.is_closed()
