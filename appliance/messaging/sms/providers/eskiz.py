"""Eskiz, over HTTP: a token obtained with e-mail and password, then one request per message."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import requests

from appliance.core import clock
from appliance.core.delivery import DeclinedError, NotSentError, Receipt, UncertainDeliveryError
from appliance.core.http import error_text, json_object, raise_for_service_fault, send_request
from appliance.messaging.sms.gateway import Report, Sending, SmsGateway

_DELIVERED_STATUSES = frozenset({"DELIVRD", "DELIVERED"})
_FAILED_STATUSES = frozenset(
    {"UNDELIV", "UNDELIVERABLE", "EXPIRED", "REJECTD", "REJECTED", "DELETED"}
)
_TASHKENT = ZoneInfo("Asia/Tashkent")  # time zone of the dates in its history
_CLOCK_TOLERANCE = dt.timedelta(minutes=10)  # how far its clock and the appliance's may differ
_PAGE_SIZE, _MAX_PAGES = 200, 25  # rows per page of the history; the most pages that are read
_MESSAGE_ERROR_CODES = (400, 422)  # HTTP codes for an error of one message, not of the account


@dataclass
class Eskiz(SmsGateway):
    """An account at Eskiz; `sender` is its nickname or 4546."""

    title = "Eskiz"
    name: str
    url: str  # …/api
    user: str
    password: str
    sender: str = "4546"
    callback: str = ""  # address for delivery reports
    _token: str = field(default="", repr=False)

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send one message.

        The service accepts no key, so a message may be sent twice if the answer to an attempt was
        lost. Raises RetryLaterError, NotSentError, UncertainDeliveryError, DeclinedError.
        """
        form = {"mobile_phone": number.lstrip("+"), "message": text, "from": self.sender}
        if self.callback:
            form["callback_url"] = self.callback
        answer = self._request_with_token("POST", "/message/sms/send", data=form)
        raise_for_service_fault(answer)
        body = json_object(answer)
        if answer.ok and body.get("id"):
            return Receipt(str(body["id"]))
        if answer.status_code >= 500:
            raise UncertainDeliveryError("server_error", error_text(answer))
        if not answer.ok and answer.status_code not in _MESSAGE_ERROR_CODES:
            raise NotSentError("server_error", error_text(answer))
        raise DeclinedError("declined", error_text(answer))

    def outcome(self, receipt: str) -> str | None:
        """Return the outcome of a message that was accepted."""
        answer = self._request_with_token("GET", f"/message/sms/status_by_id/{receipt}")
        if answer.status_code in (404, *_MESSAGE_ERROR_CODES):  # not known to the service yet
            return None
        return _outcome_of_status(_response_data(answer).get("status"))

    def look_up(self, sending: Sending) -> str:
        """Look a message up by its id at the service, or by number and text in the history."""
        if sending.receipt:
            outcome = self.outcome(sending.receipt)
            return outcome or "taken"
        end = clock.now().astimezone(_TASHKENT)
        begin = sending.since.astimezone(_TASHKENT) - _CLOCK_TOLERANCE
        dates = {"start_date": f"{begin:%Y-%m-%d %H:%M}", "end_date": f"{end:%Y-%m-%d %H:%M}"}
        for page in range(1, _MAX_PAGES + 1):
            form = dates | {"to_date": dates["end_date"], "page_size": _PAGE_SIZE, "count": 0}
            path = f"/message/sms/get-user-messages?page={page}"
            data = _response_data(self._request_with_token("POST", path, data=form))
            rows = data.get("result", data.get("data"))
            if not isinstance(rows, list):
                raise UncertainDeliveryError("no_sense", str(data)[:200])
            for row in rows:
                if _is_same_message(row, sending):
                    return _outcome_of_status(row.get("status")) or "taken"
            if len(rows) < _PAGE_SIZE:
                return "absent"
        return "unknown"

    def parse_reports(self, payload: dict[str, Any]) -> list[Report]:
        """Return the state of one message, identified by the service's id."""
        id, outcome = (
            str(payload.get("message_id") or ""),
            _outcome_of_status(payload.get("status")),
        )
        return [Report(id, outcome, is_own_id=False)] if id and outcome else []

    def balance(self) -> int | None:
        """Return the money left on the account, in soʻm."""
        amount = _response_data(self._request_with_token("GET", "/user/get-limit")).get("balance")
        try:
            return int(float(amount)) if amount is not None else None
        except (TypeError, ValueError, OverflowError) as error:
            raise UncertainDeliveryError("no_sense", str(amount)[:200]) from error

    def _request_with_token(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request with a token; an expired token is renewed once."""
        for _ in range(2):
            if not self._token:
                self._log_in()
            headers = {"Authorization": f"Bearer {self._token}"}
            answer = send_request(method, self.url + path, headers=headers, **kwargs)
            if answer.status_code != 401:
                return answer
            self._token = ""
        raise NotSentError("log_in", "the token is refused")

    def _log_in(self) -> None:
        form = {"email": self.user, "password": self.password}
        try:
            answer = send_request("POST", self.url + "/auth/login", data=form)
            raise_for_service_fault(answer)
            if answer.status_code >= 500:
                raise NotSentError("server_error", error_text(answer))
            data = json_object(answer).get("data")
        except UncertainDeliveryError as error:  # a log-in sends no message, whatever its outcome
            raise NotSentError(error.code, error.detail) from error
        self._token = str(data.get("token") or "") if isinstance(data, dict) else ""
        if not self._token:
            raise NotSentError("log_in", error_text(answer))


GATEWAY = Eskiz


def _is_same_message(row: object, sending: Sending) -> bool:
    """Return True if a row of the account's history is that message."""
    if not isinstance(row, dict):
        return False
    number = str(row.get("to") or row.get("mobile_phone") or "").lstrip("+")
    text = " ".join(str(row.get("message") or "").split())
    return number == sending.number.lstrip("+") and text == " ".join(sending.text.split())


def _response_data(answer: requests.Response) -> dict[str, Any]:
    """Return the `data` of a response.

    Raises RetryLaterError, NotSentError, UncertainDeliveryError.
    """
    raise_for_service_fault(answer)
    data = json_object(answer).get("data") or {}
    if answer.status_code != 200:
        raise NotSentError("server_error", error_text(answer))
    if not isinstance(data, dict):
        raise UncertainDeliveryError("no_sense", answer.text[:200])
    return data


def _outcome_of_status(status: object) -> str | None:
    state = str(status or "").upper()
    return (
        "delivered"
        if state in _DELIVERED_STATUSES
        else "refused"
        if state in _FAILED_STATUSES
        else None
    )
