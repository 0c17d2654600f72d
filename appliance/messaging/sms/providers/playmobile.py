"""Play Mobile (smsxabar), over HTTP: each message carries our own name for it."""

from dataclasses import dataclass
from typing import Any

from appliance.core.delivery import Declined, NotSent, Receipt, Unsure
from appliance.core.http import ask, is_page, json_object, raise_for_status
from appliance.messaging.sms.gateway import Report, Sending, SmsGateway

# account locked; no channel, originator, application, lifetime: others' messages go as little
_OURS_TO_MEND = frozenset({102, 103, 401, 402, 403})

_OUTCOMES = {
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
    callback: str = ""  # told to the service by contract, not with each message

    def send(self, number: str, text: str, key: str) -> Receipt:
        """Send one message. Raises Later, NotSent, Unsure, Declined."""
        message = {
            "recipient": number.lstrip("+"),
            "message-id": key,
            "sms": {"originator": self.sender, "content": {"text": text}},
        }
        answer = ask(
            "POST",
            self.url + "/send",
            json={"messages": [message]},
            auth=(self.user, self.password),
        )
        if answer.status_code == 200 and not is_page(answer):
            return Receipt(key)
        raise_for_status(answer)
        if answer.status_code == 401:
            raise NotSent("log_in", answer.text[:200])
        if answer.status_code < 400:
            raise Unsure("no_sense", answer.text[:200])
        if answer.status_code != 400:
            raise Unsure("server_error", answer.text[:200])
        body = json_object(answer)
        code, text = body.get("error-code"), str(body.get("error-description", ""))
        if code == 100:
            raise Unsure("server_error", text)
        if code in _OURS_TO_MEND:
            raise NotSent("account", text)
        raise Declined("declined", f"{code} {text}")

    def look_up(self, sending: Sending) -> str:
        """By the id that the appliance has given it."""
        answer = ask(
            "POST",
            self.url + "/get-status",
            json={"message-id": [sending.key]},
            auth=(self.user, self.password),
        )
        if answer.status_code in (400, 404, 405):  # not every contract has this request
            return "unknown"
        raise_for_status(answer)
        if answer.status_code == 401:
            raise NotSent("log_in", answer.text[:200])
        if answer.status_code != 200 or is_page(answer):
            raise Unsure("no_sense", answer.text[:200])
        try:
            return _word(answer.json(), sending.key)
        except ValueError as error:
            raise Unsure("no_sense", answer.text[:200]) from error

    def reports(self, said: dict[str, Any]) -> list[Report]:
        """States of messages, named by our keys."""
        messages = said.get("messages")
        found = []
        for message in messages if isinstance(messages, list) else []:
            if isinstance(message, dict):
                outcome = _OUTCOMES.get(str(message.get("status", "")).lower())
                if outcome and message.get("message-id"):
                    found.append(Report(str(message["message-id"]), outcome, ours=True))
        return found


GATEWAY = PlayMobile


def _word(answer: object, key: str) -> str:
    """What an answer says of one message; it names one, or several in a list."""
    rows = answer.get("messages", [answer]) if isinstance(answer, dict) else answer
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and str(row.get("message-id", key)) == key and row.get("status"):
            return _OUTCOMES.get(str(row["status"]).lower(), "taken")
    return "absent" if rows == [] else "unknown"
