"""What went wrong is said in the reader's language, with what to do; what was typed is kept."""

import html
import re

import pytest

from appliance.core import clock
from appliance.models import FollowUp, User
from tests.rig.locked import locked
from tests.rig.people import PASSWORD


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/nothing-here", 404, "Bunday sahifa yoʻq"),
        ("/calls", 403, "Bu sahifani ochish huquqingiz yoʻq"),
        ("/logout", 405, "Bu manzil bunday soʻrovni qabul qilmaydi"),
        ("/reports/monthly.pdf?month=2026-13&upto=x", 400, "Sahifa yuborgan maʼlumotni"),
    ],
)
def test_a_page_for_each(login_as, path, status, said) -> None:
    answer = login_as("ministry").get(path)
    assert answer.status_code == status
    assert said in answer.text
    assert 'href="/"' in answer.text


def test_in_the_readers_language(login_as) -> None:
    browser = login_as("ministry")
    browser.send("/account/language", language="ru")
    assert "Такой страницы нет" in browser.get("/nothing-here").text


def test_before_signing_in_too(client) -> None:
    client.get("/login?til=uzc")
    assert "Бундай саҳифа йўқ" in client.get("/nothing-here").text


def test_a_failure_has_a_code_that_is_also_in_the_log(app, login_as, caplog, monkeypatch) -> None:
    browser = login_as("technician")
    monkeypatch.delitem(app.jinja_env.globals, "tabs")
    answer = browser.get("/status")
    assert answer.status_code == 500
    code = re.search(r"500 · ([0-9a-f]{6})", answer.text)[1]
    assert f"error {code} at GET /status" in caplog.text


def test_what_was_typed_is_on_the_page_that_asks_to_send_it_once_more(login_as) -> None:
    browser = login_as("operator")
    typed = {"gist": 'Tikuv "mashinasi" <1>\nikkinchi qator', "password": "secret-secret"}
    answer = browser.post("/account/appearance", data=typed)
    assert answer.status_code == 400
    assert 'action="/account/appearance?"' in answer.text
    kept = re.search(r'name="gist" value="([^"]*)"', answer.text)
    assert html.unescape(kept[1]) == typed["gist"]
    assert "secret-secret" not in answer.text


def test_sending_it_once_more_works(login_as, nilufar) -> None:
    browser = login_as("operator")
    answer = browser.post("/account/appearance", data={"theme": "dark"})
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)[1]
    again = browser.post("/account/appearance", data={"theme": "dark", "csrf_token": token})
    assert again.status_code == 302
    assert type(nilufar).get_by_id(nilufar.id).theme == "dark"


def test_signed_out_meanwhile_it_is_kept_until_signed_in_again(client, nilufar) -> None:
    form = {"theme": "dark", "csrf_token": client.token("/login")}
    answer = client.post("/account/appearance", data=form)
    assert answer.status_code == 401
    assert 'name="theme" value="dark"' in answer.text
    assert 'href="/login"' in answer.text
    client.sign_in("nilufar", PASSWORD)
    assert client.send("/account/appearance", theme="dark").status_code == 302


def test_a_piece_of_a_page_is_told_that_it_is_signed_out(client) -> None:
    assert client.get("/calls/list", headers={"HX-Request": "true"}).status_code == 401


def test_an_open_page_that_is_signed_out_begins_no_session(client) -> None:
    """Its sections, stream and scripts ask on, while the login page of another tab holds one."""
    for answer in (
        client.get("/calls/list", headers={"HX-Request": "true"}),
        client.get("/live"),
        client.post("/operator/forms/x", json={"values": {}}),
    ):
        assert answer.status_code in (400, 401)
        assert "Set-Cookie" not in answer.headers, answer.request.path


def test_too_much_at_once_is_refused(login_as) -> None:
    browser = login_as("operator")
    form = {"csrf_token": browser.token(), "theme": "x" * (1024 * 1024)}
    assert browser.post("/account/appearance", data=form).status_code == 413


def test_a_busy_database_loses_nothing_typed(settings, login_as, nilufar) -> None:
    browser = login_as("operator")
    browser.send("/account/language", language="ru")
    with locked(settings.paths.database):
        answer = browser.send("/account/appearance", theme="dark", gist="два <слова>")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "База данных занята" in answer.text
    kept = re.search(r'name="gist" value="([^"]*)"', answer.text)
    assert html.unescape(kept[1]) == "два <слова>"
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)[1]
    again = browser.post("/account/appearance", data={"theme": "dark", "csrf_token": token})
    assert again.status_code == 302
    assert User.get_by_id(nilufar.id).theme == "dark"


def test_a_database_that_is_busy_when_the_answer_is_complete_is_no_fault(
    settings, login_as
) -> None:
    """Who was shown what is written last: the page was made by then, and is not shown."""
    browser, now = login_as("operator"), clock.now()
    moments = {"opened_at": now, "missed_at": now, "joined_at": now}
    FollowUp.create(number="+998935550147", kind="queue", call_id="x-1.0", calls=1, **moments)
    with locked(settings.paths.database):
        answer = browser.get("/followups")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "+998 93 555 01 47" not in answer.text


def test_a_busy_database_puts_no_password_on_a_page(settings, login_as) -> None:
    browser = login_as("operator")
    fields = {
        "password": PASSWORD,
        "new_password": "a-new-one-9",
        "new_password_again": "a-new-one-9",
    }
    with locked(settings.paths.database):
        answer = browser.send("/account/password", **fields)
    assert answer.status_code == 503
    assert "Maʼlumotlar bazasi band" in answer.text
    assert PASSWORD not in answer.text
    assert "a-new-one-9" not in answer.text
