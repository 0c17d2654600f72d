"""Errors are explained in the reader's language with advice; typed values are kept."""

import html
import re

import pytest

from appliance.core import clock
from appliance.models import FollowUp, User
from tests.rig.locked import locked_database
from tests.rig.people import PASSWORD


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/nothing-here", 404, "Bunday sahifa yoʻq"),
        ("/calls", 403, "Bu sahifani ochish huquqingiz yoʻq"),
        ("/logout", 405, "Bu manzil bunday soʻrovni qabul qilmaydi"),
        ("/reports/monthly.pdf?month=2026-13&upto=x", 400, "Sahifa yuborgan maʼlumotni"),
    ],
)
def test_each_error_has_its_page(login_as, path, status, message) -> None:
    answer = login_as("ministry").get(path)
    assert answer.status_code == status
    assert message in answer.text
    assert 'href="/"' in answer.text


@pytest.mark.parametrize(("path", "method"), [("/logout", "POST"), ("/api/v1/appeals", "GET")])
def test_a_refused_method_is_answered_with_the_allowed_ones(login_as, path, method) -> None:
    answer = login_as("ministry").delete(path)
    assert answer.status_code == 405
    assert method in answer.headers["Allow"].split(", ")


def test_an_error_page_is_in_the_readers_language(login_as) -> None:
    browser = login_as("ministry")
    browser.send("/account/language", language="ru")
    assert "Такой страницы нет" in browser.get("/nothing-here").text


def test_an_error_page_before_signing_in_is_translated(client) -> None:
    client.get("/login?til=uzc")
    assert "Бундай саҳифа йўқ" in client.get("/nothing-here").text


def test_a_failure_has_a_code_that_is_also_in_the_log(app, login_as, caplog, monkeypatch) -> None:
    browser = login_as("technician")
    monkeypatch.delitem(app.jinja_env.globals, "tabs")
    answer = browser.get("/status")
    assert answer.status_code == 500
    code = re.search(r"500 · ([0-9a-f]{6})", answer.text)[1]
    assert f"error {code} at GET /status" in caplog.text


def test_the_page_for_resending_a_form_contains_the_typed_values(login_as) -> None:
    browser = login_as("operator")
    typed = {"gist": 'Tikuv "mashinasi" <1>\nikkinchi qator', "password": "secret-secret"}
    answer = browser.post("/account/appearance", data=typed)
    assert answer.status_code == 400
    assert 'action="/account/appearance?"' in answer.text
    field = re.search(r'name="gist" value="([^"]*)"', answer.text)
    assert html.unescape(field[1]) == typed["gist"]
    assert "secret-secret" not in answer.text


def test_resending_a_form_works(login_as, nilufar) -> None:
    browser = login_as("operator")
    answer = browser.post("/account/appearance", data={"theme": "dark"})
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)[1]
    again = browser.post("/account/appearance", data={"theme": "dark", "csrf_token": token})
    assert again.status_code == 302
    assert type(nilufar).get_by_id(nilufar.id).theme == "dark"


def test_a_form_sent_while_signed_out_is_kept_until_sign_in(client, nilufar) -> None:
    form = {"theme": "dark", "csrf_token": client.token("/login")}
    answer = client.post("/account/appearance", data=form)
    assert answer.status_code == 401
    assert 'name="theme" value="dark"' in answer.text
    assert 'href="/login"' in answer.text
    client.sign_in("nilufar", PASSWORD)
    assert client.send("/account/appearance", theme="dark").status_code == 302


def test_a_fragment_request_while_signed_out_is_unauthorized(client) -> None:
    assert client.get("/calls/list", headers={"HX-Request": "true"}).status_code == 401


def test_requests_of_a_signed_out_page_begin_no_session(client) -> None:
    """Its sections, stream and scripts keep requesting while another tab is at the login page."""
    for answer in (
        client.get("/calls/list", headers={"HX-Request": "true"}),
        client.get("/live"),
        client.post("/operator/forms/x", json={"values": {}}),
    ):
        assert answer.status_code in (400, 401)
        assert "Set-Cookie" not in answer.headers, answer.request.path


def test_a_request_that_is_too_large_is_refused(login_as) -> None:
    browser = login_as("operator")
    form = {"csrf_token": browser.token(), "theme": "x" * (1024 * 1024)}
    assert browser.post("/account/appearance", data=form).status_code == 413


def test_a_busy_database_keeps_the_typed_values(settings, login_as, nilufar) -> None:
    browser = login_as("operator")
    browser.send("/account/language", language="ru")
    with locked_database(settings.paths.database):
        answer = browser.send("/account/appearance", theme="dark", gist="два <слова>")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "База данных занята" in answer.text
    field = re.search(r'name="gist" value="([^"]*)"', answer.text)
    assert html.unescape(field[1]) == "два <слова>"
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)[1]
    again = browser.post("/account/appearance", data={"theme": "dark", "csrf_token": token})
    assert again.status_code == 302
    assert User.get_by_id(nilufar.id).theme == "dark"


def test_a_database_busy_at_the_end_of_a_request_is_reported(settings, login_as) -> None:
    """The audit row of a view is written last: the page is complete by then, but is not shown."""
    browser, now = login_as("operator"), clock.now()
    moments = {"opened_at": now, "missed_at": now, "joined_at": now}
    FollowUp.create(number="+998935550147", kind="queue", call_id="x-1.0", calls=1, **moments)
    with locked_database(settings.paths.database):
        answer = browser.get("/followups")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "+998 93 555 01 47" not in answer.text


def test_the_page_of_a_busy_database_contains_no_password(settings, login_as) -> None:
    browser = login_as("operator")
    fields = {
        "password": PASSWORD,
        "new_password": "a-new-one-9",
        "new_password_again": "a-new-one-9",
    }
    with locked_database(settings.paths.database):
        answer = browser.send("/account/password", **fields)
    assert answer.status_code == 503
    assert "Maʼlumotlar bazasi band" in answer.text
    assert PASSWORD not in answer.text
    assert "a-new-one-9" not in answer.text
