"""Eskiz, over HTTP: a token got by e-mail and password, then one request a message."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import requests

from appliance.core import clock
from appliance.core.delivery import Declined, NotSent, Receipt, Unsure
from appliance.core.http import ask, json_object, raise_for_status, words
from appliance.messaging.sms.gateway import Report, Sending, SmsGateway

_DELIVERED = frozenset({"DELIVRD", "DELIVERED"})
_FAILED = frozenset({"UNDELIV", "UNDELIVERABLE", "EXPIRED", "REJECTD", "REJECTED", "DELETED"})
_TASHKENT = ZoneInfo("Asia/Tashkent")  # of the dates in its history
_EARLIER = dt.timedelta(minutes=10)  # its clock and the box's may differ
_PAGE, _PAGES = 200, 25  # rows of the history that are read at once, and pages at most
_OF_A_MESSAGE = (400, 422)  # what is wrong with one, and not with the others


@dataclass
class Eskiz(SmsGateway):
    """An account at Eskiz; `sender` is its nick or 4546."""

    title = "Eskiz"
    name: str
    url: str  # …/api
    user: str
    password: str
    sender: str = "4546"
    callback: str = ""  # address for delivery reports
    _token: str = field(default="", repr=False)

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send one message. Raises Later, NotSent, Unsure (it knows no key), Declined."""
        form = {"mobile_phone": number.lstrip("+"), "message": text, "from": self.sender}
        if self.callback:
            form["callback_url"] = self.callback
        answer = self._signed("POST", "/message/sms/send", data=form)
        raise_for_status(answer)
        body = json_object(answer)
        if answer.ok and body.get("id"):
            return Receipt(str(body["id"]))
        if answer.status_code >= 500:
            raise Unsure("server_error", words(answer))
        if not answer.ok and answer.status_code not in _OF_A_MESSAGE:
            raise NotSent("server_error", words(answer))
        raise Declined("declined", words(answer))

    def outcome(self, receipt: str) -> str | None:
        """What became of a message that was taken."""
        answer = self._signed("GET", f"/message/sms/status_by_id/{receipt}")
        if answer.status_code in (404, *_OF_A_MESSAGE):  # it is not known there yet
            return None
        return _outcome(_data(answer).get("status"))

    def look_up(self, sending: Sending) -> str:
        """By its id there, else by number and text among what was sent since."""
        if sending.receipt:
            outcome = self.outcome(sending.receipt)
            return outcome or "taken"
        end = clock.now().astimezone(_TASHKENT)
        begin = sending.since.astimezone(_TASHKENT) - _EARLIER
        dates = {"start_date": f"{begin:%Y-%m-%d %H:%M}", "end_date": f"{end:%Y-%m-%d %H:%M}"}
        for page in range(1, _PAGES + 1):
            form = dates | {"to_date": dates["end_date"], "page_size": _PAGE, "count": 0}
            path = f"/message/sms/get-user-messages?page={page}"
            data = _data(self._signed("POST", path, data=form))
            rows = data.get("result", data.get("data"))
            if not isinstance(rows, list):
                raise Unsure("no_sense", str(data)[:200])
            for row in rows:
                if _is_same(row, sending):
                    return _outcome(row.get("status")) or "taken"
            if len(rows) < _PAGE:
                return "absent"
        return "unknown"

    def reports(self, said: dict[str, Any]) -> list[Report]:
        """One message's state, named by their id."""
        id, outcome = str(said.get("message_id") or ""), _outcome(said.get("status"))
        return [Report(id, outcome, ours=False)] if id and outcome else []

    def balance(self) -> int | None:
        """Sum left on the account, in soʻm."""
        left = _data(self._signed("GET", "/user/get-limit")).get("balance")
        try:
            return int(float(left)) if left is not None else None
        except (TypeError, ValueError, OverflowError) as error:
            raise Unsure("no_sense", str(left)[:200]) from error

    def _signed(self, method: str, path: str, **how: Any) -> requests.Response:
        """The answer to a request with a token; one that has run out is got anew, once."""
        for _ in range(2):
            if not self._token:
                self._log_in()
            headers = {"Authorization": f"Bearer {self._token}"}
            answer = ask(method, self.url + path, headers=headers, **how)
            if answer.status_code != 401:
                return answer
            self._token = ""
        raise NotSent("log_in", "the token is refused")

    def _log_in(self) -> None:
        form = {"email": self.user, "password": self.password}
        try:
            answer = ask("POST", self.url + "/auth/login", data=form)
            raise_for_status(answer)
            if answer.status_code >= 500:
                raise NotSent("server_error", words(answer))
            data = json_object(answer).get("data")
        except Unsure as error:  # a log-in sends no message, whatever became of it
            raise NotSent(error.code, error.said) from error
        self._token = str(data.get("token") or "") if isinstance(data, dict) else ""
        if not self._token:
            raise NotSent("log_in", words(answer))


GATEWAY = Eskiz


def _is_same(row: object, sending: Sending) -> bool:
    """Whether a row of the account's history is that message."""
    if not isinstance(row, dict):
        return False
    number = str(row.get("to") or row.get("mobile_phone") or "").lstrip("+")
    text = " ".join(str(row.get("message") or "").split())
    return number == sending.number.lstrip("+") and text == " ".join(sending.text.split())


def _data(answer: requests.Response) -> dict[str, Any]:
    """What a question is answered with. Raises Later, NotSent, Unsure."""
    raise_for_status(answer)
    data = json_object(answer).get("data") or {}
    if answer.status_code != 200:
        raise NotSent("server_error", words(answer))
    if not isinstance(data, dict):
        raise Unsure("no_sense", answer.text[:200])
    return data


def _outcome(status: object) -> str | None:
    state = str(status or "").upper()
    return "delivered" if state in _DELIVERED else "refused" if state in _FAILED else None
