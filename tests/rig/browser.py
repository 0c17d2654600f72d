"""A test client that behaves as a browser: HTTPS, a referrer, the token of the open page."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class Browser(FlaskClient):
    """A browser; `send` posts a form with the token of the last page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environ_base["HTTP_REFERER"] = "https://localhost/"
        self._tokens: dict[str, str] = {}  # session cookie → the token that belongs to it

    def token(self, page: str = "") -> str:
        """The token of the forms of `page`; without a page, that of any page already open."""
        open_token = self._tokens.get(self._session_cookie())
        if open_token and not page:
            return open_token
        page = page or "/account"
        match = re.search(r'name="csrf-token" content="([^"]+)"', self.get(page).text)
        assert match, f"{page} carries no token"
        self._tokens[self._session_cookie()] = match[1]
        return match[1]

    def send(self, path: str, page: str = "", **fields: Any) -> TestResponse:
        """Post the fields to `path` from the open `page`, or from any page that is open."""
        return self.post(path, data={"csrf_token": self.token(page), **fields})

    def _session_cookie(self) -> str:
        cookie = self.get_cookie("__Host-session")
        return cookie.value if cookie else ""

    def refused_page(self, response: TestResponse) -> str:
        """The text of the page, at its own address, that a refused form redirects to."""
        assert response.status_code == 303, response.status
        page = self.get(response.headers["Location"])
        assert page.status_code == 200, page.status
        return page.text

    def sign_in(self, login: str, password: str, **fields: str) -> TestResponse:
        """Fill in the login form."""
        return self.send("/login", "/login", login=login, password=password, **fields)
