"""Eskiz, over HTTP: a token got by e-mail and password, then one request a message."""

from dataclasses import dataclass, field
from typing import Any

from appliance.gateways import Declined, NotSent, Receipt, Report, SmsGateway, Unsure
from appliance.gateways.http import ask, told

_DELIVERED = frozenset({"DELIVRD", "DELIVERED"})
_FAILED = frozenset({"UNDELIV", "UNDELIVERABLE", "EXPIRED", "REJECTD", "REJECTED", "DELETED"})


@dataclass
class Eskiz(SmsGateway):
    """An account at Eskiz; `sender` is its nick or 4546."""

    name: str
    url: str  # …/api
    user: str
    password: str
    sender: str = "4546"
    callback: str = ""  # address for delivery reports
    _token: str = field(default="", repr=False)

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send one message. Raises NotSent, Unsure (the service knows no key), Declined."""
        form = {"mobile_phone": number.lstrip("+"), "message": text, "from": self.sender}
        if self.callback:
            form["callback_url"] = self.callback
        answer = self._signed("POST", "/message/sms/send", data=form)
        said = told(answer)
        if answer.status_code >= 500:
            raise Unsure("server_error", str(said.get("message", "")))
        if answer.status_code != 200 or not said.get("id"):
            raise Declined("declined", str(said.get("message", "")))
        return Receipt(str(said["id"]))

    def outcome(self, receipt: str) -> str | None:
        """What became of a message that was taken."""
        said = told(self._signed("GET", f"/message/sms/status_by_id/{receipt}"))
        return _outcome((said.get("data") or {}).get("status"))

    def reports(self, said: dict[str, Any]) -> list[Report]:
        """One message's state, named by their id."""
        id, outcome = str(said.get("message_id") or ""), _outcome(said.get("status"))
        return [Report(id, outcome, ours=False)] if id and outcome else []

    def balance(self) -> int | None:
        """Sum left on the account, in soʻm."""
        said = told(self._signed("GET", "/user/get-limit"))
        left = (said.get("data") or {}).get("balance")
        return int(left) if left is not None else None

    def _signed(self, method: str, path: str, **how: Any) -> Any:
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
            said = told(ask("POST", self.url + "/auth/login", data=form))
        except Unsure as error:  # a log-in sends no message, whatever became of it
            raise NotSent(error.code, error.said) from error
        self._token = str((said.get("data") or {}).get("token") or "")
        if not self._token:
            raise NotSent("log_in", str(said.get("message", "")))


def _outcome(status: object) -> str | None:
    state = str(status or "").upper()
    return "delivered" if state in _DELIVERED else "refused" if state in _FAILED else None
