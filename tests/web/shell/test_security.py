"""The headers of every response, and the token of every form."""

import re

import pytest

from appliance import PACKAGE
from tests.rig.people import PASSWORD

COMPONENTS_STYLE_SHEET = PACKAGE / "web" / "shell" / "static" / "components.css"
PAGE_PATHS = ["/login", "/account", "/calls", "/reports", "/status", "/appeals", "/nothing-here"]
PAGE_PATHS += ["/appeals/statistics", "/departments", "/keys", "/people"]


@pytest.mark.parametrize(
    "path", [*PAGE_PATHS, "/healthz", "/static/now/app.js", "/built/js/htmx.min.js"]
)
def test_the_content_policy_allows_only_our_own_resources(login_as, path) -> None:
    with login_as("manager").get(path) as answer:
        headers = answer.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy.pop("default-src") == policy.pop("base-uri") == "'none'"
    assert policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) == {"'self'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "max-age" in headers["Strict-Transport-Security"]


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_no_page_contains_inline_script_or_style(login_as, path) -> None:
    page = login_as("manager").get(path).text
    assert not re.search(r"<script(?![^>]* src=)", page)
    assert not re.search(r"<style| style=| on[a-z]+=", page)
    assert "hx-on" not in page


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_pages_are_not_cached(login_as, path) -> None:
    assert login_as("manager").get(path).headers["Cache-Control"] == "no-store"


def test_static_files_are_cached_for_a_year_by_version(client) -> None:
    """Under an older version, as requested by an open page, the current file is served uncached."""
    newest = re.findall(r"/static/[0-9a-f]{8}/app\.js", client.get("/login").text)
    assert len(newest) == 1
    with client.get(newest[0]) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        current_content = answer.data
    with client.get("/static/00000000/app.js") as answer:
        assert (answer.data, answer.headers["Cache-Control"]) == (current_content, "no-cache")


def test_one_response_contains_the_styles_of_every_component(client) -> None:
    page = client.get("/login").text
    assert "components/" not in page
    [address] = re.findall(r"/static/[0-9a-f]{8}/components\.css", page)
    names = re.findall('@import "(.+)";', COMPONENTS_STYLE_SHEET.read_text("utf-8"))
    folder = COMPONENTS_STYLE_SHEET.parent
    assert sorted(folder / name for name in names) == sorted(folder.glob("components/*.css"))
    with client.get(address) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
        assert "@import" not in answer.text
        assert answer.text.endswith(
            "\n".join((folder / name).read_text("utf-8") for name in names) + "\n"
        )


def test_built_files_are_cached_for_a_year(client) -> None:
    with client.get("/built/fonts/inter-latin-wght-normal.woff2") as answer:
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/built/../web/login.py", "/built/%2e%2e/web/login.py"])
def test_only_built_files_are_served(client, path) -> None:
    assert client.get(path).status_code == 404


def test_cookies_are_restricted_to_this_site(client) -> None:
    cookies = client.sign_in("nilufar", PASSWORD).headers.getlist("Set-Cookie")
    names = {cookie.partition("=")[0] for cookie in cookies}
    assert names == {"__Host-session", "__Host-device"}
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_form_without_its_token_changes_nothing(login_as, token, nilufar) -> None:
    browser = login_as("operator")
    answer = browser.post("/account/language", data={"language": "ru", "csrf_token": token})
    assert answer.status_code == 400
    assert type(nilufar).get_by_id(nilufar.id).language == "uz_Latn"


def test_a_form_sent_from_another_site_changes_nothing(login_as, nilufar) -> None:
    browser = login_as("operator")
    form = {"language": "ru", "csrf_token": browser.token()}
    answer = browser.post(
        "/account/language", data=form, headers={"Referer": "https://evil.example/"}
    )
    assert answer.status_code == 400
    assert type(nilufar).get_by_id(nilufar.id).language == "uz_Latn"
