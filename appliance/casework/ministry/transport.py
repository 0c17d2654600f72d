"""The ministry's system over HTTP: appeals out, answers in; data/ministry-openapi.json tells it.

Every request carries a key that stays the same in each attempt, so a lost answer costs nothing but
another attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from appliance.casework.ministry.queue import Taken
from appliance.core.delivery import Declined, Later, NotSent, Unsure
from appliance.core.http import ask, json_object

_REFUSES = (400, 409, 413, 422)  # the document; every other 4xx is trouble of the link


@dataclass(frozen=True)
class Answers:
    """What the system tells since a cursor, where that ends, and whether there is more."""

    events: list[Any]
    next: str
    more: bool


@dataclass
class MinistrySystem:
    """An account there: a token, or a name and a password."""

    url: str
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)

    def send(self, number: str, document: Mapping[str, Any], key: str, known: bool) -> Taken:
        """Send an appeal, or the change of one that is `known` there. Raises a Trouble."""
        where = f"/appeals/{quote(number, safe='')}" if known else "/appeals"
        answer, body = self._ask(
            "PUT" if known else "POST", where, json=document, headers={"Idempotency-Key": key}
        )
        if answer.status_code not in (200, 201, 202) or not body.get("id"):
            raise Unsure("no_sense", answer.text[:200])
        return Taken(str(body["id"])[:100], answer.status_code != 202)

    def answers(self, after: str, limit: int = 100) -> Answers:
        """What has happened to appeals since `after`; "" is the beginning. Raises a Trouble."""
        answer, body = self._ask("GET", "/events", params={"after": after, "limit": limit})
        events, then = body.get("events"), body.get("next")
        if answer.status_code != 200 or not isinstance(events, list) or not isinstance(then, str):
            raise Unsure("no_sense", answer.text[:200])
        return Answers(events, then, body.get("more") is True)

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **how: Any
    ) -> tuple[requests.Response, dict[str, Any]]:
        sent = dict(headers or {}) | {"Accept": "application/json"}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        elif self.user:
            how["auth"] = (self.user, self.password)
        # A redirection would make a GET of a POST: whoever sends one is not the system.
        answer = ask(
            method, self.url.rstrip("/") + path, headers=sent, allow_redirects=False, **how
        )
        status = answer.status_code
        if status in (401, 403):
            raise NotSent("log_in", answer.text[:200])
        if status in (425, 429, 503):
            raise Later("too_many", answer.text[:200], _seconds(answer))
        if status == 408:
            raise NotSent("answer_lost", answer.text[:200])
        if status >= 500:
            raise Unsure("server_error", answer.text[:200])
        if 400 <= status < 500 and status not in _REFUSES:
            # Only an answer with sense speaks of the appeal; a server's page, of the address.
            unknown = status == 404 and method == "PUT" and _makes_sense(answer)
            raise NotSent("unknown_there" if unknown else "not_there", answer.text[:200])
        body = json_object(answer)  # a proxy's page refuses nothing in the system's name
        if status in _REFUSES:
            raise Declined("declined", _reason(body))
        return answer, body


def _makes_sense(answer: requests.Response) -> bool:
    try:
        return bool(json_object(answer))
    except Unsure:
        return False


def _reason(body: Mapping[str, Any]) -> str:
    return str(body.get("detail") or body.get("title") or body.get("code") or "")


def _seconds(answer: requests.Response) -> float:
    wait = answer.headers.get("Retry-After", "")
    return min(float(wait), 3600.0) if wait.isdecimal() else 60.0
