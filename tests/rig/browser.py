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

    def token(self, page: str = "/account") -> str:
        """The token that a page's forms carry."""
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.get(page).text)
        assert found, f"{page} carries no token"
        return found[1]

    def send(self, path: str, page: str = "/account", **fields: Any) -> TestResponse:
        """Post the fields to `path` from the open `page`."""
        return self.post(path, data={"csrf_token": self.token(page), **fields})

    def refused(self, answer: TestResponse) -> str:
        """The page that what was refused leads to, at an address of its own."""
        assert answer.status_code == 303, answer.status
        page = self.get(answer.headers["Location"])
        assert page.status_code == 200, page.status
        return page.text

    def sign_in(self, login: str, password: str, **fields: str) -> TestResponse:
        """Fill in the login form."""
        return self.send("/login", "/login", login=login, password=password, **fields)
