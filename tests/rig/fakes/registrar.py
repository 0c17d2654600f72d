"""A carrier at which the box registers."""

from appliance.sip import message
from appliance.sip.agent import Agent
from appliance.sip.message import Message

_EXPIRES_SECONDS = 20  # short, so that the box registers again soon


class Registrar(Agent):
    """A carrier at which the box registers; `status` answers the next requests."""

    status: int = 200

    def _handle_request(self, received: Message) -> None:
        if received.method != "REGISTER":
            super()._handle_request(received)
            return
        extra_headers = [("Contact", received.get("contact")), ("Expires", str(_EXPIRES_SECONDS))]
        response = message.encode_response(received, self.status, "registrar", extra_headers)
        self.send_response(received, response)
