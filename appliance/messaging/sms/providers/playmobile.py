"""Play Mobile (smsxabar), over HTTP: each message carries our own name for it."""

from dataclasses import dataclass
from typing import Any

from appliance.core.delivery import Declined, NotSent, Receipt, Unsure
from appliance.core.http import ask, is_page, json_object, raise_for_status
from appliance.messaging.sms.gateway import Report, SmsGateway

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
