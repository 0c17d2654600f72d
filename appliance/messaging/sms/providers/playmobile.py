"""Play Mobile (smsxabar), over HTTP: each message contains the appliance's own id."""

from dataclasses import dataclass
from typing import Any

from appliance.core.delivery import DeclinedError, NotSentError, Receipt, UncertainDeliveryError
from appliance.core.http import is_html_page, json_object, raise_for_service_fault, send_request
from appliance.messaging.sms.gateway import Report, Sending, SmsGateway

# Errors of the account, which affect all messages: it is locked, or lacks a channel, originator,
# application or lifetime.
_ACCOUNT_ERROR_CODES = frozenset({102, 103, 401, 402, 403})

_OUTCOME_BY_STATUS = {
    "delivered": "delivered",
    **dict.fromkeys(("notdelivered", "expired", "rejected", "failed"), "refused"),
}


@dataclass
class PlayMobile(SmsGateway):
    """An account at Play Mobile; `sender` is the originator."""

    title = "Play Mobile"
    name: str
    url: str  # …/broker-api
    user: str
    password: str
    sender: str
    callback: str = ""  # given to the service in the contract, not with each message

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send one message.

        Raises RetryLaterError, NotSentError, UncertainDeliveryError, DeclinedError.
        """
        message = {
            "recipient": number.lstrip("+"),
            "message-id": key,
            "sms": {"originator": self.sender, "content": {"text": text}},
        }
        answer = send_request(
            "POST",
            self.url + "/send",
            json={"messages": [message]},
            auth=(self.user, self.password),
        )
        if answer.status_code == 200 and not is_html_page(answer):
            return Receipt(key)
        raise_for_service_fault(answer)
        if answer.status_code == 401:
            raise NotSentError("log_in", answer.text[:200])
        if answer.status_code < 400:
            raise UncertainDeliveryError("no_sense", answer.text[:200])
        if answer.status_code != 400:
            raise UncertainDeliveryError("server_error", answer.text[:200])
        body = json_object(answer)
        code, text = body.get("error-code"), str(body.get("error-description", ""))
        if code == 100:
            raise UncertainDeliveryError("server_error", text)
        if code in _ACCOUNT_ERROR_CODES:
            raise NotSentError("account", text)
        raise DeclinedError("declined", f"{code} {text}")

    def look_up(self, sending: Sending) -> str:
        """Look a message up by the id that the appliance gave it."""
        answer = send_request(
            "POST",
            self.url + "/get-status",
            json={"message-id": [sending.key]},
            auth=(self.user, self.password),
        )
        if answer.status_code in (400, 404, 405):  # not every contract includes this request
            return "unknown"
        raise_for_service_fault(answer)
        if answer.status_code == 401:
            raise NotSentError("log_in", answer.text[:200])
        if answer.status_code != 200 or is_html_page(answer):
            raise UncertainDeliveryError("no_sense", answer.text[:200])
        try:
            return _status_in_answer(answer.json(), sending.key)
        except ValueError as error:
            raise UncertainDeliveryError("no_sense", answer.text[:200]) from error

    def parse_reports(self, payload: dict[str, Any]) -> list[Report]:
        """Return states of messages, identified by the appliance's own keys."""
        messages = payload.get("messages")
        reports = []
        for message in messages if isinstance(messages, list) else []:
            if isinstance(message, dict):
                outcome = _OUTCOME_BY_STATUS.get(str(message.get("status", "")).lower())
                if outcome and message.get("message-id"):
                    reports.append(Report(str(message["message-id"]), outcome, is_own_id=True))
        return reports


GATEWAY = PlayMobile


def _status_in_answer(answer: object, key: str) -> str:
    """Return the status of a message in an answer, which has one message or a list of them."""
    rows = answer.get("messages", [answer]) if isinstance(answer, dict) else answer
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and str(row.get("message-id", key)) == key and row.get("status"):
            return _OUTCOME_BY_STATUS.get(str(row["status"]).lower(), "taken")
    return "absent" if rows == [] else "unknown"
