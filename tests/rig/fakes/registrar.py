"""A carrier at which the box registers."""

from appliance.sip import message
from appliance.sip.agent import Agent
from appliance.sip.message import Message

_EXPIRES = 20  # seconds, so that the box asks again soon


class Registrar(Agent):
    """A carrier at which the box registers; `status` answers the next requests."""

    status: int = 200

    def _requested(self, received: Message) -> None:
        if received.method != "REGISTER":
            super()._requested(received)
            return
        more = [("Contact", received.get("contact")), ("Expires", str(_EXPIRES))]
        answer = message.response(received, self.status, "registrar", more)
        self.answer(received, answer)
