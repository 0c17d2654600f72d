"""A test client that behaves as a browser does: HTTPS, a referrer, the token of the open page."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class Browser(FlaskClient):
    """`send` posts a form with the token that the last page carried."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environ_base["HTTP_REFERER"] = "https://localhost/"
        self._known: dict[str, str] = {}  # the cookie of a session: a token that goes with it

    def token(self, page: str = "") -> str:
        """The token that the forms of `page` carry; without one, of a page that is open already."""
        open_one = self._known.get(self._session())
        if open_one and not page:
            return open_one
        page = page or "/account"
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.get(page).text)
        assert found, f"{page} carries no token"
        self._known[self._session()] = found[1]
        return found[1]

    def send(self, path: str, page: str = "", **fields: Any) -> TestResponse:
        """Post the fields to `path` from the open `page`, or from any that is open."""
        return self.post(path, data={"csrf_token": self.token(page), **fields})

    def _session(self) -> str:
        cookie = self.get_cookie("__Host-session")
        return cookie.value if cookie else ""

    def refused(self, answer: TestResponse) -> str:
        """The page that what was refused leads to, at an address of its own."""
        assert answer.status_code == 303, answer.status
        page = self.get(answer.headers["Location"])
        assert page.status_code == 200, page.status
        return page.text

    def sign_in(self, login: str, password: str, **fields: str) -> TestResponse:
        """Fill in the login form."""
        return self.send("/login", "/login", login=login, password=password, **fields)
