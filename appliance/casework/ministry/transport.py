"""The HTTP client of the ministry's system: appeals out, events in.

data/ministry-openapi.json describes the interface. Every appeal is sent with a key that stays the
same in each attempt, so a lost response only costs another attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from appliance.casework.ministry.queue import Acceptance
from appliance.core.delivery import (
    DeclinedError,
    NotSentError,
    RetryLaterError,
    UncertainDeliveryError,
)
from appliance.core.http import json_object, send_request

_REFUSAL_STATUSES = (400, 409, 413, 422)  # the document is refused; any other 4xx: the link failed


@dataclass(frozen=True)
class EventPage:
    """Some of the events since a cursor, as parsed JSON, unchecked.

    `next` is the cursor after these events; `more` is True if there are more events after it.
    """

    events: list[Any]
    next: str
    more: bool


@dataclass
class MinistrySystem:
    """The ministry's system at the base URL `url`; our account is a token, or name and password."""

    url: str
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)

    def send_appeal(
        self, number: str, document: Mapping[str, Any], key: str, is_known: bool
    ) -> Acceptance:
        """Send an appeal; as a change if the ministry's system has it already (`is_known`).

        `number` is the appeal's, `document` its data in the ministry's names and codes, `key` the
        idempotency key. Raises DeliveryError if it is not accepted; see _request().
        """
        path = f"/appeals/{quote(number, safe='')}" if is_known else "/appeals"
        response, body = self._request(
            "PUT" if is_known else "POST", path, json=document, headers={"Idempotency-Key": key}
        )
        if response.status_code not in (200, 201, 202) or not body.get("id"):
            raise UncertainDeliveryError("no_sense", response.text[:200])
        return Acceptance(str(body["id"])[:100], response.status_code != 202)

    def fetch_events(self, cursor: str, limit: int = 100) -> EventPage:
        """Return the first `limit` events since `cursor`; "" is the beginning.

        Raises DeliveryError if the link fails; see _request().
        """
        response, body = self._request("GET", "/events", params={"after": cursor, "limit": limit})
        events, next_cursor = body.get("events"), body.get("next")
        if (
            response.status_code != 200
            or not isinstance(events, list)
            or not isinstance(next_cursor, str)
        ):
            raise UncertainDeliveryError("no_sense", response.text[:200])
        return EventPage(events, next_cursor, body.get("more") is True)

    def _request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> tuple[requests.Response, dict[str, Any]]:
        """Send a request; returns the response and its JSON object.

        `path` is added to the base URL; `options` are those of the package requests. Raises
        DeliveryError: DeclinedError if the system refuses the document; if the link fails,
        NotSentError, RetryLaterError, or, if the request may have been processed,
        UncertainDeliveryError.
        """
        all_headers = dict(headers or {}) | {"Accept": "application/json"}
        if self.token:
            all_headers["Authorization"] = f"Bearer {self.token}"
        elif self.user:
            options["auth"] = (self.user, self.password)
        # A redirect would turn a POST into a GET; a server that sends one is not the ministry's
        # system.
        response = send_request(
            method,
            self.url.rstrip("/") + path,
            headers=all_headers,
            allow_redirects=False,
            **options,
        )
        status = response.status_code
        if status in (401, 403):
            raise NotSentError("log_in", response.text[:200])
        if status in (425, 429, 503):
            raise RetryLaterError("too_many", response.text[:200], _retry_after_seconds(response))
        if status == 408:
            raise NotSentError("answer_lost", response.text[:200])
        if status >= 500:
            raise UncertainDeliveryError("server_error", response.text[:200])
        if 400 <= status < 500 and status not in _REFUSAL_STATUSES:
            # Only a JSON 404 is about the appeal; a web server's page is about the address.
            is_unknown_appeal = status == 404 and method == "PUT" and _is_json_object(response)
            raise NotSentError(
                "unknown_there" if is_unknown_appeal else "not_there", response.text[:200]
            )
        body = json_object(response)  # a proxy's page is not the system's refusal
        if status in _REFUSAL_STATUSES:
            raise DeclinedError("declined", _refusal_reason(body))
        return response, body


def _is_json_object(response: requests.Response) -> bool:
    """Return True if the body is a JSON object that is not empty."""
    try:
        return bool(json_object(response))
    except UncertainDeliveryError:
        return False


def _refusal_reason(body: Mapping[str, Any]) -> str:
    """Return the reason in a refusal's problem document (RFC 9457); "" if it has no reason."""
    return str(body.get("detail") or body.get("title") or body.get("code") or "")


def _retry_after_seconds(response: requests.Response) -> float:
    """Return the seconds of the Retry-After header: at most 3600, 60 if it is missing or a date."""
    header = response.headers.get("Retry-After", "")
    return min(float(header), 3600.0) if header.isdecimal() else 60.0
